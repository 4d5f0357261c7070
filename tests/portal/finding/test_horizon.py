"""The booking horizon on the page, and messages for dates beyond it or in the past."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic import time_text
from portal.finding.months import read_month
from portal.finding.times import read_menu
from portal.finding.weeks import Outside, read_week
from tests.factories import NEW_YORK

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 29)
NOW = datetime(2026, 11, 29, 8, tzinfo=ZoneInfo(NEW_YORK))


@pytest.fixture
def menu(checkup, schedule):
    checkup.booking_horizon_days = 90
    checkup.save()
    return read_menu(checkup)


@pytest.mark.parametrize(
    ("week", "day", "outside", "first"),
    [
        (None, date(2026, 12, 3), None, date(2026, 11, 29)),
        (None, date(2027, 2, 27), None, date(2027, 2, 21)),  # the last day
        (None, date(2027, 2, 28), Outside.TOO_FAR, date(2027, 2, 27)),
        (None, date(9999, 12, 31), Outside.TOO_FAR, date(2027, 2, 27)),
        (None, date(2026, 11, 28), Outside.PAST, date(2026, 11, 29)),
        (None, date(1, 1, 1), Outside.PAST, date(2026, 11, 29)),
        (date(2026, 11, 26), None, None, date(2026, 11, 29)),  # a link of three days ago
        (date(2026, 11, 20), None, Outside.PAST, date(2026, 11, 29)),
        (date(2026, 12, 6), date(2026, 12, 20), None, date(2026, 12, 20)),  # a day of another week counts
    ],
)
def test_a_week(menu, week, day, outside, first):
    found_week = read_week(menu, week, day, now=NOW)
    assert (found_week.outside, found_week.first, found_week.until) == (outside, first, date(2027, 2, 27))


@pytest.mark.parametrize(
    ("month", "day", "outside", "first"),
    [
        (date(2026, 11, 1), None, None, TODAY),
        (date(2027, 2, 1), None, None, date(2027, 2, 1)),
        (date(2027, 3, 1), None, Outside.TOO_FAR, date(2027, 2, 1)),
        (date(2026, 10, 1), None, Outside.PAST, TODAY),
        (date(2026, 12, 1), date(2027, 1, 9), None, date(2027, 1, 1)),
    ],
)
def test_a_month(menu, month, day, outside, first):
    found_month = read_month(menu, month, day, now=NOW)
    assert (found_month.outside, found_month.first) == (outside, first)


def test_it_is_where_the_last_schedule_ends(checkup, schedule):
    schedule.planning_end = datetime(2027, 1, 16, tzinfo=ZoneInfo(NEW_YORK))
    schedule.save()
    assert read_week(read_menu(checkup), None, None, now=NOW).until == date(2027, 1, 15)


def test_the_page_says_both(client, checkup, schedule):
    today = timezone.now().astimezone(ZoneInfo(NEW_YORK)).date()
    checkup.booking_horizon_days = 30
    checkup.save()
    last = time_text.long_day(today + timedelta(days=30))
    assertContains(client.get(f"/book/{checkup.fhir_id}/"), f"Times until {last}.")
    far = client.get(f"/book/{checkup.fhir_id}/", {"date": today + timedelta(days=31)})
    assertContains(far, "That is too far ahead.")
    yesterday = today - timedelta(days=1)
    past = client.get(f"/book/{checkup.fhir_id}/", {"date": yesterday})
    assertContains(past, f"{time_text.full_day(yesterday)} is over.")
    assertContains(client.get(f"/book/{checkup.fhir_id}/", {"month": "1999-10"}), "That month is over.")
    assertContains(client.get(f"/book/{checkup.fhir_id}/", {"date": "9999-12-31"}), "That is too far ahead.")


def test_without_an_end_none_is_said(client, checkup, schedule):
    assertNotContains(client.get(f"/book/{checkup.fhir_id}/"), "Times until")
