"""Blocks, which are times without visits."""

from datetime import timedelta

import pytest
from pytest_django.asserts import assertContains

from clinic.models import Slot
from tests.factories import AppointmentFactory, ScheduleFactory, SlotFactory

pytestmark = pytest.mark.django_db(transaction=True)
DIALOG = {"HX-Request": "true"}


@pytest.fixture
def block(as_rana, schedule, ten):
    def blocked(**more):
        sent = {"calendar": schedule.fhir_id, "reason": "lunch", "first": ten.date().isoformat()}
        return as_rana.post("/staff/blocks/new/", {**sent, "start": "12:00", "end": "13:00", **more}, headers=DIALOG)

    return blocked


def test_an_hour(block, schedule, ten):
    assert block(note="with Sam").status_code == 204
    slot = Slot.objects.get()
    assert (slot.status, slot.comment, slot.schedule) == ("busy-unavailable", "Lunch: with Sam", schedule)
    assert slot.start == ten.replace(hour=12)


def test_whole_days_are_days_of_the_site(block, ten):
    last = ten.date() + timedelta(days=1)
    assert block(reason="leave", all_day="on", last=last.isoformat(), start="", end="").status_code == 204
    slot = Slot.objects.get()
    assert slot.start == ten.replace(hour=0)
    assert slot.end == ten.replace(hour=0) + timedelta(days=2)


def test_every_week_is_counted_before_it_is_written(block, ten):
    until = (ten.date() + timedelta(days=21)).isoformat()
    repeated = {"weekdays": [str(ten.weekday())], "until": until}
    assertContains(block(**repeated), "4 blocks, from")
    assert not Slot.objects.exists()
    assert block(**repeated, save="1").status_code == 204
    assert Slot.objects.count() == 4


def test_visits_in_the_way_are_shown_and_stay(block, schedule, checkup, elena, ten):
    start = ten.replace(hour=12)
    end = start + timedelta(minutes=20)
    AppointmentFactory(patient=elena, service=checkup, start=start, end=end, schedules=[schedule])
    answer = block()
    assertContains(answer, "Elena Maria Marquez")
    assertContains(answer, "Block only the free time")
    assert Slot.objects.filter(appointment=None).count() == 0
    assert block(save="1", around="on").status_code == 204
    slot = Slot.objects.get(appointment=None)
    assert (slot.start, slot.end, slot.lies_under) == (start, ten.replace(hour=13), True)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"end": "11:00"}, "The end must be after the start"),
        ({"end": ""}, "Enter a time, or choose all day."),
        ({"first": ""}, "Enter the first day."),
        ({"weekdays": ["0"]}, "Enter the last day of the repeat."),
        ({"reason": "other"}, "Say in a few words what it is for."),
    ],
)
def test_errors_are_shown_beside_their_fields(block, given, text):
    assertContains(block(**given), text, status_code=422)


def test_a_repeated_block_is_taken_away_in_part(as_rana, block, ten):
    until = (ten.date() + timedelta(days=21)).isoformat()
    block(weekdays=[str(ten.weekday())], until=until, save="1")
    slots = list(Slot.objects.order_by("start"))
    page = as_rana.get(f"/staff/blocks/{slots[1].fhir_id}/")
    assertContains(page, "This and those after it")
    as_rana.post(f"/staff/blocks/{slots[0].fhir_id}/", {"extent": "one"}, headers=DIALOG)
    assert Slot.objects.filter(deleted_at=None).count() == 3
    as_rana.post(f"/staff/blocks/{slots[2].fhir_id}/", {"extent": "following"}, headers=DIALOG)
    assert list(Slot.objects.filter(deleted_at=None)) == [slots[1]]


def test_only_on_calendars_they_work_by(client, chen, schedule, checkup, site):
    colleague = ScheduleFactory(services=[checkup], site=site)
    block = SlotFactory(schedule=colleague, status="busy-unavailable")
    client.force_login(chen.user)
    sent = {
        "calendar": colleague.fhir_id,
        "reason": "lunch",
        "first": "2026-12-01",
        "start": "12:00",
        "end": "13:00",
    }
    assert client.post("/staff/blocks/new/", sent).status_code == 404
    assert client.post(f"/staff/blocks/{block.fhir_id}/", {"extent": "one"}).status_code == 404


def test_it_is_a_page_of_its_own_too(as_rana, schedule):
    assertContains(as_rana.get("/staff/blocks/new/"), "<h1>Block time</h1>")


def test_a_block_is_one_entry_that_the_grid_draws_round_the_visits_on_it(as_rana, block, schedule, checkup, elena, ten):
    start = ten.replace(hour=12, minute=20)
    end = start + timedelta(minutes=20)
    AppointmentFactory(patient=elena, service=checkup, start=start, end=end, schedules=[schedule])
    block(save="1", around="on")
    slot = Slot.objects.get(appointment=None)
    week = {"start": ten.date(), "end": ten.date() + timedelta(days=1)}
    drawn = [
        (each["start"][11:16], each["end"][11:16], each["extendedProps"]["href"])
        for each in as_rana.get("/staff/calendar/events/", week).json()
        if each["extendedProps"]["kind"] == "block"
    ]
    address = f"/staff/blocks/{slot.fhir_id}/"
    assert drawn == [("12:00", "12:20", address), ("12:40", "13:00", address)]
    assertContains(as_rana.get("/staff/agenda/", {"date": ten.date()}), address, count=1)
