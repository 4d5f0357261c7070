"""A held time: its countdown, extending it, losing it, and two people who want the same time."""

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from clinic.models import Appointment, CareTeam, Slot
from tests.browser.accessibility import look_everywhere
from tests.browser.conftest import DESK
from tests.browser.guests import prove_the_address, say_who
from tests.factories import RelatedPersonFactory


@pytest.fixture(autouse=True)
def no_questions(clinic):
    clinic.questionnaires.clear()


def hold(page: Page, clinic) -> None:
    """Hold the first free time; the countdown and the watch have started."""
    page.goto(f"/book/{clinic.fhir_id}/")
    page.locator(".first__time").first.click()
    expect(page.get_by_text("Held for you until")).to_be_visible()
    page.wait_for_load_state()


def let_end() -> None:
    """Move the holds into the past, so that they end."""
    over = timezone.now() - timedelta(seconds=1)
    Slot.objects.exclude(hold_expires_at=None).update(blocks_from=over - timedelta(minutes=9), hold_expires_at=over)
    Appointment.objects.filter(status="pending").update(hold_expires_at=over)


def test_a_hold_counts_down_aloud(page: Page, clinic, ada, sign_in):
    sign_in(ada.user)
    page.clock.install()
    hold(page, clinic)
    page.clock.run_for(4 * 60 * 1000)
    expect(page.locator("#announcement")).to_be_empty()
    page.clock.run_for(62 * 1000)
    expect(page.locator("#announcement")).to_have_text("Your hold ends in 5 minutes.")
    page.clock.run_for(3 * 60 * 1000)
    expect(page.locator("#announcement")).to_have_text("Your hold ends in 2 minutes.")
    page.clock.run_for(60 * 1000)
    expect(page.locator("#announcement")).to_have_text("Your hold ends in one minute.")
    page.clock.run_for(2 * 60 * 1000)
    expect(page.locator("#announcement")).to_contain_text("The hold has ended.")
    expect(page.get_by_role("button", name="Keep it longer")).to_have_count(0)


def test_the_countdown_survives_a_reload(page: Page, clinic):
    hold(page, clinic)
    ends = page.locator("[data-countdown]").get_attribute("data-countdown")
    page.reload()
    assert page.locator("[data-countdown]").get_attribute("data-countdown") == ends
    expect(page.locator("[data-countdown-left]")).to_have_text(re.compile(r"^(9:\d\d|10:00)$"))
    assert Appointment.objects.get().status == "pending"


def soon(is_true: Callable[[], bool]) -> bool:
    """True if the condition becomes true in time: the browser notifies the server when it leaves."""
    deadline = time.monotonic() + 20
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_true()


def test_leaving_and_returning_are_noticed(page: Page, clinic, violations):
    with page.expect_response("**/presence/"):  # a later announcement would undo the next step
        hold(page, clinic)
    page.goto("about:blank")
    assert soon(lambda: Appointment.objects.get().left_at is not None)
    page.go_back()
    assert soon(lambda: Appointment.objects.get().left_at is None)
    assert not violations


def test_going_on_within_the_site_is_not_leaving(page: Page, clinic):
    hold(page, clinic)
    announcements: list[str] = []
    page.on(
        "request", lambda request: announcements.append(request.post_data or "") if "presence" in request.url else None
    )
    page.get_by_role("banner").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="You are holding a time")).to_be_visible()
    assert not any("left" in each for each in announcements)
    assert Appointment.objects.get().left_at is None


def test_kept_longer_with_what_was_typed(page: Page, clinic, violations):
    hold(page, clinic)
    say_who(page)
    page.get_by_role("button", name="Keep it longer").click()
    expect(page.get_by_text("We are holding the time for you a little longer.")).to_be_visible()
    expect(page.locator("[data-countdown-left]")).to_have_text(re.compile(r"^1\d:\d\d$"))
    expect(page.get_by_label("Given names")).to_have_value("Eve")
    expect(page.get_by_label("Year")).to_have_value("1985")
    expect(page.get_by_role("button", name="Keep it longer")).to_have_count(0)
    assert not violations


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_a_hold_that_ends_while_one_types_loses_nothing(page: Page, clinic):
    hold(page, clinic)
    say_who(page)
    let_end()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("We have kept what you entered.")).to_be_visible()
    page.locator(".first__time").first.click()
    expect(page.get_by_label("Given names")).to_have_value("Eve")
    page.get_by_role("button", name="Continue").click()
    prove_the_address(page)
    page.get_by_role("button", name=re.compile("^Confirm ")).click()
    expect(page.get_by_role("heading", name="Your visit is booked")).to_be_visible()


