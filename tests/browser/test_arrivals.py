"""Checking in on the day: on a phone by the QR code of the visit, and by the poster without JavaScript."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from clinic.models import Appointment, Schedule
from portal.common import qr_codes
from scheduling import booking
from scheduling.access import Caller
from scheduling.notifications import links
from tests.browser.conftest import PHONE
from tests.factories import AppointmentFactory

BORN = (("Day", "4"), ("Month", "7"), ("Year", "1990"))


@pytest.fixture
def visit(clinic, ada, site):
    """Ada's visit, which begins now."""
    ada.birth_date, ada.email = date(1990, 7, 4), "ada@example.com"
    ada.save()
    now = timezone.now().replace(second=0, microsecond=0)
    end = now + timedelta(minutes=20)
    return AppointmentFactory(
        patient=ada, service=clinic, site=site, start=now, end=end, schedules=[Schedule.objects.get()]
    )


def scanned(page: Page, address: str) -> str:
    """The path that a phone opens which scans the code on the page: the drawing is that of the address."""
    drawing = page.locator(".qr-code path").last.get_attribute("d")
    assert drawing is not None
    assert drawing in qr_codes.drawing(address, "")
    return "/" + address.split("/", 3)[3]


def give_birth_date(page: Page) -> None:
    for label, number in BORN:
        page.get_by_label(label).fill(number)


def test_a_patient_checks_in_by_the_code_of_the_visit(page: Page, visit, ada, sign_in, browser: Browser, base_url):
    sign_in(ada.user)
    page.goto(f"/appointments/{visit.fhir_id}/")
    page.get_by_text("Code for the front desk").click()
    expect(page.get_by_role("img", name="QR code to check in")).to_be_visible()
    address = scanned(page, links.check_in_link(visit))

    phone = browser.new_context(viewport=PHONE, base_url=base_url).new_page()
    phone.goto(address)
    give_birth_date(phone)
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_role("button", name="I am here").click()
    expect(phone.get_by_text("You are next.")).to_be_visible()
    assert Appointment.objects.get().status == "arrived"

    clerk = Caller(client="desk", scopes=("system/*.cruds",))
    booking.change_status(visit.fhir_id, "checked-in", caller=clerk, now=timezone.now())
    phone.get_by_role("link", name="Check again").click()
    expect(phone.get_by_text("It is your turn.")).to_be_visible()
    phone.context.close()


def test_a_patient_checks_in_by_the_poster_without_javascript(
    page: Page, visit, site, rana, sign_in, browser, base_url
):
    sign_in(rana)
    page.goto(f"/staff/sites/{site.fhir_id}/check-in/")
    address = scanned(page, links.arrival_link(site))

    context = browser.new_context(viewport=PHONE, base_url=base_url, java_script_enabled=False)
    phone = context.new_page()
    phone.goto(address)
    give_birth_date(phone)
    phone.get_by_label("Phone number, email").fill("nobody@example.com")
    phone.get_by_role("button", name="Find my visit").click()
    expect(phone.get_by_text("We found no visit here today")).to_be_visible()
    phone.get_by_label("Phone number, email").fill("ada@example.com")
    phone.get_by_role("button", name="Find my visit").click()
    expect(phone.get_by_text("Check-up")).to_have_count(0)
    phone.get_by_role("button", name="I am here").click()
    expect(phone.get_by_role("heading", name="You are checked in")).to_be_visible()
    assert Appointment.objects.get().status == "arrived"
    context.close()
