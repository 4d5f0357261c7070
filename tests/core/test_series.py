"""Series keep one local time; every visit of a series that is found is offered, and no other series is found."""

from datetime import datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from scheduling.core.grid import Grid
from scheduling.core.hours import Window, local_date, whole_days
from scheduling.core.offers import Diary, Rules, Taken
from scheduling.core.series import (
    Agenda,
    Conflict,
    Recurrence,
    closest_visits,
    moved_starts,
    planned_visits,
    series_offers,
)
from tests.core import model
from tests.core.model import MINUTE, seconds
from tests.core.strategies import ALWAYS, arrangements, moments

NY, LONDON, HOWE, APIA = "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia"
CASABLANCA, KATHMANDU, SAO_PAULO = "Africa/Casablanca", "Asia/Kathmandu", "America/Sao_Paulo"
SKIPPED = None
ALL_TIME = (0, seconds("2100-01-01T00:00"))

# Zone, first visit, and the starts of all visits in UTC; SKIPPED where the clocks skip the local time.
CLOCKS = [
    pytest.param(
        *(NY, "2026-02-22T14:00"),
        ["2026-02-22T14:00", "2026-03-01T14:00", "2026-03-08T13:00", "2026-03-15T13:00"],
        id="NY spring: 09:00 stays 09:00",
    ),
    pytest.param(
        *(NY, "2026-02-22T07:30"),
        ["2026-02-22T07:30", "2026-03-01T07:30", SKIPPED, "2026-03-15T06:30"],
        id="NY spring: 02:30 is skipped once",
    ),
    pytest.param(
        *(NY, "2026-02-22T07:00"),
        ["2026-02-22T07:00", "2026-03-01T07:00", SKIPPED, "2026-03-15T06:00"],
        id="NY spring: the first minute of the gap",
    ),
    pytest.param(
        *(NY, "2026-02-22T08:00"),
        ["2026-02-22T08:00", "2026-03-01T08:00", "2026-03-08T07:00", "2026-03-15T07:00"],
        id="NY spring: the first minute after the gap",
    ),
    pytest.param(
        *(NY, "2026-10-25T05:30"),
        ["2026-10-25T05:30", "2026-11-01T05:30", "2026-11-08T06:30"],
        id="NY autumn: 01:30 is the first of two",
    ),
    pytest.param(
        *(NY, "2026-11-01T06:30"),
        ["2026-11-01T06:30", "2026-11-08T06:30"],
        id="NY autumn: a series can begin at the second 01:30",
    ),
    pytest.param(
        *(LONDON, "2026-03-22T09:00"),
        ["2026-03-22T09:00", "2026-03-29T08:00", "2026-04-05T08:00"],
        id="London spring",
    ),
    pytest.param(
        *(LONDON, "2026-10-18T00:30"),
        ["2026-10-18T00:30", "2026-10-25T00:30", "2026-11-01T01:30"],
        id="London autumn: 01:30 is the first of two",
    ),
    pytest.param(
        *(HOWE, "2026-03-28T14:45"),
        ["2026-03-28T14:45", "2026-04-04T14:45", "2026-04-11T15:15"],
        id="Lord Howe autumn: half an hour is repeated",
    ),
    pytest.param(
        *(HOWE, "2026-09-26T15:45"),
        ["2026-09-26T15:45", SKIPPED, "2026-10-10T15:15"],
        id="Lord Howe spring: half an hour is skipped",
    ),
    pytest.param(
        *(APIA, "2011-12-22T19:00"),
        ["2011-12-22T19:00", "2011-12-29T19:00", "2012-01-04T19:00"],
        id="Apia: a Thursday before and after the skipped Friday",
    ),
    pytest.param(
        *(APIA, "2011-12-24T09:30"),
        ["2011-12-24T09:30", SKIPPED, "2012-01-06T09:30"],
        id="Apia: the whole Friday is skipped",
    ),
    pytest.param(
        *(CASABLANCA, "2026-02-08T08:00"),
        ["2026-02-08T08:00", "2026-02-15T09:00", "2026-02-22T09:00", "2026-03-01T09:00", "2026-03-08T09:00"],
        id="Casablanca: Ramadan begins",
    ),
    pytest.param(
        *(CASABLANCA, "2026-03-08T09:00"),
        ["2026-03-08T09:00", "2026-03-15T09:00", "2026-03-22T08:00"],
        id="Casablanca: Ramadan ends",
    ),
    pytest.param(
        *(SAO_PAULO, "2018-10-28T03:00"),
        ["2018-10-28T03:00", SKIPPED, "2018-11-11T02:00"],
        id="São Paulo: midnight is skipped",
    ),
    pytest.param(
        *(KATHMANDU, "2026-05-01T03:15"),
        ["2026-05-01T03:15", "2026-05-08T03:15"],
        id="Kathmandu has no clock change",
    ),
]


