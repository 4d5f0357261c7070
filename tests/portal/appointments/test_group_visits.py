"""A visit of several patients on the pages: each sees their own visit, leaves it alone, and has a link of their own."""

from dataclasses import replace
from datetime import date

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from scheduling import booking
from scheduling.access import Caller
from scheduling.notifications import links
from scheduling.participants import visit_of_patient
from tests.factories import PatientFactory, UserFactory
from tests.scheduling.situations import wish

pytestmark = pytest.mark.django_db(transaction=True)
SOFTWARE = Caller(client="software", scopes=("system/*.cruds",))


@pytest.fixture
def bo(db):
    return PatientFactory(given="Bo", family="Lindt", birth_date=date(1991, 2, 3), user=UserFactory())


@pytest.fixture
def visit(checkup, schedule, ada, bo, ten):
    """The visit of Ada and Bo at ten."""
    checkup.scheduling_parameters.update(slot_capacity=3)
    participants = tuple({"actor": {"reference": each.reference}, "status": "accepted"} for each in (ada, bo))
    request = replace(wish(checkup, schedule, at=ten, patient=ada), participants=participants)
    return booking.book(request, caller=SOFTWARE, now=timezone.now())


@pytest.fixture
def as_bo(client, bo):
    client.force_login(bo.user)
    return client


def test_each_has_it_among_their_visits_under_their_own_name(as_bo, visit, ada):
    for address in ("/appointments/", f"/appointments/{visit.fhir_id}/"):
        page = as_bo.get(address)
        assertContains(page, "Check-up")
        assertNotContains(page, ada.given)
        assertNotContains(page, ada.family)
    page = as_bo.get(f"/appointments/{visit.fhir_id}/")
    assertContains(page, "Bo Lindt")
    assertContains(page, "Others come to this visit too.")
    assertNotContains(page, "Choose another time")
    assertNotContains(as_bo.get(f"/appointments/{visit.fhir_id}/visit.ics"), "Ada")


def test_a_patient_who_cancels_leaves_alone(as_bo, visit, ada, bo, client):
    answer = as_bo.post(f"/appointments/{visit.fhir_id}/cancel/", {"reason": ""}, follow=True)
    assertContains(answer, "Your visit has been cancelled.")
    assertContains(as_bo.get(f"/appointments/{visit.fhir_id}/"), "Cancelled")
    visit.refresh_from_db()
    assert (visit.status, visit.patient) == ("booked", ada)
    client.force_login(ada.user)
    page = client.get(f"/appointments/{visit.fhir_id}/")
    assertContains(page, "Booked")
    assertNotContains(page, "Others come")


def test_a_link_is_for_one_of_them(client, visit, ada, bo, settings):
    theirs = links.manage_link(visit_of_patient(visit, bo)).removeprefix(settings.SITE_URL)
    other = links.manage_link(visit_of_patient(visit, ada)).removeprefix(settings.SITE_URL)
    born = {"birth_date_day": "3", "birth_date_month": "2", "birth_date_year": "1991"}
    assertNotContains(client.post(other, born), "Check-up")
    assertContains(client.post(theirs, born), "Check-up")
    assertNotContains(client.get(other), "Check-up")
    client.post(f"{theirs}cancel/", {"reason": ""})
    visit.refresh_from_db()
    assert [each["status"] for each in visit.participant][-2:] == ["accepted", "declined"]
    assertContains(client.get(theirs), "Cancelled")
    assertContains(client.get(other), "Booked")


def test_a_link_without_a_name_opens_no_visit_of_several(client, visit):
    alone = links._VISIT.sign(links._short(visit.fhir_id))
    assert client.get(f"/v/{alone}/").status_code == 410


def test_staff_see_who_comes_and_how_many_seats_are_taken(as_rana, visit, schedule, ten):
    page = as_rana.get(f"/staff/appointments/{visit.fhir_id}/")
    assertContains(page, "Comes with")
    assertContains(page, "Bo Lindt")
    start = ten.isoformat()
    group = as_rana.get(f"/staff/groups/{visit.service.fhir_id}/", {"schedule": schedule.fhir_id, "start": start})
    assertContains(group, "2 of 3")
    assertContains(group, "and one other")


def test_a_move_is_not_theirs(as_bo, visit):
    assertRedirects(
        as_bo.get(f"/appointments/{visit.fhir_id}/move/"),
        f"/appointments/{visit.fhir_id}/",
        fetch_redirect_response=False,
    )
