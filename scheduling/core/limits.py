"""Limits on the number of visits in a local day or week, or in a session. A week begins on Monday.

All times are UTC seconds. Each is full once it has as many visits as the limit, however much time is left. A session is
one spell of the hours, such as a morning: one window on one day.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scheduling.core.hours import local_date, whole_days
from scheduling.core.intervals import Span


class Limits(NamedTuple):
    """The most visits that may begin in a day, in a week and in a session, and the most of new patients in a session;
    None without a limit.
    """

    day: int | None = None
    week: int | None = None
    session: int | None = None
    new_in_session: int | None = None


UNLIMITED = Limits()


def full_days(limits: Limits, starts: Iterable[int], zone: ZoneInfo, series: Iterable[int] = ()) -> list[Span]:
    """The days in which no further visit may begin, given the starts of all visits that count.

    For a `series`, given the starts of its visits, they are the days in which not all of its visits may begin.
    """
    return _full(limits.day, starts, zone, lambda day: (day, day), series)


def full_weeks(limits: Limits, starts: Iterable[int], zone: ZoneInfo, series: Iterable[int] = ()) -> list[Span]:
    """The weeks in which no further visit, or not all visits of a `series`, may begin: see `full_days`."""
    return _full(limits.week, starts, zone, week_of, series)


def full_sessions(
    most: int | None, sessions: Iterable[Span], starts: Sequence[int], series: Sequence[int] = ()
) -> list[Span]:
    """The sessions in which no further visit, or not all visits of a `series`, may begin: see `full_days`."""
    if most is None:
        return []
    full = []
    for first, last in sorted(sessions):
        taken = sum(first <= start < last for start in starts)
        together = sum(first <= start < last for start in series)
        if taken + max(together - 1, 0) >= most:
            full.append((first, last))
    return full


def week_of(day: date) -> tuple[date, date]:
    """The Monday and the Sunday of the week; the calendar's last day if it ends before."""
    monday = day.toordinal() - day.weekday()
    return date.fromordinal(monday), date.fromordinal(min(monday + 6, date.max.toordinal()))


def _full(
    most: int | None,
    starts: Iterable[int],
    zone: ZoneInfo,
    period_of: Callable[[date], tuple[date, date]],
    series: Iterable[int],
) -> list[Span]:
    if most is None:
        return []
    counts = Counter(period_of(local_date(start, zone)) for start in starts)
    together = Counter(period_of(local_date(start, zone)) for start in series)
    counts.update({period: count - 1 for period, count in together.items()})  # one of them is the further visit
    return [whole_days(*period, zone) for period, count in sorted(counts.items()) if count >= most]
