"""Grid of start times. It depends on the local day, never on the search window.

A start is on the grid if the minutes since local midnight on its wall clock, less the offset, are a multiple of the
interval. A wall time that the clocks repeat is on it twice, one that they skip not at all. An interval that does not
divide the day starts again at midnight.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduling.core.hours import days_between, local_date, local_day
from scheduling.core.intervals import Span


@dataclass(frozen=True, slots=True)
class Grid:
    """Start times every `interval` minutes (1 or more), shifted by `offset` minutes from local midnight in `zone`."""

    interval: int
    offset: int
    zone: ZoneInfo


def points(grid: Grid, spans: Sequence[Span]) -> Iterator[int]:
    """The grid's start times within `spans`, in order."""
    for start, end in spans:
        for day in days_between(local_date(start, grid.zone), local_date(end - 1, grid.zone)):
            of_day = _points_of(grid, day)
            for point in of_day[bisect_left(of_day, start) :]:
                if point >= end:
                    break
                yield point


def is_on_grid(grid: Grid, at: int) -> bool:
    return at in _points_of(grid, local_date(at, grid.zone))


@lru_cache(maxsize=8192)
def _points_of(grid: Grid, day: date) -> tuple[int, ...]:
    interval = grid.interval * 60
    found: list[int] = []
    for stretch in local_day(day, grid.zone):
        to_next = (grid.offset * 60 - stretch.wall) % interval
        found.extend(range(stretch.start + to_next, stretch.end, interval))
    return tuple(found)
