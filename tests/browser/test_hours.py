"""The hours editor and its preview: by keyboard, against axe, on a desk and on a phone."""

import pytest
from playwright.sync_api import Page, expect

from clinic.models import Schedule, SchedulingParameters
from tests.browser.accessibility import look_everywhere
from tests.browser.conftest import DESK
from tests.factories import UserFactory


@pytest.fixture
def editor(clinic, chen, sign_in):
    sign_in(chen.user)
    return f"/staff/hours/calendars/{Schedule.objects.get().fhir_id}/{clinic.fhir_id}/"


def press(page: Page, name: str) -> None:
    """Come to a button by Tab alone, and press it."""
    button = page.get_by_role("button", name=name)
    for _step in range(160):
        if button.evaluate("each => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def test_hours_are_entered_copied_checked_saved_and_undone_by_keyboard(page: Page, editor, violations):
    page.set_viewport_size(DESK)
    page.goto(editor)
    page.get_by_label("Monday, 1: from").focus()
    page.keyboard.type("0800AM")
    expect(page.get_by_label("Its own")).to_be_checked()
    press(page, "Copy to Tuesday")
    expect(page.get_by_label("Friday, 1: from")).to_have_value("08:00")
    expect(page.get_by_role("status").last).to_contain_text("hours are copied to Tuesday")
    page.get_by_label("Saturday, 1: from").focus()
    page.keyboard.type("1000PM")
    page.get_by_label("Saturday, 1: to").focus()
    page.keyboard.type("0600AM")
    expect(page.locator("[data-day=sat]").get_by_text("the next day")).to_be_visible()
    press(page, "See what would change")
    expect(page.get_by_role("heading", name="Check before you save")).to_be_visible()
    expect(page.get_by_text("10:00 PM – 6:00 AM the next day")).to_be_visible()
    press(page, "Change it")
    expect(page.get_by_label("Friday, 1: from")).to_have_value("08:00")
    press(page, "See what would change")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert SchedulingParameters.objects.filter(schedule__isnull=False).exists()
    press(page, "Undo the last change")
    expect(page.get_by_text("Everything is as it was before.")).to_be_visible()
    assert not SchedulingParameters.objects.filter(schedule__isnull=False).exists()
    assert not violations


def test_errors_are_listed_with_links_to_their_fields(page: Page, editor):
    page.goto(editor)
    page.get_by_label("Sunday, 1: to").fill("")
    page.get_by_role("button", name="See what would change").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Sunday: enter the closing time.").click()
    expect(page.get_by_label("Sunday, 1: to")).to_be_focused()


def test_the_preview_is_accessible(page: Page, editor, sign_in, violations):
    sign_in(UserFactory(is_superuser=True))
    page.goto(editor)
    page.get_by_label("Monday: open or closed").select_option("closed")
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("heading", name="Check before you save")).to_be_visible()
    problems = look_everywhere(page, "the preview")
    assert not problems, "\n".join(problems)
    assert not violations


def test_reloading_the_preview_and_going_back_send_nothing_again(page: Page, editor):
    page.goto(editor)
    page.get_by_label("Friday, 1: from").fill("08:00")
    page.get_by_role("button", name="See what would change").click()
    heading = page.get_by_role("heading", name="Check before you save")
    expect(heading).to_be_visible()
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.reload()
    expect(heading).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="See what would change")).to_be_visible()
    page.go_forward()
    expect(heading).to_be_visible()
    assert posted == []
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_label("Friday, 1: from")).to_have_value("08:00")