def open_always(zone, *, interval=15, taken=(), schedule=1, **rules):
    """A diary that is open at all times, with visits of half an hour."""
    defaults = {"duration": 1800, "buffer_before": 0, "buffer_after": 0, "capacity": 1}
    grid = Grid(interval, 0, zone)
    return Diary(
        schedule, schedule, Rules(**{**defaults, **rules}, grid=grid, zone=zone, hours=ALWAYS), taken=list(taken)
    )


def found_at(pools, first, recurrence, most_conflicts=0, bookable=ALL_TIME):
    """The series that begins at this start, or None."""
    longest = max(diary.rules.duration for pool in pools for diary in pool)
    found = list(series_offers(pools, (first, first + longest), bookable, recurrence, most_conflicts))
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(("zone", "first", "expected"), CLOCKS)
def test_one_local_time(zone, first, expected):
    zone = ZoneInfo(zone)
    recurrence = Recurrence(len(expected), 1, zone)
    starts = [None if each is SKIPPED else seconds(each) for each in expected]
    found = found_at([[open_always(zone)]], seconds(first), recurrence)
    assert (list(found.starts) if found else None) == (None if SKIPPED in expected else starts)
    shown = found_at([[open_always(zone)]], seconds(first), recurrence, most_conflicts=1)
    skipped = [number for number, start in enumerate(starts, 1) if start is None]
    assert [conflict.number for conflict in shown.conflicts] == skipped
    assert [at for number, at in enumerate(shown.starts, 1) if number not in skipped] == [at for at in starts if at]


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        (2, ["2026-02-22T14:00", "2026-03-08T13:00", "2026-03-22T13:00"]),
        (4, ["2026-02-22T14:00", "2026-03-22T13:00", "2026-04-19T13:00"]),
    ],
)
def test_every_few_weeks(weeks, expected):
    zone = ZoneInfo(NY)
    found = found_at([[open_always(zone)]], seconds("2026-02-22T14:00"), Recurrence(3, weeks, zone))
    assert list(found.starts) == [seconds(each) for each in expected]


def test_a_grid_of_utc_has_no_series_across_a_clock_change():
    """Medplum's clients set such a grid: every two hours of UTC is at another local time after the change."""
    zone = ZoneInfo(NY)
    diary = open_always(ZoneInfo("UTC"), interval=120)
    assert found_at([[diary]], seconds("2026-02-22T14:00"), Recurrence(2, 1, zone)) is not None
    assert found_at([[diary]], seconds("2026-02-22T14:00"), Recurrence(3, 1, zone)) is None


NINE = seconds("2026-05-04T13:00")  # a Monday, 09:00 in New York
IN_A_WEEK = 7 * 86_400


def visit(at, minutes=30):
    return Taken(at, at + minutes * MINUTE)


def test_a_taken_week_ends_the_series_and_is_named_with_the_nearest_times():
    zone = ZoneInfo(NY)
    taken = [visit(NINE + 2 * IN_A_WEEK), visit(NINE + 2 * IN_A_WEEK - 1800)]
    pools = [[open_always(zone, interval=30, taken=taken)]]
    assert found_at(pools, NINE, Recurrence(4, 1, zone)) is None
    found = found_at(pools, NINE, Recurrence(4, 1, zone), most_conflicts=1)
    third = NINE + 2 * IN_A_WEEK
    assert found.conflicts == (Conflict(3, third, (third - 3600, third + 1800, third + 3600)),)


def test_alternatives_lie_within_the_bookable_time():
    zone = ZoneInfo(NY)
    third = NINE + 2 * IN_A_WEEK
    pools = [[open_always(zone, interval=30, taken=[visit(third)])]]
    found = found_at(pools, NINE, Recurrence(3, 1, zone), 1, (NINE, third + 3600))
    assert found.conflicts == (Conflict(3, third, (third - 3600, third - 1800, third + 1800)),)


def test_no_visit_lies_outside_the_bookable_time():
    zone, recurrence = ZoneInfo(NY), Recurrence(3, 1, ZoneInfo(NY))
    pools = [[open_always(zone)]]
    last = NINE + 2 * IN_A_WEEK + 1800
    assert found_at(pools, NINE, recurrence, bookable=(NINE, last)) is not None
    assert found_at(pools, NINE, recurrence, bookable=(NINE, last - 1)) is None
    assert found_at(pools, NINE, recurrence, bookable=(NINE + 1, last)) is None


