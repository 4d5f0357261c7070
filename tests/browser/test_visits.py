"""A patient's visits in a browser: see, move and cancel them, with an account and by a manage link."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Appointment, HealthcareService, Schedule
from scheduling.notifications import links
from tests.browser.conftest import DESK
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    PatientFactory,
    PractitionerFactory,
    RelatedPersonFactory,
    SlotFactory,
)

ZONE = ZoneInfo(NEW_YORK)
WITHOUT_JAVASCRIPT = pytest.mark.browser_context_args(java_script_enabled=False)


@pytest.fixture
def schedule(clinic):
    return Schedule.objects.get()


@pytest.fixture
def ten():
    """Ten o'clock in New York, in three days."""
    return datetime.combine(timezone.now().astimezone(ZONE).date() + timedelta(days=3), time(10), ZONE)


@pytest.fixture
def visit(ada, clinic, schedule, site, ten):
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    end = ten + timedelta(minutes=30)
    return AppointmentFactory(patient=ada, service=clinic, start=ten, end=end, schedules=[schedule], site=site)


@pytest.fixture
def link(visit):
    return links.manage_link(visit).removeprefix(settings.SITE_URL)


def now_of(visit: Appointment) -> tuple[str, datetime]:
    visit.refresh_from_db()
    return visit.status, visit.start


def choose(page: Page, clock: str) -> None:
    """Choose a time of the day that is open."""
    page.locator(".time").filter(has_text=clock).click()
    expect(page.get_by_role("heading", name="Move your visit?")).to_be_visible()


def open_the_day(page: Page, visit: Appointment) -> None:
    page.goto(f"{page.url.partition('?')[0]}?date={visit.start.astimezone(ZONE):%Y-%m-%d}")


def say_birth_date(page: Page, button: str) -> None:
    for label, number in (("Day", "4"), ("Month", "7"), ("Year", "1990")):
        page.get_by_label(label).fill(number)
    page.get_by_role("button", name=button).click()


def test_ones_own_and_a_childs_are_told_apart(page: Page, visit, ada, clinic, ten, sign_in):
    leo = PatientFactory(given="Leo", family="Quinn")
    RelatedPersonFactory(patient=leo, user=ada.user)
    AppointmentFactory(patient=leo, service=clinic, start=ten + timedelta(days=1))
    sign_in(ada.user)
    page.goto("/appointments/")
    own, childs = page.get_by_role("listitem").filter(has=page.get_by_role("heading", level=3)).all()
    expect(own).to_contain_text("For Ada Quinn.")
    expect(childs).to_contain_text("For Leo Quinn.")
    childs.get_by_role("link", name="Details").click()
    expect(page.get_by_role("definition").filter(has_text="Leo Quinn")).to_be_visible()


def test_moved_on_a_phone_the_old_time_stays_until_the_new_is_had(
    page: Page, visit, ada, chen, ten, sign_in, violations
):
    sign_in(ada.user)
    page.goto("/appointments/")
    page.get_by_role("link", name=re.compile("^Move")).click()
    expect(page.get_by_text("stays yours until you have confirmed the new time")).to_be_visible()
    assert page.url.endswith(f"?practitioner={chen.fhir_id}")  # at first, with the same person
    open_the_day(page, visit)
    choose(page, "12:00 PM")
    assert now_of(visit) == ("booked", ten)
    page.get_by_role("link", name="Other times").click()
    open_the_day(page, visit)
    choose(page, "1:15 PM")
    page.get_by_role("button", name=re.compile("^Move to .* 1:15 PM$")).click()
    expect(page.get_by_text("Your visit has been moved.")).to_be_visible()
    assert now_of(visit) == ("booked", ten + timedelta(hours=3.25))
    assert not violations


def test_if_somebody_is_faster_the_old_time_stays_and_others_are_shown(page: Page, visit, ada, ten, schedule, sign_in):
    sign_in(ada.user)
    page.goto(f"/appointments/{visit.fhir_id}/move/")
    open_the_day(page, visit)
    choose(page, "12:00 PM")
    SlotFactory(schedule=schedule, start=ten + timedelta(hours=2), end=ten + timedelta(hours=2.5))
    page.get_by_role("button", name=re.compile("^Move to ")).click()
    expect(page.get_by_text("Your visit stays as it was.")).to_be_visible()
    expect(page.locator(".time").filter(has_text="12:30 PM")).to_be_visible()
    expect(page.locator(".time").filter(has_text="12:00 PM")).to_have_count(0)
    assert now_of(visit) == ("booked", ten)


@WITHOUT_JAVASCRIPT
def test_moved_without_javascript(page: Page, visit, ada, ten, sign_in):
    sign_in(ada.user)
    page.goto(f"/appointments/{visit.fhir_id}/")
    page.get_by_role("link", name="Choose another time").click()
    open_the_day(page, visit)
    choose(page, "12:00 PM")
    page.get_by_role("button", name=re.compile("^Move to ")).click()
    expect(page.get_by_text("Your visit has been moved.")).to_be_visible()
    assert now_of(visit) == ("booked", ten + timedelta(hours=2))


