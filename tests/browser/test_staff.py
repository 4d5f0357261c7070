"""Dr Chen looks at the day and the week."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Schedule
from tests.browser.conftest import DESK
from tests.factories import NEW_YORK, AppointmentFactory, PatientFactory


def test_the_day_and_the_week(page: Page, clinic, chen, site, sign_in, violations):
    today = timezone.now().astimezone(ZoneInfo(NEW_YORK)).date()
    noon = datetime.combine(today, time(12), ZoneInfo(NEW_YORK))
    elena = PatientFactory(given="Elena", family="Marquez")
    AppointmentFactory(
        patient=elena,
        service=clinic,
        start=noon,
        end=noon + timedelta(minutes=30),
        schedules=[Schedule.objects.get()],
        site=site,
    )
    sign_in(chen.user)
    page.set_viewport_size(DESK)
    page.goto("/staff/")
    expect(page.get_by_role("heading", name="Elena Marquez")).to_be_visible()
    expect(page.get_by_text("Now, ")).to_be_visible()
    page.get_by_role("link", name="Week", exact=True).click()
    expect(page.get_by_role("heading", name="Elena Marquez")).to_be_visible()
    page.get_by_role("link", name="Next week").click()
    expect(page.get_by_role("heading", name="Elena Marquez")).to_have_count(0)
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_role("heading", name="Elena Marquez")).to_be_visible()
    assert not violations


def test_the_menu_closes_on_escape(page: Page, clinic, chen, sign_in):
    sign_in(chen.user)
    page.goto("/staff/")
    page.locator("summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(page.locator("summary")).to_be_focused()
