"""Times in more than one zone: a visit by video seen from elsewhere, and the week in which the clocks change."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic import time_text
from clinic.models import Appointment, HealthcareService
from scheduling.availability import TimeQuery, arrangements_for, as_datetime, find_times, ways_of
from tests.browser.conftest import DESK
from tests.factories import NEW_YORK, AppointmentFactory, LocationFactory, ScheduleFactory, ServiceFactory

BERLIN = "Europe/Berlin"
HERE, THERE = ZoneInfo(BERLIN), ZoneInfo(NEW_YORK)
DAY = timedelta(days=1)
AT_NIGHT = [
    {
        "daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "availableStartTime": "00:00:00",
        "availableEndTime": "06:00:00",
    }
]


CLOCK = "button => [...button.childNodes].filter(each => each.nodeType === 3).map(each => each.data).join('').trim()"


@pytest.mark.browser_context_args(timezone_id=BERLIN)
def test_a_visit_by_video_says_both_clocks_from_choosing_to_the_day(page: Page, clinic, ada, sign_in, violations):
    video = HealthcareService.objects.get(telehealth=True)
    clinic.questionnaires.clear()
    sign_in(ada.user)
    page.goto(f"/book/{video.fhir_id}/?zone={BERLIN}")
    expect(page.get_by_text("All times are in Berlin time.")).to_be_visible()
    first = page.locator(".first__time").first
    start = datetime.fromisoformat(first.get_attribute("value").partition("~")[0])
    expect(first).to_contain_text(time_text.clock(start.astimezone(HERE)))
    expect(first).to_contain_text(re.compile(rf"{time_text.clock(start.astimezone(THERE))}.*New York time"))
    first.click()
    page.get_by_role("button", name=re.compile("^Confirm ")).click()
    expect(page.get_by_role("heading", name="Your visit is booked")).to_be_visible()
    visit = Appointment.objects.get()
    assert visit.start == start
    for address in ("booked/", ""):
        page.goto(f"/appointments/{visit.fhir_id}/{address}")
        expect(page.get_by_text(re.compile(rf"{start.astimezone(THERE):%-I:%M} .*New York time")).first).to_be_visible()
        expect(page.get_by_text(re.compile(rf"{start.astimezone(HERE):%-I:%M} .*Berlin time")).first).to_be_visible()
    assert not violations


@pytest.mark.browser_context_args(timezone_id=NEW_YORK)
def test_a_patient_in_the_sites_zone_reads_one_clock(page: Page, clinic, ada, site, sign_in):
    video = HealthcareService.objects.get(telehealth=True)
    visit = AppointmentFactory(patient=ada, service=video, site=site, start=timezone.now() + 3 * DAY)
    sign_in(ada.user)
    page.goto(f"/appointments/{visit.fhir_id}/")
    expect(page.get_by_text("New York time").first).to_be_visible()
    expect(page.get_by_text("where you are")).to_have_count(0)


def next_changes(zone: ZoneInfo) -> tuple[date, date]:
    """The next two days, from the day after tomorrow on, that are not 24 hours long: one in spring, one in autumn."""

    def length(day: date) -> timedelta:
        start, end = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + DAY))
        return end - start

    first_day = timezone.now().astimezone(zone).date() + 2 * DAY
    days = (first_day + n * DAY for n in range(400))
    first, second, *_later = (day for day in days if length(day) != DAY)
    return first, second


def free_times(service: HealthcareService, day: date, zone: ZoneInfo) -> list[datetime]:
    """Return the free times of a local day, from the engine."""
    start, end = (datetime.combine(each, time(), zone) for each in (day, day + DAY))
    query = TimeQuery(ways=ways_of(service, arrangements_for(service)), start=start, end=end)
    return [as_datetime(found.start) for found in find_times(query, now=timezone.now())]


@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("name", [NEW_YORK, BERLIN])
def test_the_week_in_which_the_clocks_change(page: Page, transactional_db, name, which, violations):
    zone = ZoneInfo(name)
    service = ServiceFactory(name="Night visit", hours=AT_NIGHT, interval=30)
    ScheduleFactory(services=[service], site=LocationFactory(timezone=name), timezone=name)
    change = next_changes(zone)[which]
    week = change - 3 * DAY
    page.set_viewport_size(DESK)
    for day in (change - DAY, change, change + DAY):
        page.goto(f"/book/{service.fhir_id}/?week={week}&date={day}")
        expect(page.locator("[aria-current=date]")).to_have_count(1)
        buttons = page.locator(".time").all()
        starts = [datetime.fromisoformat(each.get_attribute("value").partition("~")[0]) for each in buttons]
        assert starts == free_times(service, day, zone)
        clocks = [each.evaluate(CLOCK) for each in buttons]
        assert clocks == [time_text.clock(moment.astimezone(zone)) for moment in starts]
        assert len(set(clocks)) == len(clocks)  # repeated times have different labels
    counts = [len(free_times(service, week + n * DAY, zone)) for n in range(7)]
    for count, element in zip(counts, page.locator(".strip__day").all(), strict=True):
        expect(element).to_contain_text(f"{count} free times")
    assert len(set(counts)) == 2  # a day of another length has more or fewer times
    assert not violations
