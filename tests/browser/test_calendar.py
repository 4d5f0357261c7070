"""The staff's calendar: the grid on a desk, the agenda on a phone and by keyboard, and changes by others."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from clinic.models import Schedule, Slot
from tests.browser.accessibility import look_everywhere
from tests.browser.conftest import DESK, PHONE
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)

ZONE = ZoneInfo(NEW_YORK)


@pytest.fixture
def day():
    """A day in the future."""
    return timezone.now().astimezone(ZONE).date() + timedelta(days=3)


@pytest.fixture
def visit(clinic, site, day):
    noon = datetime.combine(day, time(12), ZONE)
    elena = PatientFactory(given="Elena", family="Marquez")
    end = noon + timedelta(minutes=30)
    return AppointmentFactory(
        patient=elena, service=clinic, start=noon, end=end, schedules=[Schedule.objects.get()], site=site
    )


@pytest.fixture
def grid(page: Page, visit, chen, day, sign_in):
    """The day of Dr Chen on a desk."""
    sign_in(chen.user)
    page.set_viewport_size(DESK)
    page.goto(f"/staff/?date={day}")
    expect(event(page)).to_be_visible()
    return page


def event(page: Page, name: str = "Elena Marquez") -> Locator:
    return page.locator(".ec-event").filter(has_text=name)


def an_hour(page: Page) -> float:
    """Return the height of an hour of the grid in pixels."""
    lines = page.locator(".ec-sidebar .ec-slot")
    first, second = lines.nth(1).bounding_box(), lines.nth(2).bounding_box()
    assert first
    assert second
    return second["y"] - first["y"]


def drag(page: Page, hours: float, visit: Locator | None = None) -> None:
    """Drag a visit of half an hour, by default Elena's, down by so many hours."""
    dragged = visit or event(page)
    dragged.scroll_into_view_if_needed()
    box = dragged.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 20, steps=3)
    page.mouse.move(x, y + hours * an_hour(page), steps=8)
    page.mouse.up()


def test_the_day_is_a_grid_of_the_sites_wall_whatever_the_machines_zone(
    browser: Browser, visit, chen, day, client, live_server
):
    client.force_login(chen.user)
    context = browser.new_context(viewport=DESK, timezone_id="Asia/Tokyo")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/staff/?date={day}")
    expect(event(page)).to_contain_text("12:00 – 12:30 PM")
    drag(page, 2)
    expect(page.get_by_label("Time")).to_have_value("14:00")
    context.close()


def test_a_drag_asks_moves_and_can_be_taken_back(grid: Page, visit, violations):
    drag(grid, 2)
    expect(grid.get_by_role("checkbox", name="Tell the patient")).to_be_checked()
    grid.get_by_role("button", name=re.compile("^Move to .* 2:00 PM$")).click()
    expect(grid.get_by_text("Moved to")).to_be_visible()
    expect(event(grid)).to_contain_text("2:00 – 2:30 PM")
    grid.get_by_role("button", name="Undo").click()
    expect(grid.get_by_text("Undone.")).to_be_visible()
    expect(event(grid)).to_contain_text("12:00 – 12:30 PM")
    visit.refresh_from_db()
    assert visit.start.astimezone(ZONE).hour == 12
    assert not violations


def test_only_booked_visits_can_be_dragged(grid: Page, visit):
    SlotFactory(schedule=Schedule.objects.get(), start=visit.start + timedelta(hours=3), comment="Lunch")
    grid.reload()
    block = grid.locator(".ec-event").filter(has_text="Lunch")
    block.scroll_into_view_if_needed()
    box = block.bounding_box()
    assert box is not None
    grid.mouse.move(box["x"] + 40, box["y"] + 8)
    grid.mouse.down()
    grid.mouse.move(box["x"] + 40, box["y"] + 60, steps=8)
    expect(grid.locator(".ec-preview, .ec-ghost")).to_have_count(0)
    grid.mouse.up()
    expect(grid.get_by_role("dialog", name="Move this visit")).to_have_count(0)


