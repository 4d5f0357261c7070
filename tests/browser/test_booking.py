"""A patient books and cancels: on a phone, without JavaScript, by keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from clinic.models import Appointment


def sign_up(page: Page) -> None:
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Given names").fill("Eve")
    page.get_by_label("Family name").fill("Stone")
    page.get_by_label("Day").fill("27")
    page.get_by_label("Month").fill("3")
    page.get_by_label("Year").fill("1985")
    page.get_by_label("E-mail address").fill("eve@example.com")
    page.get_by_label("Password").fill("correct-horse-battery")
    page.get_by_role("button", name="Create account").click()


def book_as_somebody_new(page: Page) -> None:
    """From the first page to the confirmation, with an account made on the way."""
    page.goto("/")
    page.get_by_role("link", name="Check-up").click()
    day = page.get_by_role("link", name=re.compile("free times?$")).nth(2)
    day.click()
    expect(day).to_have_attribute("aria-current", "date")
    page.locator(".time").nth(3).click()
    sign_up(page)
    expect(page.get_by_role("heading", name="Still the time you want?")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Hold ")).click()
    expect(page.get_by_text("Held for you until")).to_be_visible()
    page.get_by_label("Is there anything the clinic should know").fill("Step-free, please")
    page.get_by_role("button", name=re.compile("^Confirm ")).click()
    expect(page.get_by_role("heading", name="Your visit is booked")).to_be_visible()


def cancel_it(page: Page) -> None:
    page.get_by_role("link", name="See my visits").click()
    page.get_by_role("link", name=re.compile("^Cancel")).click()
    page.get_by_role("button", name=re.compile("^Cancel ")).click()
    expect(page.get_by_text("Your visit is cancelled.")).to_be_visible()


def test_on_a_phone(page: Page, clinic, violations):
    book_as_somebody_new(page)
    booked = Appointment.objects.get()
    assert (booked.status, booked.comment, booked.patient.given) == ("booked", "Step-free, please", "Eve")
    cancel_it(page)
    booked.refresh_from_db()
    assert booked.status == "cancelled"
    assert not violations


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript(page: Page, clinic):
    book_as_somebody_new(page)
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


def tab_to(page: Page, name):
    """Press Tab until a link or button of that name has the focus."""
    wanted = page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
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


def test_a_hold_counts_down(page: Page, clinic, ada, sign_in):
    sign_in(ada.user)
    page.clock.install()
    page.goto(f"/book/{clinic.fhir_id}/")
    page.locator(".first__time").first.click()
    page.wait_for_url("**/confirm/")
    page.clock.run_for(4 * 60 * 1000)
    expect(page.locator("#announcement")).to_be_empty()
    page.clock.run_for(62 * 1000)
    expect(page.locator("#announcement")).to_have_text("Your hold ends in 5 minutes.")
    page.clock.run_for(4 * 60 * 1000)
    expect(page.locator("#announcement")).to_have_text("Your hold ends in one minute.")
    page.clock.run_for(2 * 60 * 1000)
    expect(page.locator("#announcement")).to_contain_text("The hold has ended.")
