"""The staff's page of one visit."""

import json
from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic import time_text
from clinic.models import AuditEvent
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import offerings_of
from tests.factories import CoverageFactory, LocationFactory, UserFactory

pytestmark = pytest.mark.django_db

TODAY = "?back=%2Fstaff%2Ftoday%2F"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def visit(visit):
    visit.comment = "Back pain"
    visit.save()
    return visit


@pytest.fixture
def address(visit):
    return f"/staff/appointments/{visit.fhir_id}/"


@pytest.fixture
def desk(client, site):
    client.force_login(UserFactory(desk_locations=[site], first_name="Rana", last_name="Desk"))
    return client


def test_it_tells_who_and_why(desk, address, ada):
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    CoverageFactory(beneficiary=ada, subscriber_id="M-17")
    page = desk.get(address)
    for text in (ada.family, "July 4, 1990", "Back pain", "M-17", "Check-up"):
        assertContains(page, text)


def test_its_history_says_who_did_what_and_why(desk, address, visit):
    now = timezone.now()
    user = UserFactory(first_name="Rana", last_name="Haddad")
    AuditEvent.objects.create(
        appointment=visit, user=user, subtype="reschedule", action="U", reason="He asked for it",
        recorded=now, last_updated=now,
    )  # fmt: skip
    page = desk.get(address)
    assertContains(page, "Moved, Rana Haddad")
    assertContains(page, "A rule was overridden: He asked for it")


def test_its_history_says_from_when_to_when_it_was_moved(desk, address, visit, schedule, checkup, ten):
    later = ten + timedelta(days=1, hours=4)
    offerings = offerings_of(checkup, [schedule.fhir_id])
    caller = Caller(user=UserFactory(is_superuser=True))
    booking.reschedule(
        visit.fhir_id, booking.RescheduleRequest(offerings=offerings, start=later), caller=caller, now=timezone.now()
    )
    assertContains(desk.get(address), f"From {time_text.day_and_time(ten)} to {time_text.day_and_time(later)}")


def test_before_its_day_it_offers_no_steps(desk, address):
    page = desk.get(address)
    assertNotContains(page, 'value="arrived"')
    assertContains(page, "Move…")


def test_it_offers_the_next_steps(desk, address, visit):
    visit.start, visit.end = (moment - timedelta(days=3) for moment in (visit.start, visit.end))
    visit.save()
    assertContains(desk.get(address), 'value="arrived"')
    assertRedirects(
        desk.post(f"{address}step/", {"status": "arrived", "returns": "/staff/today/"}), f"{address}{TODAY}"
    )
    page = desk.get(address)
    assertContains(page, 'value="checked-in"')
    assertContains(page, "Back to Booked")


def test_cancelling_needs_a_reason(desk, address, visit):
    assertContains(desk.post(f"{address}cancel/", {"tell": "on"}), "Enter why it is cancelled.")
    assertRedirects(desk.post(f"{address}cancel/", {"reason": "Doctor is ill"}), f"{address}{TODAY}")
    visit.refresh_from_db()
    assert (visit.status, visit.cancelation_reason) == ("cancelled", {"text": "Doctor is ill"})


def test_a_practitioner_whose_visit_is_cancelled_goes_back_to_the_day(client, address, chen):
    client.force_login(chen.user)
    assertRedirects(client.post(f"{address}cancel/", {"reason": "Doctor is ill"}), "/staff/today/")


