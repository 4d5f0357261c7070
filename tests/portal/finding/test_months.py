"""A month of free times."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertContains

from portal.finding.months import Month, read_month
from portal.finding.times import read_menu
from portal.finding.weeks import DayCount
from tests.factories import NEW_YORK, SlotFactory

pytestmark = pytest.mark.django_db


def days_of(year, month, first, last):
    days = [DayCount(date(year, month, each), 0) for each in range(first, last + 1)]
    return Month(days=days, opened=None, previous=None, following=None, first_available=[], next_free=None)


def numbers(month):
    return [[day.date.day if day else None for day in row] for row in month.rows]


def in_words(day):
    return f"{day:%A}, {day:%B} {day.day}"


@pytest.fixture
def next_month():
    return (timezone.now().date().replace(day=1) + timedelta(days=32)).replace(day=1)


@pytest.fixture
def page(client, checkup, schedule, next_month):
    return client.get(f"/book/{checkup.fhir_id}/", {"month": f"{next_month:%Y-%m}"})


def test_the_days_stand_under_their_names():
    assert numbers(days_of(2026, 2, 1, 28)) == [[*range(at, at + 7)] for at in (1, 8, 15, 22)]


def test_past_months_have_no_days():
    assert numbers(days_of(2026, 11, 25, 30)) == [[None, None, None, 25, 26, 27, 28], [29, 30, *[None] * 5]]


def test_the_week_begins_as_in_the_clinics_country(settings):
    settings.CLINIC_COUNTRY = "DE"
    month = days_of(2026, 2, 1, 28)
    assert numbers(month)[0] == [None] * 6 + [1]
    assert month.weekdays[0].weekday() == 0


def test_each_day_says_how_many_times_it_has(page, next_month):
    free_days = page.context["free_days"]
    assert free_days.first == next_month
    assert len(free_days.days) in (28, 29, 30, 31)
    assertContains(page, f"{in_words(next_month)}, 31 free times")
    assertContains(page, f"{next_month:%B %Y}")


def test_its_first_free_day_is_opened_and_any_other_a_link(client, checkup, page, next_month):
    assert page.context["free_days"].opened.date == next_month
    third = next_month + timedelta(days=2)
    link = f"?month={next_month:%Y-%m}&amp;date={third:%Y-%m-%d}"
    assertContains(page, link)
    other = client.get(f"/book/{checkup.fhir_id}/{link.replace('&amp;', '&')}")
    assert other.context["free_days"].opened.date == third


def test_other_months_and_the_week_are_links(page, next_month):
    free_days = page.context["free_days"]
    assert free_days.previous == (next_month - timedelta(days=1)).replace(day=1)
    assert free_days.following == (next_month + timedelta(days=32)).replace(day=1)
    for words in ("Previous month", "Next month", 'id="show-week"'):
        assertContains(page, words)


def test_this_month_begins_today(client, checkup, schedule):
    today = timezone.now().astimezone(ZoneInfo(NEW_YORK)).date()
    free_days = client.get(f"/book/{checkup.fhir_id}/", {"month": f"{today:%Y-%m}"}).context["free_days"]
    assert free_days.first == today
    assert free_days.previous is None


@pytest.mark.parametrize(("day", "left"), [(1, 30), (15, 16), (29, 2), (30, 1)])
@pytest.mark.parametrize("hour", [6, 12, 23])
def test_this_month_asks_one_question_on_any_day(checkup, schedule, day, left, hour):
    now = datetime(2026, 11, day, hour, 50, tzinfo=ZoneInfo(NEW_YORK))
    menu = read_menu(checkup)

    with CaptureQueriesContext(connection) as statements:
        month = read_month(menu, now.date(), None, now=now)

    assert sum("clinic_slot" in statement["sql"] for statement in statements) == 1
    assert [month.first, month.last] == [now.date(), date(2026, 11, 30)]
    assert len(month.days) == left
    assert len(month.first_available) == 3
    assert (month.opened is None) == (month.count == 0) == ((day, hour) == (30, 23))


def test_a_month_without_times_leads_to_the_next_that_has_any(client, checkup, schedule, next_month):
    start = timezone.now() - timedelta(days=1)
    SlotFactory(schedule=schedule, start=start, end=start + timedelta(days=100), status="busy-unavailable")
    page = client.get(f"/book/{checkup.fhir_id}/", {"month": f"{next_month:%Y-%m}"})
    assertContains(page, "No free times this month")
    free = page.context["free_days"].next_free.start
    assert free > start + timedelta(days=99)
    assertContains(page, f"month={free:%Y-%m}&amp;date={free:%Y-%m-%d}")
