"""The room that staff name when a patient comes or is called: on the board, the visit, and the patient's own page."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from tests.factories import AppointmentFactory, RoomFactory, ScheduleFactory, SlotFactory

pytestmark = pytest.mark.django_db
DIALOG = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def five_to_ten(monkeypatch, ten):
    """Five to ten in New York on some day: no test comes near midnight."""
    now = ten - timedelta(minutes=5)
    monkeypatch.setattr(timezone, "now", lambda: now.astimezone(UTC))
    return now


@pytest.fixture
def rooms(site):
    return [ScheduleFactory(actor=RoomFactory(name=f"Room {number}", part_of=site), site=site) for number in (1, 2)]


@pytest.fixture
def address(visit):
    return f"/staff/appointments/{visit.fhir_id}/room/"


def give(client, address, visit, room, headers=None, **more):
    visit.refresh_from_db()
    return client.post(address, {"version": visit.version, "room": room.fhir_id, **more}, headers=headers)


def test_calling_names_the_room_to_staff_and_to_the_patient(as_rana, visit, rooms, address, client, ada):
    board = f"/staff/today/?site={visit.site.fhir_id}"
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), address)
    assertRedirects(
        give(as_rana, f"{address}?back={board}", visit, rooms[0], status="arrived"),
        board,
        fetch_redirect_response=False,
    )
    page = as_rana.get(board)
    assertContains(page, "Room 1")
    assertContains(page, address)
    give(as_rana, address, visit, rooms[1], status="checked-in")
    assertContains(as_rana.get(board), "Room 2")
    assertContains(as_rana.get(f"/staff/visits/{visit.fhir_id}/", headers=DIALOG), "Room 2")
    assertContains(as_rana.get(f"/staff/appointments/{visit.fhir_id}/"), "Room given")
    client.force_login(ada.user)
    assertContains(client.get(f"/appointments/{visit.fhir_id}/check-in/"), "Your room: Room 2")


def test_only_free_rooms_are_offered_and_a_lost_one_is_refused_with_those_left(as_chen, visit, rooms, address, ten):
    visit.status = "arrived"
    visit.save()
    assert [each[0] for each in as_chen.get(address).context["form"].fields["room"].choices] == [
        "",
        *(room.fhir_id for room in rooms),
    ]
    SlotFactory(schedule=rooms[0], start=ten, end=ten + timedelta(minutes=10))
    refused = give(as_chen, address, visit, rooms[0], headers=DIALOG)
    assert refused.status_code == 422
    assert [each[0] for each in refused.context["form"].fields["room"].choices] == ["", rooms[1].fhir_id]


def test_a_change_in_between_is_shown_and_not_overwritten(as_rana, visit, rooms, address):
    give(as_rana, address, visit, rooms[0], status="arrived")
    stale = as_rana.post(address, {"version": 1, "room": rooms[1].fhir_id})
    assertContains(stale, "Someone else has changed this visit", status_code=422)
    assert stale.context["form"]["room"].value() == rooms[0].fhir_id


def test_a_visit_of_another_day_has_no_room_yet(as_rana, visit, rooms, address, ten, checkup, schedule, site, ada):
    tomorrow = AppointmentFactory(
        patient=ada, service=checkup, site=site, schedules=[schedule], start=ten + timedelta(days=1)
    )
    page = as_rana.get(f"/staff/appointments/{tomorrow.fhir_id}/room/")
    assertContains(page, "A room is given on the day of the visit")
    assertNotContains(page, '<form method="post" action="/staff/appointments')


def test_a_site_without_rooms_says_so_and_its_board_has_no_link(as_rana, visit, address, site):
    visit.status = "arrived"
    visit.save()
    assertContains(as_rana.get(address), "No room with a calendar at this site is free now.")
    assertNotContains(as_rana.get(f"/staff/today/?site={site.fhir_id}"), address)
