"""Days and weeks that are full, compared with counting each local date by hand."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.core.limits import Limits, full_days, full_sessions, full_weeks, week_of

ZONES = ("America/New_York", "Europe/London", "Pacific/Apia", "Australia/Lord_Howe")
BEGIN = datetime(2030, 10, 20, tzinfo=ZoneInfo("UTC"))
HOURS = st.integers(0, 24 * 30)


def seconds(hours):
    return int((BEGIN + timedelta(hours=hours)).timestamp())


def is_in(spans, at):
    return any(first <= at < last for first, last in spans)


@given(zone=st.sampled_from(ZONES), most=st.integers(1, 3), taken=st.lists(HOURS, max_size=12), probe=HOURS)
def test_a_time_is_full_if_its_local_day_or_week_has_as_many_visits(zone, most, taken, probe):
    local = ZoneInfo(zone)
    days = [(BEGIN + timedelta(hours=each)).astimezone(local).date() for each in taken]
    day = (BEGIN + timedelta(hours=probe)).astimezone(local).date()
    starts, at, limits = list(map(seconds, taken)), seconds(probe), Limits(most, most)

    assert is_in(full_days(limits, starts, local), at) == (days.count(day) >= most)
    in_week = [each for each in days if each.isocalendar()[:2] == day.isocalendar()[:2]]
    assert is_in(full_weeks(limits, starts, local), at) == (len(in_week) >= most)


def test_without_a_limit_nothing_is_full():
    assert full_days(Limits(week=1), [seconds(0)], ZoneInfo("UTC")) == []
    assert full_weeks(Limits(day=1), [seconds(0)], ZoneInfo("UTC")) == []


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2030, 10, 20), (date(2030, 10, 14), date(2030, 10, 20))),
        (date(2030, 12, 31), (date(2030, 12, 30), date(2031, 1, 5))),
        (date.min, (date.min, date(1, 1, 7))),
        (date.max, (date(9999, 12, 27), date.max)),
    ],
)
def test_a_week_is_from_monday_to_sunday(day, week):
    assert week_of(day) == week


MORNING, AFTERNOON = (100, 200), (200, 300)


@pytest.mark.parametrize(
    ("starts", "series", "full"),
    [
        ([], [], []),
        ([100], [], []),
        ([100, 199], [], [MORNING]),
        ([100, 200], [], []),
        ([200, 299, 300], [], [AFTERNOON]),
        ([100], [150, 160], [MORNING]),
        ([100], [150, 250], []),
    ],
)
def test_a_session_is_full_with_the_visits_that_begin_in_it(starts, series, full):
    assert full_sessions(2, [AFTERNOON, MORNING], starts, series) == full
    assert full_sessions(None, [AFTERNOON, MORNING], starts, series) == []
