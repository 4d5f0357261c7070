"""Offered times: hours, minus closures, minus taken time, on the grid. Every time found can be booked."""

from dataclasses import replace
from datetime import time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.core.grid import Grid
from scheduling.core.hours import Window
from scheduling.core.offers import Diary, Reason, Rules, Taken, free_seat, offers, search_windows, why_not
from tests.core.model import DAY, MINUTE, seconds
from tests.core.strategies import arrangements, moments, searches

UTC = ZoneInfo("UTC")
OFFICE = (Window(frozenset(range(5)), time(9), time(12)),)  # weekdays
VISIT = Rules(
    duration=30 * MINUTE,
    buffer_before=0,
    buffer_after=0,
    capacity=1,
    grid=Grid(30, 0, UTC),
    zone=UTC,
    hours=OFFICE,
)


def at(text):
    """An instant on Monday, the first of June."""
    return seconds(f"2026-06-01T{text}")


def span(text):
    start, end = text.split("-")
    return at(start), at(end)


MONDAY = at("00:00"), at("23:59")


def taken(text, seat=None):
    return Taken(*span(text), seat)


BLOCK = Taken(*span("09:00-11:00"), is_block=True)


def diary(schedule=1, bookable=None, *, planned=None, extra=(), taken=(), **rules):
    return Diary(
        schedule=schedule,
        bookable=bookable or schedule,
        rules=replace(VISIT, **rules),
        planned=planned,
        extra=list(extra),
        taken=list(taken),
    )


def starts(*pools, window=MONDAY):
    return " ".join(_time_of_day(offer.start) for offer in offers(pools, *window))


def _time_of_day(instant):
    minutes = (instant - at("00:00")) // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"


