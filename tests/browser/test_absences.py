"""An absence in two browsers: a patient books into the time while the desk records it."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from clinic.models import Appointment
from tests.browser.conftest import DESK, PHONE

AHEAD = timedelta(days=60)  # longer than patients can book


@pytest.fixture
def phone(browser: Browser, clinic, ada, live_server) -> Iterator[Page]:
    """Ada's phone, at the times of a check-up."""
    clinic.questionnaires.clear()
    client = Client()
    client.force_login(ada.user)
    context = browser.new_context(viewport=PHONE, locale="en-US", base_url=live_server.url)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    phone = context.new_page()
    phone.goto(f"/book/{clinic.fhir_id}/")
    yield phone
    context.close()


@pytest.fixture
def desk(page: Page, rana, sign_in) -> Page:
    """The screen of Rana, who is about to say that Dr Chen is away."""
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.goto("/staff/absences/new/")
    today = timezone.now().date()
    page.get_by_label("Who or what is away?").select_option(label="Dr. Mei Chen")
    page.get_by_label("First day").fill(f"{today:%Y-%m-%d}")
    page.get_by_label("Last day").fill(f"{today + AHEAD:%Y-%m-%d}")
    return page


def save(desk: Page) -> None:
    desk.get_by_role("button", name="Block the time and see the visits").click()
    expect(desk.get_by_text("The time is blocked. No new visits are booked in it.")).to_be_visible()


def test_a_time_that_is_held_while_the_absence_is_recorded_is_booked_and_affected(phone: Page, desk: Page):
    phone.locator(".first__time").first.click()
    expect(phone.get_by_text("Held for you until")).to_be_visible()
    save(desk)
    expect(desk.get_by_role("heading", name="No visit is affected")).to_be_visible()
    phone.get_by_role("button", name=re.compile("^Confirm ")).click()
    expect(phone.get_by_role("heading", name="Your visit is booked")).to_be_visible()
    desk.reload()
    expect(desk.get_by_role("heading", name="1 visit is affected")).to_be_visible()
    expect(desk.get_by_role("link", name="Ada Quinn", exact=True)).to_be_visible()


def test_a_time_that_is_chosen_after_the_absence_is_recorded_is_refused_with_words(phone: Page, desk: Page):
    save(desk)
    phone.locator(".first__time").first.click()
    expect(phone.get_by_text(re.compile("That time (has just been taken|is no longer free)"))).to_be_visible()
    assert not Appointment.objects.exists()
