"""A month of free times."""

from datetime import date, timedelta

import pytest
from django.utils import timezone, translation
from pytest_django.asserts import assertContains

from portal.finding.months import Month
from portal.finding.weeks import Day
from tests.factories import SlotFactory

pytestmark = pytest.mark.django_db


def days_of(year, month, first, last):
    days = [Day(date(year, month, each), 0) for each in range(first, last + 1)]
    return Month(days=days, opened=None, previous=None, following=None, first_available=[], next_free=None)


def numbers(month):
    return [[day.date.day if day else None for day in row] for row in month.rows]


def in_words(day):
    return f"{day:%A} {day.day} {day:%B}"


@pytest.fixture
def next_month():
    return (timezone.now().date().replace(day=1) + timedelta(days=32)).replace(day=1)


@pytest.fixture
def page(client, checkup, schedule, next_month):
    return client.get(f"/book/{checkup.fhir_id}/", {"month": f"{next_month:%Y-%m}"})


def test_the_days_stand_under_their_names():
    assert numbers(days_of(2026, 2, 1, 28)) == [[*range(at, at + 7)] for at in (1, 8, 15, 22)]


def test_what_has_passed_has_no_day():
    assert numbers(days_of(2026, 11, 25, 30)) == [[None, None, None, 25, 26, 27, 28], [29, 30, *[None] * 5]]


def test_the_week_begins_as_the_readers_does():
    with translation.override("de"):
        month = days_of(2026, 2, 1, 28)
        assert numbers(month)[0] == [None] * 6 + [1]
        assert month.weekdays[0].weekday() == 0


def test_each_day_says_how_many_times_it_has(page, next_month):
    shown = page.context["shown"]
    assert shown.first == next_month
    assert len(shown.days) in (28, 29, 30, 31)
    assertContains(page, f"{in_words(next_month)}, 31 free times")
    assertContains(page, f"{next_month:%B %Y}")


def test_its_first_free_day_is_opened_and_any_other_a_link(client, checkup, page, next_month):
    assert page.context["shown"].opened.date == next_month
    third = next_month + timedelta(days=2)
    link = f"?month={next_month:%Y-%m}&amp;date={third:%Y-%m-%d}"
    assertContains(page, link)
    other = client.get(f"/book/{checkup.fhir_id}/{link.replace('&amp;', '&')}")
    assert other.context["shown"].opened.date == third


def test_other_months_and_the_week_are_links(page, next_month):
    shown = page.context["shown"]
    assert shown.previous == (next_month - timedelta(days=1)).replace(day=1)
    assert shown.following == (next_month + timedelta(days=32)).replace(day=1)
    for words in ("Previous month", "Next month", 'id="show-week"'):
        assertContains(page, words)


def test_this_month_begins_today(client, checkup, schedule):
    today = timezone.now().date()
    shown = client.get(f"/book/{checkup.fhir_id}/", {"month": f"{today:%Y-%m}"}).context["shown"]
    assert abs(shown.first - today) <= timedelta(days=1)
    assert shown.previous is None


def test_a_month_without_times_leads_to_the_next_that_has_any(client, checkup, schedule, next_month):
    start = timezone.now() - timedelta(days=1)
    SlotFactory(schedule=schedule, start=start, end=start + timedelta(days=100), status="busy-unavailable")
    page = client.get(f"/book/{checkup.fhir_id}/", {"month": f"{next_month:%Y-%m}"})
    assertContains(page, "No free times this month")
    free = page.context["shown"].next_free.start
    assert free > start + timedelta(days=99)
    assertContains(page, f"month={free:%Y-%m}&amp;date={free:%Y-%m-%d}")
