"""An extra visit, which staff book on the calendar at a time that is taken."""

from datetime import timedelta

import pytest
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment
from tests.factories import AppointmentFactory, PatientFactory, SlotFactory

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/staff/visits/new/"
DIALOG = {"HX-Request": "true"}
OFFER = "Book an extra visit"


@pytest.fixture
def taken(schedule, checkup, site, ten, ada):
    end = ten + timedelta(minutes=30)
    return AppointmentFactory(patient=ada, service=checkup, start=ten, end=end, schedules=[schedule], site=site)


@pytest.fixture
def typed(taken, schedule, checkup, ten):
    return {
        "calendar": schedule.fhir_id,
        "service": checkup.fhir_id,
        "patient": PatientFactory(given="Nell", family="Ibarra").fhir_id,
        "date": f"{ten:%Y-%m-%d}",
        "time": f"{ten:%H:%M}",
    }


def test_it_is_offered_where_only_a_visit_is_in_the_way_booked_with_a_reason_and_marked(as_rana, typed, ten):
    assertContains(as_rana.post(NEW, typed, headers=DIALOG), OFFER, status_code=422)
    without_reason = as_rana.post(NEW, {**typed, "extra": "1"}, headers=DIALOG)
    assertContains(without_reason, "Enter the reason.", status_code=422)
    assertContains(without_reason, OFFER, status_code=422)
    assertContains(without_reason, "Reason for the extra visit", status_code=422)
    assert as_rana.post(NEW, {**typed, "extra": "1", "override": "In pain"}, headers=DIALOG).status_code == 204
    visit = Appointment.objects.get(patient__family="Ibarra")
    assert visit.slots.get().seat == -1
    page = as_rana.get("/staff/agenda/", {"date": typed["date"]})
    assertContains(page, "Extra visit", count=1)
    board = as_rana.get("/staff/today/", {"date": typed["date"]})
    assertContains(board, "Extra visit", count=1)
    assertNotContains(board, " of 1")  # it is no group


def test_it_is_not_offered_in_blocked_time(as_rana, typed, schedule, taken):
    SlotFactory(schedule=schedule, status="busy-unavailable", lies_under=True, start=taken.start, end=taken.end)
    assertNotContains(as_rana.post(NEW, typed, headers=DIALOG), OFFER, status_code=422)


def test_a_calendar_without_extra_visits_says_so(as_rana, typed, schedule):
    schedule.extra_limit = 0
    schedule.save()
    refused = as_rana.post(NEW, {**typed, "extra": "1", "override": "In pain"}, headers=DIALOG)
    assertContains(refused, "No more extra visits on that day:", status_code=422)
