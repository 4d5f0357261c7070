"""A walk-in at the desk: from the board to the room, and from the calendar, with its undo."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from clinic.models import Appointment
from tests.browser.conftest import DESK
from tests.factories import PatientFactory, RoomFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.races.arena import ALWAYS_OPEN


@pytest.fixture
def at_noon(site):
    """Let it be about noon at the site, whatever the hour of the test."""
    ahead = datetime.now(UTC).hour - 12
    site.timezone = f"Etc/GMT{ahead:+d}"  # with the sign that POSIX gives it
    site.save()


@pytest.fixture
def urgent(at_noon, chen, site):
    urgent = ServiceFactory(name="Urgent visit", hours=ALWAYS_OPEN, duration=20, interval=20)
    ScheduleFactory(actor=chen, services=[urgent], site=site)
    ScheduleFactory(actor=RoomFactory(name="Room 2", part_of=site), services=[], site=site)
    return urgent


def test_a_walk_in_is_booked_by_one_press_called_to_a_room_and_taken_back(
    page: Page, urgent, chen, rana, sign_in, violations
):
    PatientFactory(given="Elena", family="Marquez")
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.goto("/staff/today/")
    page.get_by_role("link", name="Walk-in").click()
    page.get_by_label("Find a patient").fill("Marquez")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("radio", name="Elena Marquez").check()
    page.get_by_role("button", name="Dr. Mei Chen").click()
    expect(page.get_by_text("Elena Marquez is booked for")).to_be_visible()
    visit = Appointment.objects.get()
    assert visit.status == "arrived"
    page.get_by_role("link", name="Room…").click()
    page.get_by_role("radio", name="Room 2").check()
    page.get_by_role("button", name="In room").click()
    expect(page.get_by_role("region", name="In room")).to_contain_text("Room 2")
    assert not violations


def test_in_the_calendar_it_is_a_dialog_with_undo(page: Page, urgent, chen, rana, sign_in):
    PatientFactory(given="Elena", family="Marquez")
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.goto("/staff/")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Walk-in").click()
    page.get_by_label("Find a patient").press_sequentially("Marquez")
    page.get_by_role("radio", name="Elena Marquez").check()
    page.get_by_role("button", name="Dr. Mei Chen").click()
    expect(page.get_by_text("marked as arrived")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    assert Appointment.objects.get().status == "entered-in-error"
