"""Opening hours: from the wall clock to instants, also overnight and when the clocks change."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.core.hours import (
    ClosedTime,
    Window,
    closed_spans,
    instant,
    local_date,
    local_day,
    open_spans,
    whole_days,
)
from tests.core import model
from tests.core.model import DAY, MINUTE, minutes_of, seconds, spans_of
from tests.core.strategies import dated, hours, moments, searches, wall_times

EVERY_DAY = frozenset(range(7))
HOUR = 3600
NEW_YORK = ZoneInfo("America/New_York")


def window(text, weekdays=EVERY_DAY):
    return Window(weekdays, *(time.fromisoformat(each) for each in text.split("-")))


@pytest.mark.parametrize(
    ("day", "hours", "first_minute", "length"),
    [
        pytest.param("2026-03-08", "10:00-16:00", "14:00", 6, id="clocks went forward before opening"),
        pytest.param("2026-03-08", "00:30-06:30", "05:30", 5, id="an hour is skipped while open"),
        pytest.param("2026-03-08", "02:30-09:30", "07:30", 6, id="opens at a skipped time: an hour on"),
        pytest.param("2025-11-02", "00:30-06:30", "04:30", 7, id="an hour is repeated while open"),
        pytest.param("2025-11-02", "01:30-06:30", "05:30", 6, id="opens at a repeated time: the first"),
        pytest.param("2025-11-02", "10:00-16:00", "15:00", 6, id="clocks went back before opening"),
        pytest.param("2026-01-14", "09:00-02:00", "14:00", 17, id="closes after midnight"),
        pytest.param("2026-01-14", "09:00-09:00", "14:00", 24, id="closes when it opens: a day later"),
        pytest.param("2026-01-14", "00:00-00:00", "05:00", 24, id="all day"),
        pytest.param("2026-03-08", "00:00-00:00", "05:00", 23, id="all day in spring"),
        pytest.param("2025-11-02", "00:00-00:00", "04:00", 25, id="all day in autumn"),
        pytest.param("2026-01-14", "20:00-00:00", "01:00+1", 4, id="until midnight"),
    ],
)
def test_new_york_opening_hours_in_utc(day, hours, first_minute, length):
    of_that_day = window(hours, frozenset({date.fromisoformat(day).weekday()}))
    at, _, next_day = first_minute.partition("+")
    start = seconds(f"{day}T{at}") + (DAY * MINUTE if next_day else 0)
    midnight = seconds(f"{day}T00:00")
    assert list(open_spans((of_that_day,), NEW_YORK, midnight, midnight + 3 * DAY * MINUTE)) == [
        (start, start + length * HOUR)
    ]


@pytest.mark.parametrize(
    ("hours", "spans"),
    [
        pytest.param([], [], id="no hours at all"),
        pytest.param(["09:00-12:00", "13:00-17:00"], ["09:00-12:00", "13:00-17:00"], id="a lunch break"),
        pytest.param(["13:00-17:00", "09:00-13:00"], ["09:00-17:00"], id="windows that touch are one"),
        pytest.param(["09:00-14:00", "13:00-17:00"], ["09:00-17:00"], id="windows that overlap are one"),
        pytest.param(["22:00-06:00"], ["00:00-06:00", "22:00-24:00"], id="last night, and tonight"),
        pytest.param(["00:00-00:00"], ["00:00-24:00"], id="never closes"),
        pytest.param(["18:00-18:00"], ["00:00-24:00"], id="from evening to evening, every day"),
        pytest.param(["09:00:30-09:01:15"], ["09:00:30-09:01:15"], id="to the second"),
    ],
)
def test_one_day_of_hours_in_utc(hours, spans):
    midnight = seconds("2026-06-01T00:00")
    found = open_spans(tuple(map(window, hours)), ZoneInfo("UTC"), midnight, midnight + DAY * MINUTE)
    assert ["-".join(map(_time_of_day, (at - midnight for at in span))) for span in found] == spans


def _time_of_day(at):
    minutes, rest = divmod(at, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")


def test_a_window_belongs_to_the_day_it_starts_on():
    saturday_night = window("22:00-06:00", frozenset({5}))
    week = seconds("2026-06-01T00:00"), seconds("2026-06-09T00:00")
    assert list(open_spans((saturday_night,), ZoneInfo("UTC"), *week)) == [
        (seconds("2026-06-06T22:00"), seconds("2026-06-07T06:00"))
    ]


@pytest.mark.parametrize("hour", [22, 23, 24, 29])
def test_a_search_that_starts_in_the_night_finds_the_rest_of_it(hour):
    saturday_night = window("22:00-06:00", frozenset({5}))
    start = seconds("2026-06-06T00:00") + hour * HOUR
    assert list(open_spans((saturday_night,), ZoneInfo("UTC"), start, start + 2 * DAY * MINUTE)) == [
        (start, seconds("2026-06-07T06:00"))
    ]


@pytest.mark.parametrize(
    ("hours", "first", "last", "spans"),
    [
        pytest.param(
            *("09:00-17:00", "2026-03-07", "2026-03-08"),
            ["2026-03-07T14:00/2026-03-07T22:00", "2026-03-08T13:00/2026-03-08T21:00"],
            id="the first and the last day count, whatever the clocks do between them",
        ),
        pytest.param(
            *("00:00-00:00", "2026-03-08", "2026-03-08"),
            ["2026-03-08T05:00/2026-03-09T04:00"],
            id="all of a day that is an hour short",
        ),
        pytest.param(
            *("00:00-00:00", "2026-11-01", "2026-11-01"),
            ["2026-11-01T04:00/2026-11-02T05:00"],
            id="all of a day that is an hour long",
        ),
        pytest.param(
            *("22:00-06:00", "2026-03-06", "2026-03-07"),
            ["2026-03-07T03:00/2026-03-07T11:00", "2026-03-08T03:00/2026-03-08T10:00"],
            id="the night that begins on the last day runs to its end, an hour short",
        ),
        pytest.param(
            *("22:00-06:00", "2026-10-31", "2026-10-31"),
            ["2026-11-01T02:00/2026-11-01T11:00"],
            id="and no night has begun the day before the first",
        ),
    ],
)
def test_hours_that_count_for_some_days_only(hours, first, last, spans):
    dated = replace(window(hours), first=date.fromisoformat(first), last=date.fromisoformat(last))
    around = seconds("2026-01-01T00:00"), seconds("2027-01-01T00:00")
    found = open_spans((dated,), NEW_YORK, *around)
    assert found == [tuple(map(seconds, span.split("/"))) for span in spans]


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        pytest.param(None, "2026-06-02", [1, 2], id="until a day"),
        pytest.param("2026-06-03", None, [3, 4, 5], id="from a day"),
        pytest.param(None, None, [1, 2, 3, 4, 5], id="always"),
    ],
)
def test_hours_may_be_without_a_first_or_a_last_day(first, last, days):
    dated = replace(
        window("09:00-10:00"),
        first=first and date.fromisoformat(first),
        last=last and date.fromisoformat(last),
    )
    found = open_spans((dated,), ZoneInfo("UTC"), seconds("2026-06-01T00:00"), seconds("2026-06-06T00:00"))
    assert [datetime.fromtimestamp(start, ZoneInfo("UTC")).day for start, _ in found] == days


def test_a_search_without_any_time_finds_nothing():
    noon = seconds("2026-06-01T12:00")
    assert list(open_spans((window("00:00-00:00"),), NEW_YORK, noon, noon)) == []
    assert list(open_spans((window("00:00-00:00"),), NEW_YORK, noon, noon - 1)) == []


@pytest.mark.parametrize(
    ("zone", "day", "starts", "lengths", "walls"),
    [
        pytest.param("UTC", "2026-06-01", "2026-06-01T00:00", [24], [0], id="an ordinary day"),
        pytest.param("America/New_York", "2026-03-08", "2026-03-08T05:00", [2, 21], [0, 3], id="an hour skipped"),
        pytest.param("America/New_York", "2026-11-01", "2026-11-01T04:00", [2, 23], [0, 1], id="an hour repeated"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", [2, 22.5], [0, 1.5], id="half an hour"),
        pytest.param("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", [23], [1], id="no midnight"),
        pytest.param("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00", [24, 1], [0, 23], id="23:00 twice"),
        pytest.param("America/Nuuk", "2026-03-28", "2026-03-28T02:00", [23], [0], id="no 23:00"),
        pytest.param("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", [24], [0], id="Apia, the day before"),
        pytest.param("Pacific/Apia", "2011-12-30", None, [], [], id="Apia, the day that never was"),
        pytest.param("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", [24], [0], id="Apia, the day after"),
    ],
)
def test_a_local_day_is_made_of_even_stretches(zone, day, starts, lengths, walls):
    stretches = local_day(date.fromisoformat(day), ZoneInfo(zone))
    assert [(each.end - each.start) / HOUR for each in stretches] == lengths
    assert [each.wall / HOUR for each in stretches] == walls
    if stretches:
        assert stretches[0].start == seconds(starts)
        assert [each.end for each in stretches[:-1]] == [each.start for each in stretches[1:]]


@pytest.mark.parametrize(
    ("zone", "first", "last", "start", "end"),
    [
        pytest.param("UTC", "2026-06-01", "2026-06-01", "2026-06-01", "2026-06-02", id="one day"),
        pytest.param(
            *("America/New_York", "2026-03-07", "2026-03-08", "2026-03-07T05:00", "2026-03-09T04:00"),
            id="two days, an hour short",
        ),
        pytest.param(
            *("Asia/Beirut", "2026-03-29", "2026-03-29", "2026-03-28T22:00", "2026-03-29T21:00"),
            id="a day without a midnight",
        ),
        pytest.param(
            *("America/Havana", "2025-11-02", "2025-11-02", "2025-11-02T04:00", "2025-11-03T05:00"),
            id="a day with two midnights begins at the first",
        ),
        pytest.param(
            *("Pacific/Apia", "2011-12-29", "2011-12-31", "2011-12-29T10:00", "2011-12-31T10:00"),
            id="three days of which one never was",
        ),
        pytest.param(
            *("Pacific/Apia", "2011-12-30", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),
            id="a day that never was has no time",
        ),
    ],
)
def test_whole_days(zone, first, last, start, end):
    days = whole_days(date.fromisoformat(first), date.fromisoformat(last), ZoneInfo(zone))
    assert days == (seconds(start), seconds(end))


@given(st.data(), moments)
def test_open_is_every_minute_of_every_window_of_every_day(data, moment):
    week = data.draw(dated(hours, moment))
    start, end = data.draw(searches(moment.at, longest=4 * DAY))
    expected = model.open_minutes(week, moment.zone, start // MINUTE, end // MINUTE)
    assert list(open_spans(week, moment.zone, start, end)) == spans_of(expected)


@given(st.data(), moments)
def test_a_narrower_search_finds_the_same_hours(data, moment):
    """Hours never depend on the search window."""
    week = data.draw(dated(hours, moment))
    wide = (moment.at - 7 * DAY) * MINUTE, (moment.at + 7 * DAY) * MINUTE
    start, end = data.draw(searches(moment.at, longest=4 * DAY))
    within = minutes_of(open_spans(week, moment.zone, *wide)) & minutes_of([(start, end)])
    assert list(open_spans(week, moment.zone, start, end)) == spans_of(within)


@given(moments, st.integers(-3 * DAY, 3 * DAY), wall_times)
def test_a_local_time_is_the_first_that_shows_it_or_counted_on_from_before_the_gap(moment, away, wall):
    local = model.clock(moment.zone, moment.at - 3 * DAY, moment.at + 3 * DAY)
    day = local.shows[moment.at + away].date()
    assert instant(day, wall, moment.zone) == local.when(day, wall) * MINUTE


@given(moments, st.integers(-2 * DAY, 2 * DAY))
def test_a_local_day_is_exactly_the_minutes_with_its_date(moment, away):
    local = model.clock(moment.zone, moment.at - 4 * DAY, moment.at + 4 * DAY)
    day = local.shows[moment.at + away].date()
    for each in [day, day + timedelta(days=1)]:
        stretches = local_day(each, moment.zone)
        expected = {
            minute: datetime.combine(each, time(0)) + timedelta(seconds=part.wall + n * MINUTE)
            for part in stretches
            for n, minute in enumerate(range(part.start // MINUTE, part.end // MINUTE))
        }
        assert expected == {minute: wall for minute, wall in local.shows.items() if wall.date() == each}
    assert local_date((moment.at + away) * MINUTE, moment.zone) == day


APIA = ZoneInfo("Pacific/Apia")  # it skipped 30 December 2011


@pytest.mark.parametrize(("start", "end", "closed"), [
    ("2011-12-30T06:00", "2011-12-30T18:00", []),
    ("2011-12-30T06:00", "2011-12-31T02:00", ["2011-12-31T00:00", "2011-12-31T02:00"]),
    ("2011-12-29T22:00", "2011-12-30T06:00", ["2011-12-29T22:00", "2011-12-31T00:00"]),
    ("2011-12-29T22:00", "2011-12-31T02:00", ["2011-12-29T22:00", "2011-12-31T02:00"]),
])  # fmt: skip
def test_time_that_is_closed_on_a_day_that_the_clocks_skip_is_no_time(start, end, closed):
    time_closed = ClosedTime(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end))
    found = closed_spans((time_closed,), APIA, seconds("2011-12-01T00:00"), seconds("2012-01-31T00:00"))
    walls = [datetime.fromisoformat(wall).replace(tzinfo=APIA) for wall in closed]
    assert [at for span in found for at in span] == [int(wall.timestamp()) for wall in walls]