@pytest.mark.parametrize(
    ("clinic", "found"),
    [
        pytest.param(diary(), "09:00 09:30 10:00 10:30 11:00 11:30", id="an ordinary morning"),
        pytest.param(diary(hours=()), "", id="no hours, no times"),
        pytest.param(diary(hours=(), extra=[span("13:00-14:00")]), "13:00 13:30", id="extra time alone"),
        pytest.param(
            diary(extra=[span("12:00-13:00")], duration=120 * MINUTE),
            "09:00 09:30 10:00 10:30 11:00",
            id="extra time that touches the hours is one with them",
        ),
        pytest.param(diary(closures=(span("09:00-11:00"),)), "11:00 11:30", id="closed in the morning"),
        pytest.param(
            diary(hours=(), extra=[span("13:00-14:00")], closures=(span("13:00-13:30"),)),
            "13:30",
            id="closed beats extra",
        ),
        pytest.param(
            diary(closures=(span("11:00-12:00"), span("09:00-10:00"), span("09:30-10:30"))),
            "10:30",
            id="closures in any order, overlapping",
        ),
        pytest.param(
            diary(hours=(), extra=[span("14:00-15:00"), span("10:00-11:00"), span("10:30-11:30")]),
            "10:00 10:30 11:00 14:00 14:30",
            id="extra time in any order, overlapping",
        ),
        pytest.param(
            diary(taken=[taken("11:00-12:00"), taken("09:30-10:00"), taken("09:30-10:10")]),
            "09:00 10:30",
            id="taken in any order, overlapping",
        ),
        pytest.param(diary(planned=span("10:00-11:00")), "10:00 10:30", id="the planning horizon"),
        pytest.param(
            diary(hours=(), extra=[span("09:00-12:00")], planned=span("10:00-11:00")),
            "10:00 10:30",
            id="the planning horizon holds for extra time too",
        ),
        pytest.param(
            diary(planned=span("10:00-11:00"), buffer_after=1 * MINUTE),
            "10:00",
            id="buffers stay within the planning horizon",
        ),
        pytest.param(
            diary(buffer_before=10 * MINUTE, buffer_after=20 * MINUTE),
            "09:30 10:00 10:30 11:00",
            id="buffers stay within the hours",
        ),
        pytest.param(
            diary(buffer_before=10 * MINUTE, taken=[taken("10:00-10:30")]),
            "09:30 11:00 11:30",
            id="a buffer before needs what is taken to be over",
        ),
        pytest.param(
            diary(buffer_after=10 * MINUTE, taken=[taken("10:00-10:30")]),
            "09:00 10:30 11:00",
            id="a buffer after needs what is taken not to have begun",
        ),
        pytest.param(diary(duration=180 * MINUTE), "09:00", id="a visit as long as the hours"),
        pytest.param(diary(duration=181 * MINUTE), "", id="a visit longer than the hours"),
        pytest.param(diary(taken=[taken("08:00-13:00")]), "", id="all taken"),
        pytest.param(diary(taken=[taken("10:00-10:01")]), "09:00 09:30 10:30 11:00 11:30", id="a minute taken"),
        pytest.param(diary(grid=Grid(60, 15, UTC)), "09:15 10:15 11:15", id="quarter past"),
        pytest.param(diary(grid=Grid(60, 0, ZoneInfo("Asia/Kathmandu"))), "09:15 10:15 11:15", id="a grid elsewhere"),
        pytest.param(
            diary(zone=ZoneInfo("America/New_York")),
            "13:00 13:30 14:00 14:30 15:00 15:30",
            id="hours elsewhere",
        ),
        pytest.param(
            diary(capacity=2, taken=[taken("09:00-10:30", 0), taken("10:00-11:00", 1)]),
            "09:00 09:30 10:30 11:00 11:30",
            id="a class is full when every seat is taken",
        ),
        pytest.param(
            diary(capacity=2, duration=60 * MINUTE, taken=[taken("09:00-10:00", 0), taken("10:00-12:00", 1)]),
            "09:00 10:00 10:30 11:00",
            id="nobody changes seats during a visit",
        ),
        pytest.param(diary(capacity=3, taken=[taken("09:00-11:00")]), "11:00 11:30", id="no seat means all of them"),
        pytest.param(
            diary(capacity=1, taken=[taken("09:00-11:00", 5)]),
            "11:00 11:30",
            id="a visit of one shares with no seat of a class",
        ),
        pytest.param(
            diary(capacity=2, taken=[taken("09:00-11:00", 5), taken("09:00-11:30", 0)]),
            "09:00 09:30 10:00 10:30 11:00 11:30",
            id="a seat of a larger class is none of ours",
        ),
    ],
)
def test_one_schedule_offers(clinic, found):
    assert starts([clinic]) == found


@pytest.mark.parametrize(
    ("window", "found"),
    [
        pytest.param("10:00-11:00", "10:00 10:30", id="the visit lies within the search"),
        pytest.param("10:01-11:00", "10:30", id="not before it"),
        pytest.param("10:00-10:59", "10:00", id="not beyond it"),
        pytest.param("10:00-10:30", "10:00", id="exactly one visit long"),
        pytest.param("10:00-10:29", "", id="shorter than a visit"),
        pytest.param("10:00-10:00", "", id="no time at all"),
        pytest.param("11:00-10:00", "", id="the wrong way round"),
    ],
)
def test_a_visit_lies_within_the_search_and_its_buffers_need_not(window, found):
    buffered = diary(buffer_before=30 * MINUTE, buffer_after=30 * MINUTE)
    assert starts([buffered], window=span(window)) == found


def test_taken_time_outside_the_window_blocks_buffers():
    buffered = diary(buffer_before=15 * MINUTE, taken=[taken("09:30-09:50")])
    assert starts([buffered], window=span("10:00-11:00")) == "10:30"


def test_all_of_a_practitioner_a_room_and_a_device():
    practitioner = diary(1, taken=[taken("09:00-09:30")])
    room = diary(2, hours=(Window(frozenset({0}), time(9), time(11)),))
    device = diary(3, taken=[taken("10:00-10:30")])
    assert starts([practitioner], [room], [device]) == "09:30 10:30"


