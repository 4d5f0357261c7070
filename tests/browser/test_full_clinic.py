"""The staff's pages of a clinic with many practitioners, on screen and in print."""

import re
from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from benchmarks.full_clinic import ZONE, fill
from clinic.models import Appointment
from tests.browser.accessibility import look_everywhere
from tests.browser.conftest import DESK, PHONE
from tests.factories import PatientFactory, UserFactory

PEOPLE = 12
PAPER = ("A4", "Letter")
MORE_OF_THE_SAME = (
    ".agenda__row:nth-child(n+12)",
    ".ec-event:nth-child(n+8)",
    ".sheet__table tr:nth-child(n+8)",
    ".sheet:nth-of-type(n+4)",
    ".board-card:nth-child(n+8)",
)


@pytest.fixture
def day():
    return timezone.now().astimezone(ZONE).date()


@pytest.fixture
def desk(transactional_db, page: Page, sign_in, day):
    """The front desk of a site where a dozen people have 24 visits each today, the first of them 32."""
    clinic = fill(PEOPLE, [day], now=datetime.combine(day, time(12), ZONE))
    sign_in(UserFactory(desk_locations=[clinic.site]))
    page.set_viewport_size(DESK)
    page.goto("/staff/")
    page.locator("summary").filter(has_text="Calendars").click()
    page.get_by_role("button", name="Show all people, and nothing else").click()
    expect(page.locator(".ec-col-head")).to_have_count(PEOPLE)  # the key handlers are ready now
    return page


def pages_of(page: Page, paper: str) -> int:
    return page.pdf(format=paper).count(b"/Type /Page\n")


def test_the_calendar_of_many(desk: Page, day):
    """The bar is one line, the day scrolls sideways below its head, and days and weeks of one and all are reached."""
    assert desk.locator(".calendar-bar").bounding_box()["height"] < 60
    visits = desk.locator(".ec-event.entry--visit")
    expect(visits.first).to_be_visible()
    columns = desk.locator(".ec-col-head")
    assert columns.count() == PEOPLE
    assert min(columns.nth(n).bounding_box()["width"] for n in range(PEOPLE)) >= 119.5
    assert desk.evaluate("document.documentElement.scrollWidth") == DESK["width"]
    above = columns.first.bounding_box()["y"]
    frame = desk.locator(".ec-main")
    frame.evaluate("it => it.scrollTo(it.scrollWidth, it.scrollHeight)")
    assert columns.first.bounding_box()["y"] == above
    assert columns.last.bounding_box()["x"] < DESK["width"]
    frame.evaluate("it => it.scrollTo(0, 0)")
    assert re.match("0?8", desk.locator(".ec-sidebar .ec-slot").nth(1).inner_text())  # the hour of the first visit
    assert desk.locator("*").count() < 6_000  # the list alone would have half as many
    assert desk.locator(".agenda__row").count() == 0
    desk.set_viewport_size(PHONE)
    expect(desk.locator(".agenda__row").first).to_be_visible()
    desk.set_viewport_size(DESK)

    desk.keyboard.press("w")
    names = desk.get_by_role("rowheader")
    expect(names).to_have_count(PEOPLE)
    names.first.get_by_role("link").click()
    expect(desk.locator(".ec-event.entry--visit").first).to_be_visible()
    desk.get_by_role("link", name="Show the calendars chosen before").click()
    expect(desk.get_by_role("rowheader")).to_have_count(PEOPLE)

    there = day + timedelta(days=40)
    desk.get_by_label("Go to a day").fill(there.isoformat())
    desk.get_by_role("button", name="Go", exact=True).click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text(str(there.year))
    assert f"date={there}" in desk.url


def test_the_grid_is_printed_as_a_list_and_each_person_has_a_sheet(desk: Page):
    """A sheet is one page of paper, reached from the calendar and from the board."""
    expect(desk.locator(".ec-event.entry--visit").first).to_be_visible()
    paper = desk.locator(".agenda--paper .agenda__row")
    expect(paper).to_have_count(0)
    desk.evaluate("dispatchEvent(new Event('beforeprint'))")
    # 24 visits and a lunch of each; two groups of the first are one entry each
    expect(paper).to_have_count(PEOPLE * 25)
    expect(paper.first).to_contain_text(re.compile("8:00 – 8:20 AM.*19.*Dr. ", re.DOTALL))
    desk.emulate_media(media="print")
    expect(paper.first).to_be_visible()
    expect(desk.locator("[data-grid]")).to_be_hidden()
    desk.emulate_media(media="null")
    desk.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(paper).to_have_count(0)

    desk.get_by_text("More", exact=True).click()
    desk.get_by_role("link", name="Sheets to print").click()
    expect(desk.locator(".sheet")).to_have_count(PEOPLE)
    for paper in PAPER:
        assert pages_of(desk, paper) == PEOPLE, paper
    desk.goto("/staff/today/")
    desk.get_by_label("With").select_option(index=1)
    expect(desk.get_by_role("link", name="Sheets to print")).to_have_attribute(
        "href", re.compile("practitioner=Practitioner")
    )
    desk.get_by_role("link", name="Sheets to print").click()
    expect(desk.locator(".sheet")).to_have_count(1)
    assert {pages_of(desk, paper) for paper in PAPER} == {1}


def test_somebody_beyond_the_cards_of_a_column_is_found(desk: Page):
    Appointment.objects.update(status="booked")
    visit = Appointment.objects.order_by("start", "pk").last()
    Appointment.objects.filter(pk=visit.pk).update(patient=PatientFactory(given="Zoë", family="Zacharias"))
    desk.goto("/staff/today/?column=booked&first=0")
    name, cards = desk.get_by_role("link", name="Zoë Zacharias"), desk.locator("[data-card]")
    expect(name).to_have_count(0)
    find = desk.get_by_label("Find on the board")
    for words in ("zacharias", "zoe zach", "Zoë Zach"):
        find.fill(words)
        expect(name).to_be_visible()
        expect(cards).to_have_count(1)
    assert "zacharias" not in desk.url
    find.fill("zacharias of nowhere")
    expect(desk.get_by_text("No visit on the board matches.")).to_be_visible()
    find.fill("")
    expect(cards).to_have_count(100)


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_a_long_column_is_read_part_by_part(page: Page, transactional_db, sign_in, day):
    clinic = fill(PEOPLE, [day], now=datetime.combine(day, time(12), ZONE))
    Appointment.objects.update(status="booked")
    sign_in(UserFactory(desk_locations=[clinic.site]))
    page.goto("/staff/today/?column=booked&first=0")
    expect(page.get_by_role("link", name="earlier")).to_have_count(0)
    seen = set(page.locator("[data-card] a").evaluate_all("links => links.map(link => link.id)"))
    while (later := page.get_by_role("link", name="later")).count():
        later.click()
        seen |= set(page.locator("[data-card] a").evaluate_all("links => links.map(link => link.id)"))
    assert len(seen) == Appointment.objects.count()


def test_full_pages_are_accessible(desk: Page, violations):
    problems: list[str] = []
    for address in ("/staff/", "/staff/week/", "/staff/sheets/", "/staff/today/"):
        desk.goto(address)
        problems += look_everywhere(desk, address, without=MORE_OF_THE_SAME)
    assert not problems, "\n".join(problems)
    assert not violations