def test_cancelled_with_a_reason_and_booked_again(page: Page, visit, ada, clinic, sign_in, violations):
    sign_in(ada.user)
    page.goto(f"/appointments/{visit.fhir_id}/")
    page.get_by_role("link", name="Cancel this visit").click()
    page.get_by_label("Why are you cancelling?").fill("Feeling better")
    page.get_by_role("button", name=re.compile("^Cancel ")).click()
    expect(page.get_by_text("Your visit has been cancelled.")).to_be_visible()
    assert now_of(visit)[0] == "cancelled"
    assert visit.cancelation_reason == {"text": "Feeling better"}
    page.get_by_role("link", name="Check-up").click()
    page.get_by_role("link", name="Book this visit again").click()
    expect(page).to_have_url(re.compile(f"/book/{clinic.fhir_id}/"))
    expect(page.locator(".first__time").first).to_contain_text("Mei Chen")
    assert not violations


def test_it_goes_into_a_calendar(page: Page, visit, ada, ten, sign_in):
    sign_in(ada.user)
    page.goto(f"/appointments/{visit.fhir_id}/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Apple Calendar and others").click()
    assert download.value.suggested_filename == "visit.ics"
    [event] = icalendar.Calendar.from_ical(download.value.path().read_bytes()).walk("VEVENT")
    assert event["DTSTART"].dt == ten


def test_a_calendar_program_reads_the_visits_until_the_address_is_taken_back(page: Page, visit, ada, sign_in):
    sign_in(ada.user)
    page.goto("/appointments/")
    page.get_by_role("link", name="See your visits in your own calendar").click()
    page.get_by_role("button", name="Create an address").click()
    address = page.get_by_label("Your new address").input_value()
    assert page.request.get(address).text().count("BEGIN:VEVENT") == 1
    page.get_by_role("button", name="Turn it off").click()
    expect(page.get_by_text("It no longer shows your visits.")).to_be_visible()
    assert page.request.get(address).status == 404


def manage_it(page: Page, link: str, visit: Appointment, ten: datetime) -> None:
    """Do everything that a manage link allows."""
    page.goto(link)
    expect(page.get_by_text("10:00 – 10:30 AM (New York time)")).to_be_visible()
    for message in ("Check-up", "Chen", "Ada"):
        expect(page.get_by_text(message)).to_have_count(0)
    page.get_by_role("button", name="I will come").click()
    expect(page.get_by_text("You have told us that you will come.")).to_be_visible()
    page.get_by_role("link", name="Choose another time").click()
    say_birth_date(page, "Continue")
    expect(page.get_by_text("stays yours until you have confirmed the new time")).to_be_visible()
    open_the_day(page, visit)
    choose(page, "12:00 PM")
    page.get_by_role("button", name=re.compile("^Move to ")).click()
    expect(page.get_by_text("Your visit has been moved.")).to_be_visible()
    assert now_of(visit) == ("booked", ten + timedelta(hours=2))
    page.get_by_role("link", name="Cancel this visit").click()
    page.get_by_role("button", name=re.compile("^Cancel ")).click()
    expect(page.get_by_text("Your visit has been cancelled.")).to_be_visible()
    assert now_of(visit)[0] == "cancelled"


def test_by_a_link_without_signing_in(page: Page, link, visit, ten, violations):
    manage_it(page, link, visit, ten)
    assert not violations


@WITHOUT_JAVASCRIPT
def test_by_a_link_without_javascript(page: Page, link, visit, ten):
    manage_it(page, link, visit, ten)


def test_by_a_link_the_birth_date_shows_the_details(page: Page, link):
    page.goto(link)
    page.get_by_role("button", name="Show the details").click()
    expect(page.get_by_role("alert")).to_be_focused()
    say_birth_date(page, "Show the details")
    expect(page.get_by_text("Dr. Mei Chen")).to_be_visible()
    expect(page.get_by_role("heading", name="See the details")).to_have_count(0)


def test_the_waiting_page_goes_in_when_the_room_opens(page: Page, base_url, visit, ada, schedule, sign_in, violations):
    schedule.meeting_url = f"{base_url}/readyz"
    schedule.save()
    visit.service = HealthcareService.objects.get(telehealth=True)
    visit.start = timezone.now() + timedelta(minutes=12)
    visit.end = visit.start + timedelta(minutes=20)
    visit.save()
    sign_in(ada.user)
    page.clock.install()
    page.goto(f"/appointments/{visit.fhir_id}/")
    page.get_by_role("link", name="Go to the video room").click()
    expect(page.get_by_role("heading", name="The room is not open yet")).to_be_visible()
    expect(page.get_by_text("Leave this page open")).to_be_visible()
    page.wait_for_load_state()  # it watches the clock now
    Appointment.objects.update(start=visit.start - timedelta(minutes=2))
    page.clock.run_for(121 * 1000)
    page.wait_for_url("**/readyz")
    assert not violations


def test_staff_who_are_patients_reach_their_own_visits(page: Page, visit, ada, sign_in):
    PractitionerFactory(user=ada.user)
    sign_in(ada.user)
    page.set_viewport_size(DESK)
    page.goto("/staff/today/")
    page.locator("summary").filter(has_text="Account").click()
    page.get_by_role("link", name="My visits").click()
    expect(page.get_by_role("heading", name="Check-up")).to_be_visible()
