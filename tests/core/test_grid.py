"""The grid belongs to the local day, never to the search window."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.core.grid import Grid, is_on_grid, points
from tests.core import model
from tests.core.model import DAY, MINUTE, minutes_of, seconds
from tests.core.strategies import grids, moments, searches, spans

NEW_YORK = ZoneInfo("America/New_York")
UTC = ZoneInfo("UTC")
KATHMANDU = ZoneInfo("Asia/Kathmandu")


def times_of_day(grid, hour="2026-06-01T09:00", length=60):
    start = seconds(hour)
    return [(at - start) // MINUTE for at in points(grid, [(start, start + length * MINUTE)])]


@pytest.mark.parametrize(
    ("interval", "offset", "minutes"),
    [
        pytest.param(60, 0, [0], id="full hours"),
        pytest.param(30, 0, [0, 30], id="half hours"),
        pytest.param(15, 0, [0, 15, 30, 45], id="quarters"),
        pytest.param(10, 0, [0, 10, 20, 30, 40, 50], id="every ten minutes"),
        pytest.param(15, 5, [5, 20, 35, 50], id="quarters from five past"),
        pytest.param(20, 5, [5, 25, 45], id="thirds from five past"),
        pytest.param(30, 15, [15, 45], id="quarter past and quarter to"),
        pytest.param(60, 20, [20], id="twenty past"),
        pytest.param(60, -20, [40], id="twenty to"),
        pytest.param(15, 20, [5, 20, 35, 50], id="an offset larger than the interval wraps around"),
        pytest.param(60, 1440, [0], id="an offset of a day is none"),
        pytest.param(720, 0, [], id="noon and midnight are not near nine"),
        pytest.param(7, 0, [6, 13, 20, 27, 34, 41, 48, 55], id="sevens, counted from midnight"),
        pytest.param(1, 0, list(range(60)), id="every minute"),
    ],
)
def test_the_grid_from_nine_to_ten(interval, offset, minutes):
    assert times_of_day(Grid(interval, offset, UTC)) == minutes


def test_a_grid_in_a_zone_at_a_quarter_to_shows_full_hours_there():
    assert times_of_day(Grid(60, 0, KATHMANDU)) == [15]


def test_a_grid_longer_than_a_day_has_midnight_only():
    week = [(seconds("2026-06-01T00:00"), seconds("2026-06-08T00:00"))]
    assert list(points(Grid(5000, 0, UTC), week)) == [seconds(f"2026-06-0{day}T00:00") for day in range(1, 8)]


def test_the_start_of_a_span_is_in_it_and_the_end_is_not():
    nine, ten = seconds("2026-06-01T09:00"), seconds("2026-06-01T10:00")
    assert list(points(Grid(60, 0, UTC), [(nine, ten)])) == [nine]
    assert list(points(Grid(60, 0, UTC), [(nine + 1, ten + 1)])) == [ten]


def test_no_spans_have_no_points():
    assert list(points(Grid(5, 0, UTC), [])) == []


def test_a_time_that_is_not_a_full_minute_is_off_the_grid():
    assert not is_on_grid(Grid(1, 0, UTC), seconds("2026-06-01T09:00:30"))


def test_a_repeated_time_is_on_the_grid_twice():
    night = [(seconds("2026-11-01T04:00"), seconds("2026-11-01T08:00"))]
    assert list(points(Grid(120, 90, NEW_YORK), night)) == [  # half past one, daylight and standard
        seconds("2026-11-01T05:30"),
        seconds("2026-11-01T06:30"),
    ]


def test_a_skipped_time_is_not_on_the_grid():
    day = [(seconds("2026-03-08T05:00"), seconds("2026-03-09T04:00"))]
    assert list(points(Grid(1440, 150, NEW_YORK), day)) == []  # half past two


@given(st.data(), moments)
def test_the_points_are_the_minutes_whose_wall_clock_is_on_the_grid(data, moment):
    grid = data.draw(grids(st.just(moment.zone)))
    start, end = data.draw(searches(moment.at))
    first, last = start // MINUTE, end // MINUTE
    local = model.clock(grid.zone, first, last)
    expected = [minute * MINUTE for minute in range(first, last) if model.on_grid(grid, minute, local)]
    assert list(points(grid, [(start, end)])) == expected
    assert [at for at in range(start, end, MINUTE) if is_on_grid(grid, at)] == expected


@given(st.data(), moments)
def test_a_search_cut_in_two_finds_the_same_points(data, moment):
    grid = data.draw(grids(st.just(moment.zone)))
    near = moment.at * MINUTE
    cuts = st.integers(near - 2 * DAY * MINUTE, near + 2 * DAY * MINUTE)  # in seconds: anywhere at all
    first, middle, last = sorted(data.draw(st.tuples(cuts, cuts, cuts)))
    whole = list(points(grid, [(first, last)] if first < last else []))
    halves = [span for span in [(first, middle), (middle, last)] if span[0] < span[1]]
    assert whole == list(points(grid, halves))
    assert whole == sorted(set(whole))


@given(st.data(), moments)
def test_opening_hours_never_move_the_grid(data, moment):
    grid = data.draw(grids(st.just(moment.zone)))
    minutes = minutes_of(data.draw(st.lists(spans(moment.at, reach=DAY), min_size=1, max_size=5)))
    open_spans = model.spans_of(minutes)
    day = [(moment.at - 2 * DAY) * MINUTE, (moment.at + 2 * DAY) * MINUTE]
    assert list(points(grid, open_spans)) == [at for at in points(grid, [tuple(day)]) if at // MINUTE in minutes]
