"""Random weeks of random clinics, most of them around a day on which the clocks change."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from scheduling.core.grid import Grid
from scheduling.core.hours import ClosedTime, Window
from scheduling.core.offers import Diary, Rules, Taken
from scheduling.core.recurrence import EVERY_WEEK, LAST, Recurrence
from tests.core.model import DAY, MINUTE, seconds


class Moment(NamedTuple):
    """A zone, and an instant (minutes) near which something happens to its clocks."""

    zone: ZoneInfo
    at: int


def moment(zone: str, at: str) -> Moment:
    return Moment(ZoneInfo(zone), seconds(at) // MINUTE)


MOMENTS = [
    moment("America/New_York", "2026-03-08T07:00"),  # 02:00 to 03:00 is skipped
    moment("America/New_York", "2026-11-01T06:00"),  # 01:00 to 02:00 is repeated
    moment("Europe/London", "2026-03-29T01:00"),
    moment("Europe/London", "2026-10-25T01:00"),
    moment("Australia/Lord_Howe", "2026-04-04T15:00"),  # half an hour
    moment("Australia/Lord_Howe", "2026-10-03T15:30"),
    moment("America/Sao_Paulo", "2018-02-18T02:00"),  # the hour before midnight is repeated
    moment("America/Sao_Paulo", "2018-11-04T03:00"),  # midnight is skipped
    moment("Africa/Casablanca", "2026-02-15T02:00"),  # Ramadan
    moment("Africa/Casablanca", "2026-03-22T02:00"),
    moment("Asia/Beirut", "2026-03-28T22:00"),  # midnight is skipped
    moment("Asia/Beirut", "2026-10-24T21:00"),  # the hour before midnight is repeated
    moment("Pacific/Apia", "2011-12-30T10:00"),  # a whole day is skipped
    moment("America/Nuuk", "2026-03-29T01:00"),  # the hour before midnight is skipped
    moment("America/Havana", "2025-11-02T05:00"),  # midnight is repeated
    moment("Antarctica/Troll", "2026-10-25T01:00"),  # two hours are repeated
    moment("Asia/Kathmandu", "2026-05-01T00:00"),  # no clock change, at +05:45
    moment("UTC", "2026-06-01T00:00"),
]

EVERY_DAY = frozenset(range(7))

moments = st.sampled_from(MOMENTS)
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
# Often the hours at which clocks change, sometimes any minute.
wall_times = st.one_of(
    st.builds(time, st.integers(0, 4), st.sampled_from([0, 15, 30, 45])),
    st.builds(time, st.integers(0, 23), st.sampled_from([0, 30])),
    st.builds(time, st.integers(0, 23), st.integers(0, 59)),
)


# Mostly every week, else every few weeks or some weekdays of a month.
recurrences = st.one_of(
    st.just(EVERY_WEEK),
    st.just(EVERY_WEEK),
    st.integers(2, 4).flatmap(lambda n: st.integers(0, n - 1).map(lambda week: Recurrence(n, week))),
    st.sets(st.sampled_from([1, 2, 3, 4, LAST]), min_size=1).map(lambda nth: Recurrence(nth=tuple(sorted(nth)))),
)


@st.composite
def windows(draw) -> Window:
    """Windows by day, overnight, or all day."""
    opens = draw(wall_times)
    closes = draw(st.one_of(wall_times, st.just(opens)))
    days = draw(st.one_of(weekdays, st.just(EVERY_DAY)))
    return Window(days, opens, closes, recurrence=draw(recurrences))


ALWAYS = (Window(EVERY_DAY, time(0), time(0)),)
NIGHTS = (Window(EVERY_DAY, time(20), time(8)),)

hours = st.lists(windows(), max_size=3).map(tuple)
busy_hours = st.one_of(st.just(ALWAYS), st.just(NIGHTS), st.just(ALWAYS), hours)


@st.composite
def dated(draw, hours: st.SearchStrategy[tuple[Window, ...]], moment: Moment) -> tuple[Window, ...]:
    """Draw these windows, some of them only from or until a day around the moment."""
    today = datetime.fromtimestamp(moment.at * MINUTE, moment.zone).date()
    days = st.none() | st.none() | st.integers(-2, 2).map(lambda away: today + timedelta(days=away))
    return tuple(_between(window, draw(days), draw(days)) for window in draw(hours))


def _between(window: Window, one: date | None, other: date | None) -> Window:
    first, last = sorted((one, other)) if one and other else (one, other)
    return replace(window, first=first, last=last)


def grids(zones, *, intervals=None) -> st.SearchStrategy[Grid]:
    """Grids; offsets may be negative or larger than the interval, and intervals need not divide a day."""
    intervals = intervals or st.one_of(st.sampled_from([5, 15, 30, 45, 60, 90, 120]), st.integers(5, 120))
    return st.builds(Grid, intervals, st.one_of(st.just(0), st.integers(-150, 150)), zones)


def spans(near: int, *, reach: int = DAY, shortest: int = 1, longest: int = 300) -> st.SearchStrategy[tuple[int, int]]:
    """A span in seconds on whole minutes, which begins at most `reach` minutes from `near`."""
    return st.builds(
        lambda start, length: ((near + start) * MINUTE, (near + start + length) * MINUTE),
        st.integers(-reach, reach),
        st.integers(shortest, longest),
    )


@st.composite
def closed_times(draw, near: int) -> ClosedTime:
    """Time closed on the wall clock, about `near`, once or every year from up to two years before."""
    start = datetime.fromtimestamp(draw(spans(near))[0], UTC).replace(tzinfo=None)
    end = start + timedelta(minutes=draw(st.integers(1, 2 * DAY)))
    years = draw(st.integers(0, 2)) if (start.month, start.day) != (2, 29) != (end.month, end.day) else 0
    return ClosedTime(
        *(wall.replace(year=wall.year - years) for wall in (start, end)), is_yearly=bool(years) or draw(st.booleans())
    )


def searches(near: int, *, longest: int = 2 * DAY) -> st.SearchStrategy[tuple[int, int]]:
    wide = spans(near, reach=longest // 2, shortest=longest // 4, longest=longest)
    return wide | wide | spans(near, reach=longest // 2, longest=longest)


@st.composite
def diaries(
    draw, moment: Moment, *, schedule: int = 1, bookable: int = 1, duration: int | None = None, grid: Grid | None = None
) -> Diary:
    near = moment.at
    zones = st.sampled_from([moment.zone, moment.zone, ZoneInfo("UTC")])
    if duration is None:
        duration = draw(st.sampled_from([5, 20, 30, 45, 60, 90]))
    capacity = draw(st.integers(1, 3))
    seat = st.one_of(st.none(), st.integers(0, 3)) if capacity > 1 else st.none() | st.integers(0, 2)
    rules = Rules(
        duration=duration * MINUTE,
        buffer_before=draw(st.sampled_from([0, 0, 5, 10, 45])) * MINUTE,
        buffer_after=draw(st.sampled_from([0, 0, 5, 15, 60])) * MINUTE,
        capacity=capacity,
        grid=grid or draw(grids(zones)),
        zone=draw(zones),
        hours=draw(dated(busy_hours, moment)),
        closures=tuple(draw(st.lists(spans(near), max_size=2))),
        closed_times=tuple(draw(st.lists(closed_times(near), max_size=2))),
    )
    return Diary(
        schedule=schedule,
        bookable=bookable,
        rules=rules,
        planned=draw(st.none() | st.none() | spans(near, shortest=DAY // 2, longest=2 * DAY)),
        extra=draw(st.lists(spans(near), max_size=2)),
        taken=[Taken(*draw(spans(near)), draw(seat)) for _ in range(draw(st.integers(0, 5)))],
    )


@st.composite
def arrangements(draw, moment: Moment) -> list[list[Diary]]:
    """One to three pools of one to three schedules; some share a bookable, and with it what is taken."""
    duration = draw(st.sampled_from([20, 30, 60]))
    grid = draw(grids(st.just(moment.zone)))
    pools: list[list[Diary]] = []
    schedule = 0
    taken: dict[int, list[Taken]] = {}
    for _ in range(draw(st.integers(1, 3))):
        pool = []
        for _ in range(draw(st.integers(1, 3))):
            schedule += 1
            bookable = draw(st.sampled_from([schedule, schedule, 1, 2]))
            lasts = draw(st.sampled_from([duration, duration, duration, duration, 45]))
            diary = draw(
                diaries(
                    moment,
                    schedule=schedule,
                    bookable=bookable,
                    duration=lasts,
                    grid=draw(st.sampled_from([grid, grid, None])),
                )
            )
            diary.taken = list(taken.setdefault(bookable, diary.taken))
            pool.append(diary)
        pools.append(pool)
    return pools
