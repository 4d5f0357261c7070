"""Booking and cancelling: on a phone, without JavaScript, by keyboard alone, with an account and without."""

import re

import pytest
from playwright.sync_api import Page, expect

from clinic.models import Appointment
from tests.browser.guests import prove_the_address, say_who


@pytest.fixture(autouse=True)
def no_questions(clinic):
    clinic.questionnaires.clear()


def choose_a_time(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Check-up").click()
    day = page.get_by_role("link", name=re.compile("free times?$")).nth(2)
    day.click()
    expect(day).to_have_attribute("aria-current", "date")
    page.locator(".time").nth(3).click()
    expect(page.get_by_text("Held for you until")).to_be_visible()


def confirm_it(page: Page) -> None:
    page.get_by_label("Is there anything the clinic should know").fill("Step-free, please")
    page.get_by_role("button", name=re.compile("^Confirm ")).click()
    expect(page.get_by_role("heading", name="Your visit is booked")).to_be_visible()


def book_as_a_guest(page: Page) -> None:
    choose_a_time(page)
    say_who(page)
    page.get_by_role("button", name="Continue").click()
    prove_the_address(page)
    confirm_it(page)


def book_with_a_new_account(page: Page) -> None:
    choose_a_time(page)
    page.get_by_role("link", name="Create an account").click()
    say_who(page, Password="correct-horse-battery")
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("Me, Eve Stone").check()
    page.get_by_role("button", name="Continue").click()
    confirm_it(page)


def cancel_it(page: Page) -> None:
    page.get_by_role("link", name="See my visits").click()
    page.get_by_role("link", name=re.compile("^Cancel")).first.click()
    page.get_by_role("button", name=re.compile("^Cancel ")).click()
    expect(page.get_by_text("Your visit has been cancelled.")).to_be_visible()


def test_a_guest_on_a_phone(page: Page, clinic, violations):
    book_as_a_guest(page)
    booked = Appointment.objects.get()
    assert (booked.status, booked.comment, booked.patient.given) == ("booked", "Step-free, please", "Eve")
    assert booked.patient.user is None
    assert not violations


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_a_guest_on_a_phone_without_javascript(page: Page, clinic):
    book_as_a_guest(page)
    assert Appointment.objects.get().status == "booked"


def test_with_an_account_made_on_the_way(page: Page, clinic, violations):
    book_with_a_new_account(page)
    cancel_it(page)
    assert Appointment.objects.get().status == "cancelled"
    assert not violations


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_with_an_account_made_on_the_way_without_javascript(page: Page, clinic):
    book_with_a_new_account(page)
    cancel_it(page)
    assert Appointment.objects.get().status == "cancelled"


def test_by_keyboard_alone(page: Page, clinic, ada, sign_in):
    sign_in(ada.user)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab_to(page, "Check-up").press("Enter")
    page.wait_for_url("**/book/**")
    tab_to(page, re.compile("New York time")).press("Enter")
    page.wait_for_url("**/confirm/")
    tab_to(page, re.compile("^Confirm ")).press("Enter")
    page.wait_for_url("**/booked/")
    assert Appointment.objects.get().status == "booked"


def test_errors_are_announced_first(page: Page, clinic):
    choose_a_time(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="Enter your given names.").click()
    expect(page.get_by_label("Given names")).to_be_focused()


def tab_to(page: Page, name):
    """Press Tab until a link or button of that name has the focus."""
    control = page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first
    for _ in range(60):
        page.keyboard.press("Tab")
        if control.evaluate("each => each === document.activeElement"):
            return page.keyboard
    raise AssertionError(f"{name} cannot be reached with Tab")


def test_a_week_further_on_is_fetched_without_a_new_page(page: Page, clinic, violations):
    page.goto(f"/book/{clinic.fhir_id}/")
    page.evaluate("document.body.dataset.same = 'page'")
    page.get_by_role("link", name="Next week").click()
    expect(page).to_have_url(re.compile("week="))
    expect(page.get_by_role("link", name="Previous week")).to_be_visible()
    expect(page.locator("#week-next")).to_be_focused()
    expect(page.locator("#announcement")).to_contain_text("free times")
    assert page.evaluate("document.body.dataset.same") == "page"
    page.go_back()
    expect(page.get_by_role("link", name="Previous week")).to_have_count(0)
    assert not violations
