"""Versions of weekly hours: one week until a day, another week from that day on.

In FHIR each window may have a first and a last day. Together they form a sequence of versions, each valid until the
next begins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from clinic.available_time import AVAILABILITY_PERIOD, RecurringWeeks, recurrence_extension
from clinic.models import WEEKDAYS
from scheduling.availability import weekly_windows
from scheduling.core.hours import Window
from scheduling.core.recurrence import EVERY_WEEK, Recurrence

Json = dict[str, Any]
DAY = timedelta(days=1)
ANY_DAY = date(2026, 1, 1)  # names the weeks of hours that have no first day


class OpenSpan(NamedTuple):
    """Hours of a weekday, and the weeks in which they recur; closing at or before opening is on the next day."""

    opens: time
    closes: time
    recurrence: Recurrence = EVERY_WEEK

    @property
    def is_all_day(self) -> bool:
        return self.opens == self.closes == time(0)


Week: TypeAlias = tuple[tuple[OpenSpan, ...], ...]  # for each weekday, Monday first

ALL_DAY = OpenSpan(time(0), time(0))
CLOSED: Week = ((),) * 7


@dataclass(frozen=True, slots=True)
class Version:
    """A week of hours and the first local day on which it applies; None: from the beginning."""

    first: date | None
    week: Week


def read(availability: Iterable[Json] | None) -> list[Version]:
    """The versions in availableTime elements; the first applies from the beginning. Without elements always closed."""
    windows = weekly_windows(availability or ())
    starts = {window.first for window in windows if window.first}
    starts |= {window.last + DAY for window in windows if window.last}
    return _joined(Version(first, _week_on(windows, first)) for first in (None, *sorted(starts)))


def write(versions: Sequence[Version]) -> list[Json]:
    """The availableTime elements of versions; each ends on the day before the next begins."""
    ends = [version.first - DAY if version.first else None for version in versions[1:]]
    return [
        element
        for version, last in zip(versions, [*ends, None], strict=True)
        for element in _elements(version.week, version.first, last)
    ]


def put(versions: Iterable[Version], version: Version) -> list[Version]:
    """The versions with this one added, replacing one that begins on the same day."""
    others = [each for each in versions if each.first != version.first]
    return _joined(sorted([*others, version], key=_begins))


def remove(versions: Sequence[Version], first: date | None) -> list[Version]:
    """The versions without the one that begins on this day. The version before it continues; if there is none, the
    next one applies from the beginning.
    """
    left = [each for each in versions if each.first != first]
    if first is None and left:
        left[0] = Version(None, left[0].week)
    return _joined(left) or [Version(None, CLOSED)]


def in_force(versions: Sequence[Version], day: date) -> Version:
    """The version that applies on a day."""
    return [each for each in versions if each.first is None or each.first <= day][-1]


def _begins(version: Version) -> date:
    return version.first or date.min


def _joined(versions: Iterable[Version]) -> list[Version]:
    """The versions without those that equal the one before."""
    versions = list(versions)
    return [*versions[:1], *(after for before, after in pairwise(versions) if before.week != after.week)]


def _week_on(windows: Sequence[Window], day: date | None) -> Week:
    """The hours that apply on a day, or before all others."""
    held = [window for window in windows if _holds(window, day)]
    return tuple(
        tuple(sorted({OpenSpan(each.opens, each.closes, each.recurrence) for each in held if weekday in each.weekdays}))
        for weekday in range(len(WEEKDAYS))
    )


def _holds(window: Window, day: date | None) -> bool:
    if day is None:
        return window.first is None
    return (window.first is None or window.first <= day) and (window.last is None or day <= window.last)


def _elements(week: Week, first: date | None, last: date | None) -> Iterable[Json]:
    """One element for all weekdays that share a window."""
    for span in sorted({span for spans in week for span in spans}):
        days = [day for day, spans in zip(WEEKDAYS, week, strict=True) if span in spans]
        opens, closes = span.opens.isoformat(), span.closes.isoformat()
        times = {"allDay": True} if span.is_all_day else {"availableStartTime": opens, "availableEndTime": closes}
        extensions = [*_period(first, last), *_recurrence(span.recurrence, first or ANY_DAY)]
        yield {**({"extension": extensions} if extensions else {}), "daysOfWeek": days, **times}


def _period(first: date | None, last: date | None) -> list[Json]:
    if first is None and last is None:
        return []
    named = {"start": first, "end": last}
    period = {name: day.isoformat() for name, day in named.items() if day}
    return [{"url": AVAILABILITY_PERIOD, "valuePeriod": period}]


def _recurrence(recurrence: Recurrence, first: date) -> list[Json]:
    return recurrence_extension(RecurringWeeks(recurrence.interval, recurrence.next_week(first), recurrence.nth))
