"""Opening hours on the wall clock, converted to spans of UTC: the only place where local time becomes UTC.

A local time that occurs twice means the first occurrence. One that the clocks skip means the instant it would have had
with the offset before the gap (RFC 5545 section 3.3.5, PEP 495 with fold=0, Temporal's "compatible").
"""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduling.core.intervals import Span, clip, merge
from scheduling.core.recurrence import EVERY_WEEK, Recurrence

MIDNIGHT = time(0)
DAY = 86_400
HOUR = 3_600
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clocks are compared with it, not instants
# Between these seconds the date in every zone lies within the years 1 to 9999.
FIRST_SECOND = int(datetime(1, 1, 2, tzinfo=UTC).timestamp())
LAST_SECOND = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Window:
    """Weekly hours: open on `weekdays` (Monday is 0) from `opens` to `closes` on the wall clock.

    Closing at or before opening means the next day, so 00:00 to 00:00 is the whole day, however long it is. A window
    belongs to the day on which it opens: that day must be one of `weekdays` in a week of the `recurrence`, and not
    before `first` or after `last` if they are set.
    """

    weekdays: frozenset[int]
    opens: time
    closes: time
    first: date | None = None
    last: date | None = None
    recurrence: Recurrence = EVERY_WEEK

    def opens_on(self, day: date) -> bool:
        if self.first is not None and day < self.first:
            return False
        if self.last is not None and day > self.last:
            return False
        return day.weekday() in self.weekdays and self.recurrence.includes(day)


@dataclass(frozen=True, slots=True)
class ClosedTime:
    """Time from `start` until `end` on the wall clock, once or, if shorter than a year, in every year from then on.

    `reasons` are the reason that patients read, by language; for all other languages the one of "".
    """

    start: datetime
    end: datetime
    is_yearly: bool = False
    reasons: tuple[tuple[str, str], ...] = ()

    def between_years(self, first: int, last: int) -> Iterator[tuple[datetime, datetime]]:
        """The times that begin in the years from `first` to `last`; in all years if it is only once."""
        if not self.is_yearly:
            yield self.start, self.end
            return
        for year in range(max(first, self.start.year), min(last, date.max.year - 1) + 1):
            yield in_year(self.start, year), in_year(self.end, year + self.end.year - self.start.year)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a local day without a clock change: [start, end) in UTC seconds.

    `wall` is the second of the day that the clock shows at `start`.
    """

    start: int
    end: int
    wall: int


def instant(day: date, wall: time, zone: ZoneInfo) -> int:
    """The UTC second at which clocks in `zone` show `wall` on `day`."""
    return int(datetime.combine(day, wall, zone).timestamp())


def days_later(at: int, days: int, zone: ZoneInfo) -> int:
    """The UTC second at which clocks in `zone` show the time of `at`, so many days later; another if they skip it."""
    if not days:
        return at
    local = local_time(at, zone)
    return instant(local.date() + timedelta(days=days), local.time().replace(fold=0), zone)


def clock_difference(at: int, until: int, zone: ZoneInfo) -> timedelta:
    """The difference between the local dates and times that clocks in `zone` show at two seconds."""
    return local_time(until, zone).replace(tzinfo=None) - local_time(at, zone).replace(tzinfo=None)


def in_year(wall: datetime, year: int) -> datetime:
    """The same time in another year; 28 February for a 29th that the year does not have."""
    is_missing = (wall.month, wall.day) == (2, 29) and not isleap(year)
    return wall.replace(year=year, day=28) if is_missing else wall.replace(year=year)


def local_date(at: int, zone: ZoneInfo) -> date:
    """The local date at this second, or the nearest date in the calendar's range."""
    return local_time(at, zone).date()


def local_time(at: int, zone: ZoneInfo) -> datetime:
    """The local time at this second, or the nearest time in the calendar's range."""
    try:
        return datetime.fromtimestamp(at, zone)
    except (OverflowError, ValueError):
        edge = datetime(9999, 12, 31, 23, 59, 59) if at > 0 else datetime(1, 1, 1)  # noqa: DTZ001
        return edge.replace(tzinfo=zone)


def days_between(first: date, last: date) -> Iterator[date]:
    """The days from `first` to `last`, both included."""
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


@lru_cache(maxsize=8192)
def local_day(day: date, zone: ZoneInfo) -> tuple[Stretch, ...]:
    """The stretches of a local day: one on most days, two if the clocks change, none if the day was skipped."""
    midnight = _wall_seconds(datetime.combine(day, MIDNIGHT))
    stretches = []
    for start, end, offset in _even_offsets(midnight - DAY, midnight + 2 * DAY, zone):
        first = max(start, midnight - offset)
        last = min(end, midnight + DAY - offset)
        if first < last:
            stretches.append(Stretch(first, last, first + offset - midnight))
    return tuple(stretches)


