"""Services on request: patients send a request, and staff answer it."""

import pytest
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from scheduling.notifications import links
from tests.factories import UserFactory
from tests.portal.booking.steps import hold, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def checkup(checkup):
    checkup.on_request = True
    checkup.save()
    return checkup


@pytest.fixture
def held(as_ada, checkup, button_value):
    return hold(as_ada, checkup, button_value)


@pytest.fixture
def visit_request(as_ada, held):
    as_ada.post(page_of(held, "confirm"))
    held.refresh_from_db()
    return held


@pytest.fixture
def desk(site):
    from django.test import Client

    client = Client()
    client.force_login(UserFactory(desk_locations=[site]))
    return client


def page_at_work(appointment):
    return f"/staff/appointments/{appointment.fhir_id}/"


def answer(client, appointment, text, **headers):
    return client.post(f"{page_at_work(appointment)}answer/", {"answer": text}, headers=headers)


def test_confirming_a_hold_makes_a_request(as_ada, held):
    page = as_ada.get(page_of(held, "confirm"))
    assertContains(page, "You request this visit, and the clinic answers.")
    assertContains(page, f"Request {held.start:%a, %b} {held.start.day}, 10:00 AM")
    assertNotContains(page, "Nothing is booked until you confirm.")


def test_the_cancellation_policy_is_the_same_before_and_after_the_request(as_ada, held):
    sentence = "You can cancel until the visit begins."
    assertContains(as_ada.get(page_of(held, "confirm")), sentence)
    as_ada.post(page_of(held, "confirm"))
    assertContains(as_ada.get(page_of(held, "booked")), sentence)


def test_a_request_is_not_called_booked(as_ada, held):
    assertRedirects(as_ada.post(page_of(held, "confirm")), page_of(held, "booked"))
    page = as_ada.get(page_of(held, "booked"))
    assertContains(page, "You have requested this visit")
    assertContains(page, "Requested, not booked yet")
    assertNotContains(page, "Your visit is booked")


def test_my_visits_say_that_the_clinic_has_still_to_answer(as_ada, visit_request):
    for address in ("/appointments/", f"/appointments/{visit_request.fhir_id}/"):
        page = as_ada.get(address)
        assertContains(page, "Requested")
        assertContains(page, f"/appointments/{visit_request.fhir_id}/cancel/")
        assertNotContains(page, "Check and confirm")


def test_the_pages_of_the_hold_lead_to_the_request(as_ada, visit_request):
    assertRedirects(as_ada.get(page_of(visit_request, "confirm")), page_of(visit_request, "booked"))


def test_a_patient_takes_a_request_back(as_ada, visit_request):
    as_ada.post(f"/appointments/{visit_request.fhir_id}/cancel/", {"reason": ""})
    visit_request.refresh_from_db()
    assert visit_request.status == "cancelled"


def test_the_link_in_the_message_says_the_same(client, visit_request):
    page = client.get(links.manage_link(visit_request).removeprefix("http://testserver"))
    assertContains(page, "Requested, not booked yet")
    assertNotContains(page, "I will come")


def test_the_desk_accepts_with_one_press(desk, as_ada, visit_request):
    assertContains(desk.get(page_at_work(visit_request)), "Accept</button>")
    back = f"{page_at_work(visit_request)}?back=%2Fstaff%2Ftoday%2F"
    assertRedirects(answer(desk, visit_request, "accepted"), back, fetch_redirect_response=False)
    page = desk.get(page_at_work(visit_request))
    assertContains(page, "The visit is booked, and the patient is told.")
    assertNotContains(page, "Accept</button>")
    assertContains(as_ada.get("/appointments/"), "Booked")


def test_an_accepted_request_can_be_cancelled_and_not_moved(desk, as_ada, visit_request):
    answer(desk, visit_request, "accepted")
    page = as_ada.get(f"/appointments/{visit_request.fhir_id}/")
    assertContains(page, "/cancel/")
    assertNotContains(page, "/move/")


def test_its_practitioner_declines(client, chen, as_ada, visit_request):
    client.force_login(chen.user)
    assertRedirects(answer(client, visit_request, "declined"), "/staff/today/", fetch_redirect_response=False)
    visit_request.refresh_from_db()
    assert visit_request.status == "cancelled"


def test_the_calendar_shows_it_and_answers_in_its_dialog(desk, visit_request):
    peek = desk.get(f"/staff/visits/{visit_request.fhir_id}/")
    assertContains(peek, "Requested")
    assertContains(peek, f'hx-post="{page_at_work(visit_request)}answer/"')
    answered = answer(desk, visit_request, "accepted", HX_Request="true")
    assert answered.status_code == 204
    assert "The visit is booked" in answered["HX-Trigger"]


def test_an_impossible_answer_is_explained(desk, visit_request):
    answer(desk, visit_request, "accepted")
    answer(desk, visit_request, "declined")
    assertContains(desk.get(page_at_work(visit_request)), "Nobody you can answer for is invited to this visit.")
    assert answer(desk, visit_request, "tentative").status_code == 404
