"""Hours every few weeks and on the n-th weekday of a month, over the ends of months and years and clock changes."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.core.hours import Window, open_spans
from scheduling.core.recurrence import EVERY_WEEK, LAST, Recurrence, every
from tests.core import model
from tests.core.model import seconds
from tests.core.strategies import recurrences

MON, WED, SUN = 0, 2, 6
NEW_YORK = ZoneInfo("America/New_York")
CASES = [
    pytest.param(
        *(MON, every(2, date(2026, 12, 14)), "2026-12-01", "2027-02-01"),
        ["2026-12-14", "2026-12-28", "2027-01-11", "2027-01-25"],
        id="every second week, over the end of a year of 53 weeks",
    ),
    pytest.param(
        *(MON, every(2, date(2027, 12, 20)), "2027-12-13", "2028-01-20"),
        ["2027-12-20", "2028-01-03", "2028-01-17"],
        id="and of one of 52",
    ),
    pytest.param(
        *(SUN, every(2, date(2026, 12, 14)), "2026-12-13", "2027-01-11"),
        ["2026-12-20", "2027-01-03"],
        id="the Sunday belongs to the week of the Monday before",
    ),
    pytest.param(
        *(MON, every(3, date(2026, 3, 4)), "2026-02-01", "2026-04-20"),
        ["2026-02-09", "2026-03-02", "2026-03-23", "2026-04-13"],
        id="every third week, in the weeks before the one that is named too",
    ),
    pytest.param(
        *(MON, Recurrence(nth=(1,)), "2026-01-01", "2026-05-01"),
        ["2026-01-05", "2026-02-02", "2026-03-02", "2026-04-06"],
        id="the first Monday",
    ),
    pytest.param(
        *(WED, Recurrence(nth=(LAST,)), "2027-12-01", "2028-04-01"),
        ["2027-12-29", "2028-01-26", "2028-02-23", "2028-03-29"],
        id="the last Wednesday, the fourth or the fifth",
    ),
    pytest.param(
        *(SUN, Recurrence(nth=(4, LAST)), "2026-02-01", "2026-04-01"),
        ["2026-02-22", "2026-03-22", "2026-03-29"],
        id="the fourth and the last, which are one in February",
    ),
    pytest.param(
        *(MON, Recurrence(nth=(1, 3)), "2026-06-01", "2026-07-10"),
        ["2026-06-01", "2026-06-15", "2026-07-06"],
        id="the first and third, in a month that begins on a Monday",
    ),
]


@pytest.mark.parametrize(("weekday", "recurrence", "start", "end", "days"), CASES)
def test_the_days_of_a_recurrence(weekday, recurrence, start, end, days):
    hours = (Window(frozenset({weekday}), time(9), time(10), recurrence=recurrence),)
    found = open_spans(hours, ZoneInfo("UTC"), seconds(f"{start}T00:00"), seconds(f"{end}T00:00"))
    assert [datetime.fromtimestamp(first, UTC).date().isoformat() for first, _last in found] == days


def test_clocks_that_change_leave_it_at_its_time_and_in_its_week():
    """New York: clocks go forward on Sunday 8 March 2026; the night before belongs to its own week."""
    night = Window(frozenset({5}), time(22), time(6), recurrence=every(2, date(2026, 3, 7)))
    day = Window(frozenset({6}), time(1), time(4), recurrence=Recurrence(nth=(2,)))
    found = open_spans((night, day), NEW_YORK, seconds("2026-03-01T05:00"), seconds("2026-04-01T05:00"))
    assert found == [
        (seconds("2026-03-08T03:00"), seconds("2026-03-08T10:00")),  # 22:00 EST to 06:00 EDT, with the second Sunday
        (seconds("2026-03-22T02:00"), seconds("2026-03-22T10:00")),
    ]


@given(recurrences, st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_day_recurs_as_in_the_model(recurrence, day):
    assert recurrence.includes(day) == model.recurs(recurrence, day)


@given(recurrences.filter(lambda each: not each.nth), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_the_next_week_is_the_first_that_is_not_over(recurrence, day):
    monday = recurrence.next_week(day)
    assert (monday.weekday(), recurrence.includes(monday)) == (0, True)
    assert 0 <= (monday - day).days + day.weekday() < 7 * recurrence.interval


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_every_week_is_every_day(day):
    assert EVERY_WEEK.includes(day)