def test_the_second_of_two_patients_is_offered_the_nearest_time(page: Page, browser: Browser, base_url, clinic):
    other = browser.new_context(base_url=base_url, viewport=DESK).new_page()
    for each in (page, other):
        each.goto(f"/book/{clinic.fhir_id}/")
    page.locator(".first__time").first.click()
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    other.locator(".first__time").first.click()
    expect(other.get_by_text("That time has just been taken.")).to_be_visible()
    other.locator(".first__time").first.click()
    expect(other.get_by_role("heading", name="About you")).to_be_visible()
    assert len(set(Appointment.objects.values_list("start", flat=True))) == 2
    other.context.close()


def test_elsewhere_on_the_site_the_time_waits_and_can_be_let_go(page: Page, clinic):
    hold(page, clinic)
    page.get_by_role("link", name="Riverside Clinic").click()
    expect(page.get_by_role("heading", name="You are holding a time")).to_be_visible()
    page.get_by_role("link", name="Continue booking").click()
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Let it go").click()
    expect(page.get_by_text("Nothing is booked.")).to_be_visible()
    expect(page.get_by_role("heading", name="You are holding a time")).to_have_count(0)
    assert Appointment.objects.get().status == "cancelled"


def test_back_after_booking_shows_the_booking(page: Page, clinic, ada, sign_in):
    sign_in(ada.user)
    hold(page, clinic)
    page.get_by_role("button", name=re.compile("^Confirm ")).click()
    page.wait_for_url("**/booked/")
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", name="Your visit is booked")).to_be_visible()


def test_every_page_of_the_way(page: Page, clinic, ada, sign_in, violations):
    clinic.requires_coverage = clinic.requires_care_team = True
    clinic.save()
    problems: list[str] = []

    def look(name: str) -> None:
        problems.extend(look_everywhere(page, name))

    hold(page, clinic)
    look("about a guest")
    page.get_by_role("button", name="Continue").click()
    look("about a guest, with errors")
    page.goto("/")
    look("the banner")
    page.get_by_role("link", name="Continue booking").click()
    say_who(page)
    page.get_by_role("button", name="Continue").click()
    look("proof")
    prove_the_address(page)
    look("review with what is lacking")
    CareTeam.objects.all().delete()
    clinic.requires_care_team = False
    clinic.save()
    page.get_by_role("link", name="Add your insurance").click()
    look("insurance")
    page.get_by_label("Who is your insurer?").fill("Acme Health")
    page.get_by_label("Member number").fill("M-1")
    page.get_by_role("button", name="Continue").click()
    look("review")
    let_end()
    page.reload()
    look("lost")
    page.locator(".first__time").first.click()
    page.get_by_role("button", name=re.compile("^Confirm ")).click()
    page.wait_for_url("**/booked/")
    look("booked")
    RelatedPersonFactory(user=ada.user)
    sign_in(ada.user)
    hold(page, clinic)
    look("who it is for")
    page.get_by_label("Someone else I care for").check()
    page.get_by_role("button", name="Continue").click()
    look("someone new")
    assert not problems, "\n".join(problems)
    assert not violations


def test_a_published_link_holds_its_time_at_once(page: Page, clinic):
    page.goto(f"/book/{clinic.fhir_id}/")
    chosen = page.locator(".first__time").first.get_attribute("value")
    page.goto(f"/book/{clinic.fhir_id}/at/?time={chosen}&source=finder.example.org")
    expect(page.get_by_text("Held for you until")).to_be_visible()
    assert Appointment.objects.get().status == "pending"