def test_a_dialog_begins_where_one_goes_on_and_a_time_that_is_picked_keeps_the_focus(grid: Page):
    drag(grid, 2)
    expect(grid.get_by_role("button", name=re.compile("^Move to .* 2:00 PM$"))).to_be_focused()
    grid.get_by_role("button", name="2:15 PM", exact=True).click()
    expect(grid.get_by_role("button", name=re.compile("^Move to .* 2:15 PM$"))).to_be_visible()
    expect(grid.get_by_role("button", name="2:15 PM", exact=True)).to_be_focused()
    grid.keyboard.press("Escape")
    grid.keyboard.press("n")
    expect(grid.get_by_label("Calendar", exact=True)).to_be_focused()


def test_of_two_who_drag_onto_one_time_the_second_sees_why_and_the_visit_goes_back(
    grid: Page, visit, browser: Browser, rana, clinic, site, live_server
):
    eleven = visit.start - timedelta(hours=1)
    other_visit = AppointmentFactory(
        patient=PatientFactory(given="Noor", family="Haddad"),
        service=clinic,
        start=eleven,
        end=eleven + timedelta(minutes=30),
        schedules=[Schedule.objects.get()],
        site=site,
    )
    desk = Client()
    desk.force_login(rana)
    context = browser.new_context(viewport=DESK, locale="en-US", base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": desk.cookies["sessionid"].value, "url": live_server.url}])
    other = context.new_page()
    other.goto(grid.url)
    drag(grid, 2)
    expect(grid.get_by_label("Time")).to_have_value("14:00")
    drag(other, 3, event(other, "Noor Haddad"))
    other.get_by_role("button", name=re.compile("^Move to .* 2:00 PM$")).click()
    expect(other.get_by_text("Moved to")).to_be_visible()
    context.close()
    grid.get_by_role("button", name=re.compile("^Move to .* 2:00 PM$")).click()
    expect(grid.get_by_role("alert")).to_contain_text("That time is no longer free.")
    expect(grid.get_by_role("heading", name="Nearest free times")).to_be_visible()
    grid.get_by_role("button", name="Leave it where it is").click()
    expect(event(grid)).to_contain_text("12:00 – 12:30 PM")
    starts = {each.fhir_id: each.start for each in (visit, other_visit) if each.refresh_from_db() is None}
    assert starts == {visit.fhir_id: eleven + timedelta(hours=1), other_visit.fhir_id: eleven + timedelta(hours=3)}


def test_a_visit_is_booked_on_free_time(grid: Page, ada, clinic, violations):
    box = event(grid).bounding_box()
    assert box is not None
    grid.mouse.click(box["x"] + 30, box["y"] - 0.85 * an_hour(grid))
    expect(grid.get_by_role("heading", name="New visit")).to_be_visible()
    grid.get_by_label("Visit", exact=True).select_option("Check-up")
    expect(grid.get_by_role("heading", name="Nearest free times")).to_be_visible()
    grid.get_by_label("Find a patient").press_sequentially("Elena")
    grid.get_by_role("radio", name="Elena Marquez").check()
    grid.get_by_role("button", name=re.compile("^10:30 AM$")).click()
    expect(grid.get_by_text("Elena Marquez").locator("visible=true").last).to_be_visible()
    grid.get_by_role("button", name=re.compile("^Book .* 10:30 AM$")).click()
    expect(grid.get_by_role("alert")).to_be_focused()
    grid.get_by_role("button", name="Yes, book another").click()
    expect(grid.get_by_text("The visit is booked for")).to_be_visible()
    expect(event(grid)).to_have_count(2)
    assert not violations


def test_a_button_pressed_the_moment_it_shows_stays_in_the_dialog(grid: Page, visit):
    """A press before htmx knows the button would leave the calendar, or be lost."""
    grid.evaluate(
        "document.addEventListener('htmx:afterSwap', () =>"
        " setTimeout(() => document.querySelector('dialog [data-refresh]').click()), {once: true})"
    )
    with grid.expect_response(lambda response: response.request.method == "POST") as refreshed:
        grid.keyboard.press("n")
    assert refreshed.value.request.headers["hx-request"] == "true"
    expect(grid.get_by_role("dialog", name="New visit")).to_be_visible()
    assert grid.locator("dialog form").first.get_attribute("action").startswith("/staff/visits/new/")


def test_changes_by_others_show_within_five_seconds(grid: Page, visit, clinic):
    with grid.expect_response(re.compile("since=")):  # it knows the current version now
        grid.reload()
    start = visit.start + timedelta(hours=1)
    bo = PatientFactory(given="Bo", family="Lind")
    end = start + timedelta(minutes=30)
    with grid.expect_request(re.compile("since="), timeout=5_000):
        AppointmentFactory(patient=bo, service=clinic, start=start, end=end, schedules=[Schedule.objects.get()])
    expect(grid.locator(".ec-event").filter(has_text="Bo Lind")).to_be_visible()


def test_keys_lead_everywhere(grid: Page, day):
    grid.keyboard.press("w")
    expect(grid.get_by_role("heading", name="Week of")).to_be_visible()
    grid.keyboard.press("a")
    expect(grid.get_by_role("link", name="Agenda")).to_have_attribute("aria-current", "page")
    grid.keyboard.press("ArrowRight")
    expect(grid).to_have_url(re.compile(f"date={day + timedelta(days=1)}"))
    grid.keyboard.press("n")
    expect(grid.get_by_role("dialog", name="New visit")).to_be_visible()
    grid.get_by_label("Find a patient").press_sequentially("tw")  # typed letters are no shortcuts
    expect(grid.get_by_role("dialog", name="New visit")).to_be_visible()
    grid.keyboard.press("Escape")
    grid.keyboard.press("?")
    expect(grid.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_a_visit_is_moved_by_keyboard_alone(page: Page, visit, chen, day, sign_in):
    sign_in(chen.user)
    page.set_viewport_size(DESK)
    page.goto(f"/staff/agenda/?date={day}")
    page.get_by_role("link", name="Move… Elena Marquez").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Move this visit")).to_be_visible()
    page.get_by_role("button", name="12:45 PM", exact=True).focus()
    page.keyboard.press("Enter")
    save = page.get_by_role("button", name=re.compile("^Move to .* 12:45 PM$"))
    expect(save).to_be_visible()
    save.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved to")).to_be_visible()
    expect(page.locator(".agenda")).to_contain_text("12:45 PM")


def test_time_is_blocked_and_freed_on_a_phone(page: Page, visit, chen, day, sign_in, violations):
    sign_in(chen.user)
    page.set_viewport_size(PHONE)
    page.goto(f"/staff/?date={day}")
    expect(page.get_by_role("heading", name="Elena Marquez")).to_be_visible()
    expect(page.locator(".ec")).to_have_count(0)
    page.get_by_role("link", name="Block time").click()
    page.get_by_label("From").fill("12:00")
    page.get_by_label("To", exact=True).fill("13:00")
    page.get_by_role("button", name="Block the time").click()
    expect(page.get_by_text("One entry is in the way.")).to_be_visible()
    page.get_by_role("button", name="Block only the free time").click()
    expect(page.get_by_role("heading", name="Leave")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Leave")).to_have_count(0)
    assert not Slot.objects.filter(appointment=None, deleted_at=None).exists()
    assert not violations


def test_without_a_script_the_forms_are_pages(browser: Browser, visit, chen, day, client, live_server):
    client.force_login(chen.user)
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/staff/?date={day}")
    page.get_by_role("link", name="Move… Elena Marquez").click()
    page.get_by_label("Time").fill("14:00")
    page.get_by_role("button", name="Show free times").click()
    page.get_by_role("button", name=re.compile("^Move to .* 2:00 PM$")).click()
    expect(page.get_by_text("Moved to")).to_be_visible()
    context.close()


def test_the_dialog_is_accessible(page: Page, clinic, chen, day, sign_in, violations):
    sign_in(chen.user)
    page.goto(f"/staff/agenda/?date={day}")
    page.get_by_role("link", name="New visit").click()
    expect(page.get_by_role("dialog", name="New visit")).to_be_visible()
    problems = look_everywhere(page, "the dialog")
    assert not problems, "\n".join(problems)
    assert not violations


def test_the_menu_closes_on_escape(page: Page, clinic, chen, sign_in):
    sign_in(chen.user)
    page.goto("/staff/")
    account = page.locator("summary").filter(has_text="Account")
    account.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(account).to_be_focused()


def test_text_typed_while_free_times_load_stays(page: Page, chen, visit, clinic, day, sign_in):
    sign_in(chen.user)
    page.set_viewport_size(DESK)
    page.route("**/staff/visits/new/**", lambda route: (page.wait_for_timeout(700), route.continue_()))
    page.goto(f"/staff/agenda/?date={day}")
    page.get_by_role("link", name="New visit").click()
    page.get_by_label("Time", exact=True).fill("13:00")
    page.get_by_label("Find a patient").press_sequentially("knee", delay=250)
    expect(page.get_by_role("button", name=re.compile("1:00"))).to_be_visible()
    expect(page.get_by_label("Find a patient")).to_have_value("knee")
    expect(page.get_by_label("Find a patient")).to_be_focused()
    page.get_by_label("Find a patient").press("Enter")
    expect(page.get_by_text("No patient found.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.unroute_all(behavior="wait")


def test_the_focus_stays_in_the_calendar_whatever_is_drawn_anew(grid: Page, visit, clinic, site):
    """The keyboard alone leads from the visit through its dialog, and to its neighbour once it is gone."""
    later = visit.start + timedelta(hours=2)
    end = later + timedelta(minutes=30)
    bo = PatientFactory(given="Bo", family="Berg")
    AppointmentFactory(patient=bo, service=clinic, start=later, end=end, schedules=[Schedule.objects.get()], site=site)
    grid.reload()
    event(grid).focus()
    grid.keyboard.press("Enter")
    grid.get_by_role("link", name="Move…").press("Enter")
    expect(grid.get_by_label("Calendar", exact=True)).to_be_focused()
    grid.get_by_role("button", name="12:45 PM", exact=True).press("Enter")
    grid.get_by_role("button", name=re.compile("^Move to .* 12:45 PM$")).press("Enter")
    expect(event(grid)).to_contain_text("12:45")
    expect(event(grid)).to_be_focused()
    grid.keyboard.press("u")
    expect(grid.get_by_text("Undone.")).to_be_visible()
    expect(event(grid)).to_contain_text("12:00")
    expect(event(grid)).to_be_focused()
    grid.keyboard.press("Enter")
    grid.get_by_role("link", name="Cancel…").press("Enter")
    expect(grid.get_by_label("Why is it cancelled?")).to_be_focused()
    grid.keyboard.type("Called")
    grid.get_by_role("button", name=re.compile("^Cancel .* 12:00 PM$")).press("Enter")
    expect(event(grid)).to_have_count(0)
    expect(grid.locator(".ec-event").filter(has_text="Bo Berg")).to_be_focused()
    grid.keyboard.press("n")
    expect(grid.get_by_label("Calendar", exact=True)).to_be_focused()
    grid.evaluate("document.querySelectorAll('.ec-event').forEach(event => event.dataset.old = '')")
    grid.evaluate("document.dispatchEvent(new CustomEvent('calendar:changed'))")
    expect(grid.locator(".ec-event[data-old]")).to_have_count(0)  # drawn again below the dialog
    expect(grid.locator(".ec-event").filter(has_text="Bo Berg")).to_be_visible()
    grid.keyboard.press("Escape")
    expect(grid.locator(".ec-event").filter(has_text="Bo Berg")).to_be_focused()


def test_the_visits_offered_are_those_of_the_calendar_chosen_last(page: Page, rana, visit, clinic, site, day, sign_in):
    """Arrow keys change the calendar faster than the clinic answers."""
    for name in ("Advice", "Surgery"):
        ScheduleFactory(actor=PractitionerFactory(family=name), services=[ServiceFactory(name=name)], site=site)
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.goto(f"/staff/?date={day}")
    page.keyboard.press("n")
    expect(page.get_by_label("Calendar", exact=True)).to_be_focused()
    page.route("**/staff/visits/new/**", lambda route: (page.wait_for_timeout(500), route.continue_()))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_label("Calendar", exact=True).locator("option:checked")
    expect(chosen).to_have_text(re.compile("Surgery"))
    expect(page.get_by_label("Visit", exact=True).locator("option")).to_have_text(["Choose", "Surgery"])
    page.unroute_all(behavior="wait")


def test_a_screen_that_has_become_narrow_shows_the_list(page: Page, visit, chen, day, sign_in, live_server):
    """A tablet that drew the grid before it was turned: the page comes without the list, which is fetched."""
    sign_in(chen.user)
    page.context.add_cookies([{"name": "calendar_grid", "value": "1", "url": f"{live_server.url}/staff/"}])
    page.set_viewport_size(PHONE)
    page.goto(f"/staff/?date={day}")
    expect(page.get_by_role("heading", name="Elena Marquez")).to_be_visible()