@pytest.mark.parametrize(
    ("came_from", "leads_to", "word"),
    [
        ("/staff/week/?date=2027-03-08&calendars=a", "/staff/week/?date=2027-03-08&amp;calendars=a", "Calendar"),
        ("/staff/to-do/", "/staff/to-do/", "To do"),
        ("/staff/today/?date=2027-03-08", "/staff/today/?date=2027-03-08", "Visits of the day"),
        ("/staff/hours/", "/staff/today/", "Today"),
        ("", "/staff/today/", "Today"),
    ],
)
def test_back_leads_to_the_list_that_one_came_from(desk, address, came_from, leads_to, word):
    referer = {"Referer": f"http://testserver{came_from}"} if came_from else {}
    way = f'<a href="{leads_to}"><svg'
    page = desk.get(address, headers=referer)
    assertContains(page, way)
    assert page.context["returns"].word == word
    page = desk.get(f"{address}cancel/", {"back": came_from})
    assertContains(page, f'name="back" value="{leads_to}"')


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/staff/today/", "//elsewhere.example/", "/admin/", "x"]
)
def test_back_leads_nowhere_else(desk, address, elsewhere):
    page = desk.get(address, {"back": elsewhere}, headers={"Referer": elsewhere})
    assert page.context["returns"].address == "/staff/today/"


def test_cancelling_leads_back_to_where_one_came_from(desk, address):
    week = "/staff/week/?date=2027-03-08"
    answer = desk.post(f"{address}cancel/", {"reason": "Doctor is ill", "back": week})
    assertContains(desk.get(answer["Location"]), f'<a href="{week}">')


def test_in_the_calendar_a_visit_is_cancelled_without_leaving_it(desk, address, visit):
    assertContains(desk.get(f"/staff/visits/{visit.fhir_id}/", headers=HTMX), 'cancel/" data-dialog')
    form = desk.get(f"{address}cancel/", headers=HTMX)
    assertContains(form, "Why is it cancelled?")
    assertNotContains(form, "<html")
    refused = desk.post(f"{address}cancel/", {"tell": "on"}, headers=HTMX)
    assertContains(refused, "Enter why it is cancelled.", status_code=422)
    answer = desk.post(f"{address}cancel/", {"reason": "Doctor is ill"}, headers=HTMX)
    assert answer.status_code == 204
    undo = json.loads(answer["HX-Trigger"])["calendar:done"]["undo"]
    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert desk.post(undo["url"], undo["fields"], headers=HTMX).status_code == 204
    visit.refresh_from_db()
    assert visit.status == "booked"
    assertContains(desk.post(undo["url"], headers=HTMX), "The visit stays cancelled", status_code=422)


def test_a_cancellation_is_undone_on_the_visits_page(desk, address, visit):
    assertNotContains(desk.get(address), "Undo the cancellation")
    desk.post(f"{address}cancel/", {"reason": "Doctor is ill"})
    assertContains(desk.get(address), "Undo the cancellation")
    answer = desk.post(f"{address}restore/", {"back": "/staff/to-do/"}, follow=True)
    for message in ("The visit is booked again.", "Cancellation undone", '<a href="/staff/to-do/">'):
        assertContains(answer, message)


def test_a_past_visit_cannot_be_cancelled(desk, address, visit):
    visit.status = "fulfilled"
    visit.save()
    assertRedirects(desk.get(f"{address}cancel/"), f"{address}{TODAY}")


@pytest.mark.parametrize(("tell", "message"), [("on", 1), ("", 0)])
def test_the_patient_gets_a_message_if_it_is_ticked(desk, address, visit, tell, message):
    desk.post(f"{address}cancel/", {"reason": "Doctor is ill", "tell": tell})
    assert visit.communications.filter(event="cancellation", medium="email").count() == message


@pytest.mark.parametrize("who", ["ada", "other desk"])
def test_other_callers_do_not_see_the_visit(client, address, ada, who):
    client.force_login(ada.user if who == "ada" else UserFactory(desk_locations=[LocationFactory()]))
    assert client.get(address).status_code in (403, 404)
    assert client.post(f"{address}cancel/", {"reason": "x"}).status_code in (403, 404)


def test_it_asks_a_constant_number_of_questions(desk, address, visit, django_assert_max_num_queries):
    with django_assert_max_num_queries(25) as few:
        desk.get(address)
    now = timezone.now()
    for _ in range(5):
        AuditEvent.objects.create(appointment=visit, subtype="amend", action="U", recorded=now, last_updated=now)
    with django_assert_max_num_queries(len(few)):
        desk.get(address)