def test_buffers_of_a_later_week_count():
    zone = ZoneInfo(NY)
    taken = [visit(NINE + IN_A_WEEK - 1800, minutes=20)]
    assert found_at([[open_always(zone, taken=taken, buffer_before=600)]], NINE, Recurrence(2, 1, zone)) is not None
    assert found_at([[open_always(zone, taken=taken, buffer_before=900)]], NINE, Recurrence(2, 1, zone)) is None


def test_one_schedule_takes_all_visits():
    """Each of two is free in one of two weeks: neither can take the series, and with conflicts the first does."""
    zone = ZoneInfo(NY)
    one = open_always(zone, taken=[visit(NINE + IN_A_WEEK)], schedule=1)
    other = open_always(zone, taken=[visit(NINE)], schedule=2)
    third = open_always(zone, schedule=3)
    assert found_at([[one, other]], NINE, Recurrence(2, 1, zone)) is None
    assert found_at([[one, other]], NINE, Recurrence(2, 1, zone), 1).schedules == (1,)
    assert found_at([[one, third]], NINE, Recurrence(2, 1, zone)).schedules == (3,)


def test_weekly_hours_count_in_every_week():
    zone = ZoneInfo(NY)
    diary = open_always(zone)
    until = datetime.fromtimestamp(NINE, zone).date() + timedelta(days=7)
    hours = (Window(frozenset({0}), time(9), time(12), last=until),)
    diary.rules = Rules(1800, 0, 0, 1, diary.rules.grid, zone, hours)
    assert found_at([[diary]], NINE, Recurrence(2, 1, zone)) is not None
    assert found_at([[diary]], NINE, Recurrence(3, 1, zone)) is None


# Against a slow model: each week by itself.


def slow_starts(first, recurrence):
    """The starts of a series; None where no minute of the clock shows the local time."""
    wall = datetime.fromtimestamp(first, recurrence.zone).replace(tzinfo=None, fold=0)
    starts = [first]
    for number in range(1, recurrence.count):
        then = wall + timedelta(weeks=recurrence.weeks * number)
        near = first // MINUTE + 7 * 1440 * recurrence.weeks * number
        minute = model.clock(recurrence.zone, near, near).first_time.get(then)
        starts.append(None if minute is None else minute * MINUTE)
    return starts


def slow_series(pools, window, recurrence):
    """Return for each possible series its starts and every choice of schedules that can take all of its visits."""
    bookables = {diary.schedule: diary.bookable for pool in pools for diary in pool}
    for offer in model.offers(pools, *window):
        starts = slow_starts(offer.start, recurrence)
        length = offer.end - offer.start
        choices = []
        for at in starts:
            here = [] if at is None else model.offers(pools, at, at + length)
            choices.append(next((each.choices for each in here if each.end - each.start == length), None))
        if None in choices:
            continue
        together = {
            schedules
            for schedules in product(*offer.choices)
            if all(one in pool for week in choices for one, pool in zip(schedules, week, strict=True))
            and len({bookables[one] for one in schedules}) == len(schedules)
        }
        if together:
            yield tuple(starts), together


@settings(max_examples=15)
@given(st.data(), moments, st.integers(1, 2), st.integers(2, 3))
def test_series_are_those_of_the_slow_model(data, moment, weeks, count):
    """The clocks change, and time is taken, in one of the weeks."""
    pools = data.draw(arrangements(moment))
    recurrence = Recurrence(count, weeks, moment.zone)
    away = data.draw(st.integers(0, count - 1)) * weeks * 7 * 1440
    begin = (moment.at - away + data.draw(st.integers(-720, 360))) * MINUTE
    window = begin, begin + data.draw(st.integers(30, 360)) * MINUTE
    expected = list(slow_series(pools, window, recurrence))
    found = list(series_offers(pools, window, (0, ALL_TIME[1]), recurrence))
    event("found some" if found else "found none")
    assert [offer.starts for offer in found] == [starts for starts, _ in expected]
    for offer, (_, together) in zip(found, expected, strict=True):
        assert offer.schedules in together
        assert offer.conflicts == ()


# Visits as close together as possible, and the preview of a series


def closest(diary, first, count, days=1, bookable=ALL_TIME, engaged=()):
    return list(closest_visits([Agenda(diary)], count, days, diary.rules.zone, first, bookable, engaged))


def test_each_visit_is_the_first_of_the_next_day():
    diary = open_from_nine(taken=[visit(NINE + 86_400), visit(NINE + 2 * 86_400, minutes=60)])
    found = closest(diary, NINE + 3600, 3)
    assert [each.start for each in found] == [NINE + 3600, NINE + 86_400 + 1800, NINE + 2 * 86_400 + 3600]
    assert all(each.is_free for each in found)