def test_any_of_a_pool_and_who_could_serve_in_the_order_asked():
    found = offers([[diary(7, taken=[taken("09:00-11:00")]), diary(3, taken=[taken("11:30-12:00")])]], *MONDAY)
    assert [(_time_of_day(offer.start), offer.schedules, offer.choices) for offer in found] == [
        *((hour, (3,), ((3,),)) for hour in ("09:00", "09:30", "10:00", "10:30")),
        ("11:00", (7,), ((7, 3),)),
        ("11:30", (7,), ((7,),)),
    ]


def test_a_pool_whose_schedules_have_grids_of_their_own():
    assert starts([diary(1, grid=Grid(60, 0, UTC)), diary(2, grid=Grid(60, 20, UTC))]) == (
        "09:00 09:20 10:00 10:20 11:00 11:20"
    )


def test_all_of_two_with_grids_of_their_own_meet_where_both_may_start():
    assert starts([diary(1, grid=Grid(20, 0, UTC))], [diary(2, grid=Grid(30, 0, UTC))]) == "09:00 10:00 11:00"


def test_a_person_takes_part_once():
    """Two schedules of one doctor in one search: there is only one doctor."""
    first, second = diary(1, bookable=9), diary(2, bookable=9)
    assert starts([first], [second]) == ""


def test_a_shared_doctor_goes_where_the_other_pool_has_nobody_else():
    surgeons = [diary(1, bookable=1), diary(2, bookable=2)]
    anaesthetists = [diary(3, bookable=1)]
    [offer] = offers([surgeons, anaesthetists], *span("09:00-09:30"))
    assert offer.schedules == (2, 3)
    assert offer.choices == ((1, 2), (3,))


def test_a_class_and_its_room_share_no_bookable_even_with_seats_left():
    assert starts([diary(1, bookable=4, capacity=3)], [diary(2, bookable=4, capacity=3)]) == ""


def test_schedules_that_differ_in_duration_never_meet():
    assert starts([diary(1)], [diary(2, duration=60 * MINUTE)]) == ""


