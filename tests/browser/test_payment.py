"""Paying on the provider's page, and back: on a phone without JavaScript, and after the hold ran out."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from clinic.models import Appointment, HealthcareService, Payment, Schedule
from tests.browser.conftest import PHONE
from tests.factories import PatientFactory
from tests.payment_provider import running
from tests.scheduling.situations import book, monday, run_out, wish


@pytest.fixture
def local(settings, live_server):
    settings.SITE_URL = live_server.url
    with running(settings, f"{live_server.url}/payments/stripe/") as provider:
        yield provider


@pytest.fixture
def paid_clinic(clinic):
    clinic.questionnaires.clear()
    clinic.pricing, clinic.price, clinic.prepayment = "fixed", 4000, "whole"
    clinic.save()
    return clinic


def go_to_the_provider(page: Page, service: HealthcareService) -> None:
    page.goto(f"/book/{service.fhir_id}/")
    page.locator(".first__time").first.click()
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_label("I agree to this.").check()
    page.get_by_role("button", name="Continue to payment").click()
    expect(page.get_by_role("heading", name="Test payment")).to_be_visible()
    expect(page.get_by_text("No money moves")).to_be_visible()


@pytest.fixture
def phone(browser: Browser, live_server, client, ada):
    """Ada's phone, without JavaScript."""
    context = browser.new_context(base_url=live_server.url, viewport=PHONE, java_script_enabled=False)
    client.force_login(ada.user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_a_patient_pays_on_a_phone_without_javascript(phone: Page, paid_clinic, local):
    go_to_the_provider(phone, paid_clinic)
    phone.get_by_role("button", name="Use a card that is declined").click()
    expect(phone.get_by_text("The card was declined.")).to_be_visible()
    phone.get_by_role("link", name="Cancel and go back").click()
    expect(phone.get_by_text("You have not paid.")).to_be_visible()
    phone.get_by_label("I agree to this.").check()
    phone.get_by_role("button", name="Continue to payment").click()
    phone.get_by_role("button", name=re.compile("^Pay USD 40.00")).click()
    expect(phone.get_by_role("heading", name="Your visit is booked")).to_be_visible()
    expect(phone.get_by_text("$40.00 paid")).to_be_visible()
    assert Payment.objects.get().status == "paid"


def test_a_payment_after_the_time_was_lost_is_let_go_and_the_page_shows_other_times(
    page: Page, paid_clinic, local, ada, sign_in
):
    sign_in(ada.user)
    go_to_the_provider(page, paid_clinic)
    held = run_out(Appointment.objects.get())
    Payment.objects.update(expires_at=timezone.now())
    book(wish(paid_clinic, Schedule.objects.get(), at=held.start, patient=PatientFactory()))
    page.get_by_role("button", name=re.compile("^Pay USD 40.00")).click()
    expect(page.get_by_text("Nothing is charged.")).to_be_visible()
    expect(page.get_by_role("heading", name="The nearest free times")).to_be_visible()
    assert Payment.objects.get().status == "released"


def test_what_is_still_due_is_paid_from_the_visit_on_a_phone_without_javascript(phone: Page, paid_clinic, ada, local):
    schedule = Schedule.objects.get(services=paid_clinic)
    visit = book(wish(paid_clinic, schedule, at=monday(10), patient=ada))
    phone.goto("/appointments/")
    expect(phone.get_by_text("Still to be paid: $40.00")).to_be_visible()
    phone.get_by_role("link", name="Pay now").click()
    phone.get_by_label("I agree to this.").check()
    phone.get_by_role("button", name="Continue to payment").click()
    phone.get_by_role("link", name="Cancel and go back").click()
    expect(phone.get_by_text("You have not paid.")).to_be_visible()
    phone.get_by_label("I agree to this.").check()
    phone.get_by_role("button", name="Continue to payment").click()
    phone.get_by_role("button", name=re.compile("^Pay USD 40.00")).click()
    expect(phone.get_by_role("heading", name="Thank you, it is paid")).to_be_visible()
    assert Payment.objects.get(appointments=visit).status == "paid"