def test_days_between_are_local_days():
    """Three days after a Friday afternoon is Monday morning, though the clocks change on Sunday."""
    friday = seconds("2026-03-06T20:00")  # 15:00 in New York
    assert closest(open_from_nine(), friday, 2, days=3)[1].start == seconds("2026-03-09T13:00")


def test_there_are_fewer_at_the_end_of_the_bookable_time():
    assert len(closest(open_from_nine(), NINE, 5, bookable=(NINE, NINE + 3 * 86_400))) == 3


def test_a_first_visit_that_cannot_be_had_has_alternatives():
    found = closest(open_from_nine(taken=[visit(NINE)]), NINE, 2)
    assert not found[0].is_free
    assert NINE + 1800 in found[0].alternatives
    assert found[1].start == NINE + 86_400


def test_the_patient_s_own_time_is_in_the_way():
    engaged = [(NINE + 86_400 + 600, NINE + 86_400 + 700)]
    assert closest(open_from_nine(), NINE, 2, engaged=engaged)[1].start == NINE + 86_400 + 1800
    zone = ZoneInfo(NY)
    busy = [(NINE + IN_A_WEEK, NINE + IN_A_WEEK + 1)]
    planned = list(
        planned_visits([Agenda(open_from_nine())], Recurrence(2, 1, zone).planned_starts(NINE), ALL_TIME, busy)
    )
    assert [each.is_free for each in planned] == [True, False]
    assert planned[1].alternatives[0] == NINE + IN_A_WEEK + 1800


def test_the_others_move_as_many_days_and_to_the_same_local_time():
    """Monday 09:00 to Tuesday 14:30, before and after the clocks change."""
    mondays = [seconds("2026-03-02T14:00"), seconds("2026-03-09T13:00")]
    moved = moved_starts(mondays, mondays[0], seconds("2026-03-03T19:30"), ZoneInfo(NY))
    assert moved == [(seconds("2026-03-03T19:30"), True), (seconds("2026-03-10T18:30"), True)]


def test_a_local_time_that_the_clocks_skip_is_not_kept():
    before = [seconds("2026-03-01T14:00"), seconds("2026-03-08T13:00")]
    moved = moved_starts(before, before[0], seconds("2026-03-01T07:30"), ZoneInfo(NY))
    assert [each.is_kept for each in moved] == [True, False]


def open_from_nine(taken=()):
    """A diary that is open from nine to five every day, with visits of half an hour."""
    diary = open_always(ZoneInfo(NY), interval=30, taken=taken)
    hours = (Window(frozenset(range(7)), time(9), time(17)),)
    diary.rules = Rules(1800, 0, 0, 1, diary.rules.grid, diary.rules.zone, hours)
    return diary


@settings(max_examples=15)
@given(st.data(), moments, st.integers(2, 3), st.integers(1, 2))
def test_the_closest_visits_are_those_of_the_slow_model(data, moment, count, days):
    """Each is the first offer of the model, day by day, whatever the clocks do."""
    pools = [pool[:1] for pool in data.draw(arrangements(moment))]
    chosen = [pool[0] for pool in pools]
    first = next(iter(model.offers(pools, moment.at * MINUTE, moment.at * MINUTE + 7200)), None)
    if first is None:
        return
    last = first.start + 8 * 86_400
    expected = [first.start]
    for _ in range(1, count):
        day = local_date(expected[-1], moment.zone) + timedelta(days=days)
        begin = whole_days(day, day, moment.zone)[0]
        after = next(iter(model.offers(pools, begin, last)), None) if begin < last else None
        if after is None:
            break
        expected.append(after.start)
    agendas = [Agenda(diary) for diary in chosen]
    found = list(closest_visits(agendas, count, days, moment.zone, first.start, (0, last)))
    assert [each.start for each in found] == expected
    assert all(each.is_free for each in found)


@settings(max_examples=15)
@given(st.data(), moments, st.integers(1, 2), st.integers(2, 3))
def test_planned_visits_are_free_where_the_slow_model_says_so(data, moment, weeks, count):
    pools = [pool[:1] for pool in data.draw(arrangements(moment))]
    recurrence = Recurrence(count, weeks, moment.zone)
    first = moment.at * MINUTE
    length = pools[0][0].rules.duration
    agendas = [Agenda(pool[0]) for pool in pools]
    planned = list(planned_visits(agendas, recurrence.planned_starts(first), (0, ALL_TIME[1])))
    for each, at in zip(planned, slow_starts(first, recurrence), strict=True):
        offered = at is not None and any(offer.start == at for offer in model.offers(pools, at, at + length))
        assert each.is_free == offered
        for alternative in each.alternatives:
            assert any(offer.start == alternative for offer in model.offers(pools, alternative, alternative + length))
