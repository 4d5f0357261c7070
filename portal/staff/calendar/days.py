"""Days of the calendars: what stands on each, and when they are open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from portal.staff.calendar.entries import Entry, read_entries, span_of, times_of_visits, together
from portal.staff.calendar.selection import Selection
from portal.staff.calendar.wall import DAY, midnight
from scheduling.access import Caller
from scheduling.availability import all_offerings_of, as_datetime, open_spans
from scheduling.core.intervals import Span, intersect, merge, subtract

Stretch: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Day:
    """One local day: its entries in order, before which of them it is now, and when any of the calendars is open."""

    date: date
    entries: list[Entry]
    is_today: bool
    now: datetime
    opening: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def visits(self) -> int:
        return sum(len(entry.members) or 1 for entry in self.entries if entry.is_visit)

    @property
    def rows(self) -> list[Entry | None]:
        """What an agenda lists: all but buffers, with None where the line of now goes."""
        shown = [entry for entry in self.entries if entry.kind != "buffer"]
        if not self.is_today:
            return list(shown)
        passed = [entry for entry in shown if entry.start <= self.now]
        return [*passed, None, *shown[len(passed) :]]


def read_days(caller: Caller, selection: Selection, first: date, days: int, *, now: datetime) -> list[Day]:
    """That many days from `first` on, groups as one entry each."""
    zone = selection.zone
    start, end = midnight(first, zone), midnight(first + days * DAY, zone)
    entries = together(read_entries(caller, selection, start, end, now=now))
    opening = opening_of(selection, start, end)
    today = now.astimezone(zone).date()
    return [
        _day(first + n * DAY, entries, opening, zone, now.astimezone(zone), is_today=first + n * DAY == today)
        for n in range(days)
    ]


def _day(
    day: date,
    entries: list[Entry],
    opening: Mapping[int, list[Span]],
    zone: ZoneInfo,
    now: datetime,
    *,
    is_today: bool,
) -> Day:
    start, end = midnight(day, zone), midnight(day + DAY, zone)
    here = [entry for entry in entries if entry.start < end and entry.end > start]
    within = [span_of(start, end)]
    spans = intersect(merge(span for each in opening.values() for span in each), within)
    return Day(
        day,
        here,
        is_today,
        now,
        [(as_datetime(first).astimezone(zone), as_datetime(last).astimezone(zone)) for first, last in spans],
    )


def hours_shown(
    caller: Caller, selection: Selection, start: datetime, end: datetime, *, now: datetime
) -> tuple[list[Stretch], list[Stretch]]:
    """When any of the calendars is open, and when there are visits: local stretches, day by day, without reading
    whose they are.
    """
    zone = selection.zone
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    days = [
        span_of(midnight(first + n * DAY, zone), midnight(first + (n + 1) * DAY, zone))
        for n in range((last - first).days)
    ]
    opening = merge(span for spans in opening_of(selection, start, end).values() for span in spans)

    def local(span: Span) -> Stretch:
        return as_datetime(span[0]).astimezone(zone), as_datetime(span[1]).astimezone(zone)

    visits = [
        (begins.astimezone(zone), ends.astimezone(zone))
        for begins, ends in times_of_visits(caller, selection, start, end, now=now)
    ]
    return [local(span) for day in days for span in intersect(opening, [day])], visits


def opening_of(selection: Selection, start: datetime, end: datetime) -> dict[int, list[Span]]:
    """When each of the calendars shown is open, by its primary key: two queries."""
    offerings = all_offerings_of([each.pk for each in selection.shown])
    return {each.pk: [] for each in selection.shown} | open_spans(offerings, start, end)


def closed(opening: Mapping[int, list[Span]], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """What lies outside the hours of each."""
    return {pk: subtract([span_of(start, end)], spans) for pk, spans in opening.items()}


def closed_for_all(opening: Mapping[int, list[Span]], start: datetime, end: datetime) -> list[Span]:
    return subtract([span_of(start, end)], merge(span for spans in opening.values() for span in spans))
