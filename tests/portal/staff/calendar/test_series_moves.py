"""Visits of a series moved from the calendar: this one, this and the following, or all that are to come."""

import json
from datetime import timedelta

import pytest
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Appointment
from tests.factories import AppointmentFactory, ScheduleFactory, SlotFactory

pytestmark = pytest.mark.django_db
DIALOG = {"HX-Request": "true"}
WEEK = timedelta(weeks=1)


@pytest.fixture
def series(as_rana, schedule, checkup, ada, ten):
    """Ada's three visits at ten, a week apart."""
    posted = {
        "calendar": schedule.fhir_id,
        "service": checkup.fhir_id,
        "patient": ada.fhir_id,
        "date": ten.date().isoformat(),
        "time": f"{ten:%H:%M}",
        "visits": "3",
        "weeks": "1",
    }
    assert as_rana.post("/staff/visits/new/", posted, headers=DIALOG).status_code == 204
    return list(Appointment.objects.order_by("start"))


def move(client, visit, schedule, day, time, which="", **more):
    visit.refresh_from_db()
    posted = {
        "calendar": schedule.fhir_id,
        "date": day.isoformat(),
        "time": time,
        "minutes": "30",
        "version": visit.version,
        "which": which,
        **more,
    }
    return client.post(f"/staff/visits/{visit.fhir_id}/move/", posted, headers=DIALOG)


def clocks(series, zone):
    starts = Appointment.objects.filter(pk__in=[visit.pk for visit in series]).order_by("start").values_list("start")
    return [f"{start.astimezone(zone):%H:%M}" for (start,) in starts]


def test_the_form_of_a_visit_of_a_series_asks_what_moves(as_rana, series, visit_alone):
    page = as_rana.get(f"/staff/visits/{series[1].fhir_id}/move/", headers=DIALOG)
    assertContains(page, "This and 1 following visit")
    assertContains(page, "All 3 upcoming visits")
    assertNotContains(as_rana.get(f"/staff/visits/{visit_alone.fhir_id}/move/", headers=DIALOG), "Only this visit")


@pytest.fixture
def visit_alone(checkup, schedule, site, ten, elena):
    start = ten + timedelta(hours=3)
    return AppointmentFactory(
        patient=elena, service=checkup, start=start, end=start + timedelta(minutes=30), schedules=[schedule], site=site
    )


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("", ["10:00", "11:00", "10:00"]),
        ("this-and-following", ["10:00", "11:00", "11:00"]),
        ("all", ["11:00", "11:00", "11:00"]),
    ],
)
def test_as_many_move_as_were_chosen(as_rana, series, schedule, ten, which, expected):
    moved = move(as_rana, series[1], schedule, (ten + WEEK).date(), "11:00", which)
    assert moved.status_code == 204
    assert clocks(series, ten.tzinfo) == expected


def test_they_move_to_another_calendar_together_and_back(as_rana, series, schedule, checkup, site, ten):
    other = ScheduleFactory(services=[checkup], site=site)
    moved = move(as_rana, series[0], other, ten.date(), "10:00", "all")
    assert {slot.schedule for visit in series for slot in visit.slots.filter(deleted_at=None)} == {other}
    assert "3 visits" in moved.headers["HX-Trigger"]
    undo = json.loads(moved.headers["HX-Trigger"])["calendar:done"]["undo"]
    assert as_rana.post(undo["url"], undo["fields"], headers=DIALOG).status_code == 204
    assert {slot.schedule for visit in series for slot in visit.slots.filter(deleted_at=None)} == {schedule}


def test_if_one_new_time_is_taken_all_are_shown_first_and_nothing_moves(as_rana, series, schedule, ten):
    taken = ten.replace(tzinfo=None) + 2 * WEEK + timedelta(hours=1)
    start = taken.replace(tzinfo=ten.tzinfo)
    SlotFactory(schedule=schedule, start=start, end=start + timedelta(minutes=30))
    asked = move(as_rana, series[0], schedule, ten.date(), "11:00", "all")
    page = as_rana.get(asked.headers["HX-Redirect"])
    assertContains(page, "Move these visits?")
    assert len(page.context["moves"]) == 3
    assert clocks(series, ten.tzinfo) == ["10:00", "10:00", "10:00"]


def test_a_series_that_somebody_else_moved_meanwhile_is_not_moved(as_rana, series, schedule, ten):
    stale = series[0].version
    move(as_rana, series[0], schedule, ten.date(), "12:00")
    refused = move(as_rana, series[0], schedule, ten.date(), "11:00", "all", version=stale)
    assertContains(refused, "Someone else has changed this visit", status_code=422)
    assert clocks(series, ten.tzinfo) == ["12:00", "10:00", "10:00"]
