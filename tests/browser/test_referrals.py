"""Referral by a link to the patient's phone, without JavaScript, and the one visit that is booked with it."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from clinic.models import Appointment, HealthcareService, ServiceRequest
from tests.factories import UserFactory

PATIENT = {"Given names": "Eve", "Family name": "Stone", "Month": "3", "Day": "27", "Year": "1985"}


@pytest.fixture(autouse=True)
def only_with_a_referral(clinic):
    clinic.questionnaires.clear()
    clinic.bookable_by = HealthcareService.BookableBy.REFERRED
    clinic.save()


def make_a_link(page: Page) -> str:
    page.goto("/referrals/")
    page.get_by_role("link", name="Refer a patient").click()
    page.get_by_label("What is the visit for?").select_option("Check-up")
    page.get_by_label("Why do you refer the patient?").fill("A mole that has changed")
    for label, value in PATIENT.items():
        page.get_by_label(label, exact=True).first.fill(value)
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter an email address or a phone number of the patient.")
    expect(page.get_by_label("Why do you refer the patient?")).to_have_value("A mole that has changed")
    page.get_by_label("Email address").fill("eve@example.com")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("heading", name="The link for the patient")).to_be_visible()
    return urlsplit(page.locator(".reference a").get_attribute("href") or "").path


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_a_referrer_makes_a_link_and_the_patient_books_with_it_once(page: Page, clinic, sign_in, context):
    sign_in(UserFactory(first_name="Noor", last_name="Grey", refers_for="Harbour Practice"))
    link = make_a_link(page)
    context.clear_cookies()

    page.goto(link)
    expect(page.get_by_text("Noor Grey, Harbour Practice refers you to")).to_be_visible()
    expect(page.get_by_text("A mole that has changed")).to_have_count(0)
    for label, value in (("Day", "27"), ("Month", "3"), ("Year", "1985")):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("A mole that has changed")).to_be_visible()
    page.get_by_role("button", name="Choose a time").click()
    page.locator(".first__time").first.click()
    page.get_by_role("button", name=re.compile("^Confirm ")).click()
    expect(page.get_by_role("heading", name="Your visit is booked")).to_be_visible()

    page.goto(link)
    expect(page.get_by_text("A visit is booked with this referral.")).to_be_visible()
    visit = Appointment.objects.get()
    assert (visit.status, visit.patient.family, visit.referral) == ("booked", "Stone", ServiceRequest.objects.get())
