"""A course of visits across a change of the clocks: by a guest on a phone without JavaScript, and by an account."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from clinic.models import Appointment
from tests.browser.conftest import PHONE
from tests.browser.guests import prove_the_address, say_who

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(autouse=True)
def course(clinic):
    clinic.questionnaires.clear()
    clinic.course_limit = 6
    clinic.save()


@pytest.fixture
def day_before() -> date:
    """A day less than a week before the next change of the clocks in New York, and not today."""
    first = timezone.now().astimezone(NEW_YORK).date() + timedelta(days=2)
    days = (first + timedelta(days=number) for number in range(400))
    return next(day for day in days if _offset(day) != _offset(day + timedelta(days=5)))


def _offset(day: date) -> timedelta | None:
    return datetime.combine(day, time(12), NEW_YORK).utcoffset()


def choose_three_visits(page: Page, clinic, day: date) -> None:
    page.goto(f"/book/{clinic.fhir_id}/?date={day}")
    page.get_by_text("Book several visits at once").click()
    page.get_by_label("How many visits").select_option("3")
    page.get_by_label("How often").select_option("1")
    page.get_by_role("button", name="Choose the first time").click()
    expect(page.get_by_text("3 visits, every week: choose the time of the first one.")).to_be_visible()
    page.locator(".times .time").nth(3).click()
    expect(page.get_by_role("heading", name="Check your visits")).to_be_visible()
    page.get_by_role("button", name="Hold these visits").click()
    expect(page.get_by_text("Held for you until")).to_be_visible()


def confirm_all(page: Page) -> None:
    page.get_by_role("button", name="Confirm all 3 visits").click()
    expect(page.get_by_role("heading", name="Your visits are booked")).to_be_visible()


def require_one_local_time(day: date, statuses: list[str]) -> None:
    """Each visit is at one local time, on the same weekday; the clocks change between the first and the second."""
    visits = list(Appointment.objects.order_by("occurrence"))
    local = [visit.start.astimezone(NEW_YORK) for visit in visits]
    assert [start.date() for start in local] == [day + timedelta(weeks=week) for week in range(3)]
    assert len({start.time() for start in local}) == 1
    assert local[0].utcoffset() != local[1].utcoffset()
    assert [visit.status for visit in visits] == statuses


def test_a_guest_on_a_phone_without_javascript(browser: Browser, base_url, clinic, day_before):
    context = browser.new_context(java_script_enabled=False, viewport=PHONE, locale="en-US", base_url=base_url)
    page = context.new_page()
    choose_three_visits(page, clinic, day_before)
    say_who(page)
    page.get_by_role("button", name="Continue").click()
    prove_the_address(page)
    confirm_all(page)
    require_one_local_time(day_before, ["booked", "booked", "booked"])
    assert page.get_by_text("9:45").count() >= 3
    context.close()


def test_with_an_account_which_cancels_this_and_the_following(page: Page, clinic, ada, sign_in, day_before):
    sign_in(ada.user)
    choose_three_visits(page, clinic, day_before)
    confirm_all(page)
    page.get_by_role("link", name=re.compile(", 9:45")).first.click()
    expect(page.get_by_role("heading", name="Change several visits at once")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Cancel.*This and 1 following visit")).click()
    page.get_by_role("button", name="Cancel 2 visits").click()
    expect(page.get_by_text("2 visits have been cancelled.")).to_be_visible()
    require_one_local_time(day_before, ["booked", "cancelled", "cancelled"])