def open_spans(hours: tuple[Window, ...], zone: ZoneInfo, start: int, end: int) -> list[Span]:
    """The spans within [start, end) in which `hours` are open.

    It starts two local days before `start`: an overnight window reaches into the next day, and where the clocks skip
    that day or its end (Apia in 2011, Nuuk every spring) into the one after.
    """
    return list(_open_between(hours, zone, start, end)) if hours and start < end else []


def spells(hours: tuple[Window, ...], zone: ZoneInfo, start: int, end: int) -> Iterator[Span]:
    """The spans in which single windows are open, each in full, of those that overlap [start, end)."""
    for day in _days_around(zone, start, end):
        yield from (span for span in _open_on(hours, day, zone) if span[0] < end and start < span[1])


def closed_spans(closed: tuple[ClosedTime, ...], zone: ZoneInfo, start: int, end: int) -> list[Span]:
    """The spans within [start, end) of which some second is in `closed`."""
    return list(_closed_between(closed, zone, start, end)) if closed and start < end else []


def whole_days(first: date, last: date, zone: ZoneInfo) -> Span:
    """The span from the start of `first` to the end of `last`."""
    return instant(first, MIDNIGHT, zone), _instant_after(last, MIDNIGHT, zone)


@lru_cache(maxsize=1024)
def _closed_between(closed: tuple[ClosedTime, ...], zone: ZoneInfo, start: int, end: int) -> tuple[Span, ...]:
    first, last = local_date(start, zone).year - 1, local_date(end - 1, zone).year
    spans = [
        (_instant_or_next_day(begin, zone), _instant_or_next_day(finish, zone))
        for each in closed
        for begin, finish in each.between_years(first, last)
    ]
    return tuple(clip(merge(span for span in spans if span[0] < span[1]), start, end))


@lru_cache(maxsize=1024)
def _open_between(hours: tuple[Window, ...], zone: ZoneInfo, start: int, end: int) -> tuple[Span, ...]:
    spans: list[Span] = []
    for day in _days_around(zone, start, end):
        spans.extend(_open_on(hours, day, zone))
    return tuple(clip(merge(spans), start, end))


def _days_around(zone: ZoneInfo, start: int, end: int) -> Iterator[date]:
    """The local days whose windows can overlap [start, end)."""
    first = date.fromordinal(max(local_date(start, zone).toordinal() - 2, 1))
    return days_between(first, local_date(end - 1, zone))


@lru_cache(maxsize=65536)
def _open_on(hours: tuple[Window, ...], day: date, zone: ZoneInfo) -> tuple[Span, ...]:
    if not local_day(day, zone):
        return ()
    spans = []
    for window in hours:
        if window.opens_on(day):
            closes = instant if window.opens < window.closes else _instant_after
            span = instant(day, window.opens, zone), closes(day, window.closes, zone)
            if span[0] < span[1]:  # otherwise the clocks skipped all of it
                spans.append(span)
    return tuple(spans)


def _instant_after(day: date, wall: time, zone: ZoneInfo) -> int:
    """The UTC second at which the clocks of `zone` show `wall` on the day after."""
    if day == date.max:
        return instant(day, wall, zone) + DAY
    return instant(day + timedelta(days=1), wall, zone)


def _instant_or_next_day(wall: datetime, zone: ZoneInfo) -> int:
    """The UTC second at which clocks in `zone` show `wall`; the end of that day if they skip all of it."""
    if not local_day(wall.date(), zone):
        return _instant_after(wall.date(), MIDNIGHT, zone)
    return instant(wall.date(), wall.time(), zone)


def _even_offsets(start: int, end: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """[start, end) split where the zone's offset from UTC changes: (start, end, offset in seconds)."""
    at = start
    while at < end:
        offset = _offset(at, zone)
        change = at + HOUR
        while change < end and _offset(change, zone) == offset:
            change += HOUR
        if change < end:
            change = _first_change(change - HOUR, change, offset, zone)
        yield at, min(change, end), offset
        at = change


def _first_change(before: int, after: int, offset: int, zone: ZoneInfo) -> int:
    """The first second in (before, after] with another offset than `offset`, found by bisection."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(at: int, zone: ZoneInfo) -> int:
    within = min(max(at, FIRST_SECOND), LAST_SECOND)
    offset = datetime.fromtimestamp(within, UTC).astimezone(zone).utcoffset()
    assert offset is not None  # an aware datetime has one
    return int(offset.total_seconds())


def _wall_seconds(wall: datetime) -> int:
    return int((wall - EPOCH).total_seconds())