def test_a_pool_with_two_durations_offers_both_in_order_of_time():
    pool = [diary(1, duration=60 * MINUTE), diary(2)]
    found = list(offers([pool], *span("09:00-10:00")))
    assert [((offer.end - offer.start) // MINUTE, offer.schedules) for offer in found] == [
        (30, (2,)),
        (60, (1,)),
        (30, (2,)),
    ]


@pytest.mark.parametrize("pools", [[], [[]], [[diary()], []]], ids=["nobody asked", "no pool", "one empty"])
def test_where_nobody_is_asked_nothing_is_offered(pools):
    assert list(offers(pools, *MONDAY)) == []


@pytest.mark.parametrize(
    ("clinic", "start", "reasons"),
    [
        pytest.param(diary(), "09:00", [], id="it can"),
        pytest.param(diary(hours=(), extra=[span("13:00-14:00")]), "13:00", [], id="it can, in extra time"),
        pytest.param(diary(), "09:10", [Reason.OFF_GRID], id="off the grid"),
        pytest.param(diary(taken=[BLOCK]), "09:30", [Reason.BLOCKED], id="blocked"),
        pytest.param(diary(taken=[BLOCK]), "11:00", [], id="after a block"),
        pytest.param(
            diary(taken=[BLOCK, taken("09:30-10:00")]), "09:30", [Reason.BLOCKED, Reason.TAKEN], id="taken in a block"
        ),
        pytest.param(diary(taken=[BLOCK, taken("11:00-12:00")]), "11:00", [Reason.TAKEN], id="taken after a block"),
        pytest.param(diary(), "12:00", [Reason.OUTSIDE_HOURS], id="outside the hours"),
        pytest.param(
            diary(buffer_before=5 * MINUTE),
            "09:00",
            [Reason.OUTSIDE_HOURS],
            id="its buffer is outside the hours",
        ),
        pytest.param(diary(closures=(span("10:00-11:00"),)), "10:30", [Reason.CLOSED], id="closed"),
        pytest.param(diary(closures=(span("12:00-14:00"),)), "12:30", [Reason.OUTSIDE_HOURS], id="closed out of hours"),
        pytest.param(
            diary(planned=span("10:00-11:00")),
            "09:00",
            [Reason.OUTSIDE_PLANNING_HORIZON],
            id="not yet planned",
        ),
        pytest.param(
            diary(planned=span("10:00-11:00"), buffer_after=5 * MINUTE),
            "10:30",
            [Reason.OUTSIDE_PLANNING_HORIZON],
            id="its buffer is beyond what is planned",
        ),
        pytest.param(diary(taken=[taken("09:10-09:20")]), "09:00", [Reason.TAKEN], id="taken"),
        pytest.param(diary(taken=[taken("12:00-12:30")]), "12:00", [Reason.OUTSIDE_HOURS, Reason.TAKEN], id="both"),
        pytest.param(
            diary(planned=span("10:00-11:00"), closures=(span("09:00-10:00"),), taken=[taken("09:00-09:30")]),
            "09:10",
            [Reason.OFF_GRID, Reason.OUTSIDE_PLANNING_HORIZON, Reason.CLOSED, Reason.TAKEN],
            id="all that keeps it away is said at once",
        ),
    ],
)
def test_why_not(clinic, start, reasons):
    assert why_not(clinic, at(start)) == reasons


@pytest.mark.parametrize(
    ("rows", "seat"),
    [
        pytest.param([], 0, id="the lowest"),
        pytest.param([taken("09:00-09:30", 0)], 1, id="the next"),
        pytest.param([taken("09:00-09:30", 1)], 0, id="the lowest again"),
        pytest.param([taken("09:00-09:30", 0), taken("09:00-09:30", 1)], None, id="none"),
        pytest.param([taken("09:00-09:30")], None, id="all taken at once"),
        pytest.param([taken("08:00-09:00", 0), taken("09:40-10:00", 1)], 0, id="what only touches is not in it"),
        pytest.param([taken("09:35-10:00", 0)], 1, id="its buffer needs the seat too"),
    ],
)
def test_the_free_seat(rows, seat):
    assert free_seat(diary(capacity=2, buffer_after=10 * MINUTE, taken=rows), at("09:00")) == seat


@pytest.mark.parametrize(
    ("expected", "first_look_ends"),
    [
        pytest.param(1, "06-01T09:00:01", id="one: the opening of the first day"),
        pytest.param(4, "06-01T11:30:01", id="four: all six of the first day"),
        pytest.param(5, "06-02T09:00:01", id="five: seven, so the next day too"),
        pytest.param(100, "06-15T00:00", id="more than there are: everything"),
    ],
)
def test_a_look_is_long_enough_for_what_is_wanted(expected, first_look_ends):
    pools = [[diary(number) for number in range(50)]]
    end = at("00:00") + 14 * DAY * MINUTE
    first, *_ = search_windows([pools], at("00:00"), end, expected)
    assert first == (at("00:00"), seconds(f"2026-{first_look_ends}"))


@pytest.mark.parametrize(
    "pools",
    [
        pytest.param([[diary(hours=(), extra=[span("20:00-21:00")])]], id="one-off time that is not known yet"),
        pytest.param([[diary()], [diary(2, closures=(span("00:00-23:59"),))]], id="one pool is closed"),
    ],
)
def test_search_windows_leave_no_time_out(pools):
    end = at("00:00") + 31 * DAY * MINUTE
    pieces = list(search_windows([pools], at("00:00"), end, 3))
    assert (pieces[0][0], pieces[-1][1]) == (at("00:00"), end)
    assert all(one[1] == other[0] for one, other in pairwise(pieces))


@given(st.data(), moments)
def test_looking_piece_by_piece_finds_what_looking_at_once_finds(data, moment):
    pools = data.draw(arrangements(moment))
    start, end = data.draw(searches(moment.at))
    pieces = [
        offer
        for first, last in search_windows([pools], start, end, data.draw(st.integers(1, 5)))
        for offer in offers(pools, first, min(end, last + DAY * MINUTE))
        if offer.start < last
    ]
    assert pieces == list(offers(pools, start, end))
