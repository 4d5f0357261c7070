"""The worklist in a browser: short on a phone, and back at the same place after each action."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Schedule
from tests.browser.conftest import DESK
from tests.factories import AppointmentFactory, CommunicationFactory, PatientFactory


@pytest.fixture
def visits(clinic, site):
    """Twelve visits that are not confirmed, and a message that could not be sent."""
    soon, schedule = timezone.now() + timedelta(hours=20), Schedule.objects.get()
    made = [
        AppointmentFactory(
            patient=PatientFactory(given="Patient", family=f"Number {n:02}"),
            service=clinic,
            site=site,
            start=soon + n * timedelta(minutes=30),
            schedules=[schedule],
        )
        for n in range(12)
    ]
    CommunicationFactory(appointment=made[0], status="not-done", attempts=5, status_reason="Refused")
    return made


def test_a_phone_shows_the_kinds_first_and_returns_to_the_next_item(page: Page, visits, rana, sign_in):
    sign_in(rana)
    page.goto("/staff/to-do/")
    unconfirmed = page.get_by_role("region", name="Not confirmed yet")
    expect(unconfirmed.get_by_role("heading", name="Not confirmed yet 12")).to_be_visible()
    eighth = unconfirmed.get_by_role("button", name=re.compile("They will come ?: Patient Number 07"))
    expect(eighth).to_be_hidden()
    unconfirmed.get_by_text("Show them").click()
    eighth.click()
    expect(page.get_by_text("Recorded: Patient Number 07 will come.")).to_be_in_viewport()
    expect(
        unconfirmed.get_by_role("button", name=re.compile("They will come ?: Patient Number 08"))
    ).to_be_in_viewport()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_in_viewport()
    expect(unconfirmed.get_by_role("button", name=re.compile("They will come ?: Patient Number 07"))).to_be_visible()


def test_a_wide_page_shows_all_at_once(page: Page, visits, rana, sign_in):
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.goto("/staff/to-do/")
    expect(page.get_by_text("Show them").first).to_be_hidden()
    expect(page.get_by_role("button", name=re.compile("They will come ?: Patient Number 07"))).to_be_visible()
