"""Finding a service and a time: on a phone and on a desk, by keyboard, without JavaScript, and with axe."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.accessibility import look_everywhere
from tests.browser.conftest import DESK, PHONE
from tests.factories import EVERY_DAY, LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory, concept


@pytest.fixture
def colleagues(clinic, site):
    """A second doctor, who speaks Spanish, at a second site; and enough services for a search."""
    site.latitude, site.longitude = 40.70, -74.01
    site.save()
    park = LocationFactory(name="Riverside Garden", latitude=40.80, longitude=-73.97)
    silva = PractitionerFactory(given="Rafael", family="Silva", gender="male", communication=[concept("es", "Spanish")])
    ScheduleFactory(actor=silva, services=[clinic], site=park)
    for name in ("First visit", "Skin check", "Vaccination"):
        ServiceFactory(name=name, eligibility="new" if name == "First visit" else "everyone", hours=EVERY_DAY)
    return clinic


def stay(page: Page) -> None:
    """Mark the page, to tell it apart from a newly loaded one."""
    page.evaluate("document.body.dataset.same = 'page'")


def is_same(page: Page) -> bool:
    return page.evaluate("document.body.dataset.same") == "page"


def test_visits_are_found_as_one_types(page: Page, colleagues, violations):
    page.goto("/")
    stay(page)
    page.get_by_label("Search visits").press_sequentially("skin")
    expect(page.get_by_role("link", name="Vaccination")).to_have_count(0)
    expect(page.get_by_role("link", name="Skin check")).to_be_visible()
    expect(page.locator("#announcement")).to_have_text("1 visit found")
    expect(page.get_by_label("Search visits")).to_be_focused()
    assert page.url.endswith("/?q=skin")
    page.get_by_label("Search visits").fill("")
    page.get_by_label("Yes").check()
    expect(page.get_by_role("link", name="First visit")).to_have_count(0)
    assert is_same(page)
    assert not violations


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_visits_are_found_without_javascript(page: Page, colleagues):
    page.goto("/")
    page.get_by_label("Search visits").fill("skin")
    page.get_by_label("No, I am new").check()
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Vaccination")).to_have_count(0)
    expect(page.get_by_label("No, I am new")).to_be_checked()
    page.get_by_role("link", name="Skin check").click()
    expect(page.get_by_role("heading", name="Choose a time")).to_be_visible()


def test_filters_by_keyboard_on_a_desk(page: Page, colleagues, violations):
    page.set_viewport_size(DESK)
    page.goto(f"/book/{colleagues.fhir_id}/")
    stay(page)
    expect(page.locator(".narrow__summary")).to_be_hidden()
    page.get_by_label("With", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(r"\?week=.*practitioner="))
    expect(page.get_by_role("link", name="Remove: Dr. Rafael Silva")).to_be_visible()
    expect(page.get_by_label("With", exact=True)).to_be_focused()
    expect(page.locator("#announcement")).to_contain_text("free times")
    page.get_by_label("Morning").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("link", name="Remove: Morning")).to_be_visible()
    expect(page.get_by_label("Morning")).to_be_focused()
    page.get_by_role("link", name="Clear all").press("Enter")
    expect(page.get_by_role("link", name="Clear all")).to_have_count(0)
    assert is_same(page)
    assert not violations


def test_filters_are_folded_on_a_phone(page: Page, colleagues, violations):
    page.goto(f"/book/{colleagues.fhir_id}/")
    expect(page.get_by_label("Language spoken")).to_be_hidden()
    page.locator(".narrow__summary").click()
    page.get_by_label("Where").select_option("Riverside Garden")
    expect(page.locator(".narrow__summary")).to_contain_text("1 in use")
    expect(page.get_by_label("Where")).to_be_visible()
    expect(page.locator(".first__time").first).to_contain_text("Dr. Rafael Silva")
    assert not violations


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_times_are_narrowed_and_a_month_read_without_javascript(page: Page, colleagues):
    page.goto(f"/book/{colleagues.fhir_id}/")
    page.locator(".narrow__summary").click()
    page.get_by_label("Where").select_option("Riverside Garden")
    page.get_by_role("button", name="Show times").click()
    expect(page.get_by_role("link", name="Remove: Riverside Garden")).to_be_visible()
    expect(page.get_by_role("button", name="Near me")).to_be_hidden()
    page.get_by_role("link", name="Month", exact=True).click()
    page.get_by_role("link", name="Next month").click()
    page.get_by_role("table").get_by_role("link", name=re.compile("free times?$")).nth(4).click()
    expect(page.locator(".month [aria-current]")).to_have_count(1)
    page.locator(".time").first.click()
    expect(page).not_to_have_url(re.compile(r"\?month="))


def test_a_month_by_keyboard(page: Page, colleagues, violations):
    page.set_viewport_size(DESK)
    page.goto(f"/book/{colleagues.fhir_id}/")
    stay(page)
    page.get_by_role("link", name="Month", exact=True).press("Enter")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.locator("#show-month")).to_be_focused()
    page.get_by_role("link", name="Next month").press("Enter")
    expect(page.locator("#month-next")).to_be_focused()
    expect(page.get_by_role("link", name="Previous month")).to_be_visible()
    day = page.get_by_role("table").get_by_role("link", name=re.compile("free times$")).nth(9)
    day.focus()
    page.keyboard.press("Enter")
    expect(day).to_have_attribute("aria-current", "date")
    expect(day).to_be_focused()
    expect(page.locator("#announcement")).to_contain_text("free times")
    page.get_by_role("link", name="Week", exact=True).press("Enter")
    expect(page.get_by_role("table")).to_have_count(0)
    assert is_same(page)
    assert not violations


def test_sites_near_me(page: Page, context: BrowserContext, colleagues, violations):
    context.grant_permissions(["geolocation"])
    context.set_geolocation({"latitude": 40.7912345, "longitude": -73.9712345})
    page.set_viewport_size(DESK)
    page.goto(f"/book/{colleagues.fhir_id}/")
    page.get_by_role("button", name="Near me").click()
    expect(page.get_by_role("button", name="Forget where I am")).to_be_visible()
    labels = page.get_by_label("Where").locator("option").all_inner_texts()
    assert labels == ["Anywhere", "Riverside Garden, less than 1 mile away", "Riverside Main Street, 7 miles away"]
    assert "40." not in page.url
    page.get_by_role("button", name="Forget where I am").click()
    expect(page.get_by_role("button", name="Near me")).to_be_visible()
    assert not violations


@pytest.mark.browser_context_args(permissions=[])
def test_a_refused_location_leads_to_instructions(page: Page, colleagues):
    page.set_viewport_size(DESK)
    page.goto(f"/book/{colleagues.fhir_id}/")
    page.get_by_role("button", name="Near me").click()
    expect(page.locator("#announcement")).to_contain_text("Choose a place from the list instead.")


@pytest.mark.browser_context_args(timezone_id="Asia/Tokyo")
def test_a_visit_by_video_in_ones_own_zone(page: Page, colleagues, violations):
    page.goto("/")
    page.get_by_role("link", name="Advice by video").click()
    page.get_by_text("Change the time zone").click()
    page.get_by_role("button", name=re.compile("Use this device")).click()
    expect(page.get_by_text("All times are in Tokyo time.")).to_be_visible()
    expect(page.locator(".time").first).to_contain_text("New York time")
    assert "zone=Asia" in page.url
    assert not violations


STATES = (
    "/?q=teeth",
    "/?eligibility=new&by=video",
    "/?service=gone",
    "/book/{}/?month=2027-01&language=es&part=morning",
    "/book/{}/?practitioner=nobody",
    "/book/{}/?gender=male&location=nowhere&weekday=sun",
)


def test_every_state(page: Page, colleagues, violations):
    problems: list[str] = []
    for state in STATES:
        page.set_viewport_size(PHONE)
        page.goto(state.format(colleagues.fhir_id))
        for summary in page.locator("main summary:visible").all():
            summary.click()
        problems += look_everywhere(page, state, every_impact=True)
    assert not problems, "\n".join(problems)
    assert not violations
