"""Days of the calendars: their entries and opening hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, pairwise
from typing import TypeAlias
from zoneinfo import ZoneInfo

from portal.staff.calendar.entries import CalendarEntry, merge_groups, read_entries, span_of, times_of_visits
from portal.staff.calendar.local_times import DAY, midnight
from portal.staff.calendar.selection import Selection
from scheduling.access import Caller
from scheduling.availability import all_offerings_of, as_datetime, open_spans
from scheduling.core.intervals import Span, intersect, merge, subtract

Stretch: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One local day: its entries in order, and when any of the calendars is open."""

    date: date
    entries: list[CalendarEntry]
    is_today: bool
    now: datetime
    opening: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def visits(self) -> int:
        return sum(len(entry.members) or 1 for entry in self.entries if entry.is_visit)

    @property
    def rows(self) -> list[CalendarEntry | None]:
        """The entries for an agenda, without buffers; None marks the current time."""
        entries = [entry for entry in self.entries if entry.kind != "buffer"]
        if not self.is_today:
            return list(entries)
        passed = [entry for entry in entries if entry.start <= self.now]
        return [*passed, None, *entries[len(passed) :]]


def read_days(caller: Caller, selection: Selection, first: date, days: int, *, now: datetime) -> list[CalendarDay]:
    """Return `days` days from `first` on, with each group visit as one entry. The days are those of each site."""
    parts = selection.by_zone
    by_zone = [_read_days(caller, part, first, days, now=now) for part in parts]
    return by_zone[0] if len(parts) == 1 else [_together(parts, same_day) for same_day in zip(*by_zone, strict=True)]


def _together(parts: Sequence[Selection], days: Sequence[CalendarDay]) -> CalendarDay:
    """Return one day of several zones as one, with its entries in the order in which they begin.

    A visit of somebody with calendars in both is in both, and here once: by the clocks of its own calendar.
    """
    every: dict[tuple[str, str, datetime], CalendarEntry] = {}
    for part, day in zip(parts, days, strict=True):
        own = {schedule.pk for schedule in part.shown}
        for entry in day.entries:
            key = entry.kind, entry.id, entry.start
            if entry.schedule in own or key not in every:
                every[key] = entry
    entries = sorted(every.values(), key=lambda entry: (entry.start, entry.end))
    opening = sorted(chain.from_iterable(day.opening for day in days))
    return CalendarDay(days[0].date, entries, any(day.is_today for day in days), days[0].now, opening)


def _read_days(caller: Caller, selection: Selection, first: date, days: int, *, now: datetime) -> list[CalendarDay]:
    zone = selection.zone
    start, end = midnight(first, zone), midnight(first + days * DAY, zone)
    entries = merge_groups(read_entries(caller, selection, start, end, now=now))
    opening = opening_of(selection, start, end)
    today = now.astimezone(zone).date()
    return [
        _day(first + n * DAY, entries, opening, zone, now.astimezone(zone), is_today=first + n * DAY == today)
        for n in range(days)
    ]


def _day(
    day: date,
    entries: list[CalendarEntry],
    opening: Mapping[int, list[Span]],
    zone: ZoneInfo,
    now: datetime,
    *,
    is_today: bool,
) -> CalendarDay:
    start, end = midnight(day, zone), midnight(day + DAY, zone)
    here = [entry for entry in entries if entry.start < end and entry.end > start]
    within = [span_of(start, end)]
    spans = intersect(merge(span for each in opening.values() for span in each), within)
    return CalendarDay(
        day,
        here,
        is_today,
        now,
        [(as_datetime(first).astimezone(zone), as_datetime(last).astimezone(zone)) for first, last in spans],
    )


def hours_shown(
    caller: Caller, selection: Selection, first: date, days: int, *, now: datetime
) -> tuple[list[Stretch], list[Stretch]]:
    """Return when any of the calendars is open, and when there are visits, in local time. It reads no patients."""
    opening, visits = zip(
        *(_hours_shown(caller, part, first, days, now=now) for part in selection.by_zone), strict=True
    )
    return list(chain.from_iterable(opening)), list(chain.from_iterable(visits))


def _hours_shown(
    caller: Caller, selection: Selection, first: date, count: int, *, now: datetime
) -> tuple[list[Stretch], list[Stretch]]:
    zone = selection.zone
    midnights = [midnight(first + n * DAY, zone) for n in range(count + 1)]
    start, end = midnights[0], midnights[-1]
    days = [span_of(*each) for each in pairwise(midnights)]
    opening = merge(span for spans in opening_of(selection, start, end).values() for span in spans)

    def local(span: Span) -> Stretch:
        return as_datetime(span[0]).astimezone(zone), as_datetime(span[1]).astimezone(zone)

    visits = [
        (begins.astimezone(zone), ends.astimezone(zone))
        for begins, ends in times_of_visits(caller, selection, start, end, now=now)
    ]
    return [local(span) for day in days for span in intersect(opening, [day])], visits


def opening_of(selection: Selection, start: datetime, end: datetime) -> dict[int, list[Span]]:
    """Return the opening hours of the selected calendars by their primary keys. Two queries."""
    offerings = all_offerings_of([each.pk for each in selection.shown])
    return {each.pk: [] for each in selection.shown} | open_spans(offerings, start, end)


def closed(opening: Mapping[int, list[Span]], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """Return the closed spans of each calendar by its primary key."""
    return {pk: subtract([span_of(start, end)], spans) for pk, spans in opening.items()}


def closed_for_all(opening: Mapping[int, list[Span]], start: datetime, end: datetime) -> list[Span]:
    return subtract([span_of(start, end)], merge(span for spans in opening.values() for span in spans))
