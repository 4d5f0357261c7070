"""Events for the JavaScript library EventCalendar: https://github.com/vkurko/calendar#event-object

It knows no time zones. It gets all times as local times of their site; where those are ambiguous, such as in the second
of two equal hours, the text of the event says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from clinic import time_text
from portal.staff.calendar.days import Stretch, closed, closed_for_all, opening_of
from portal.staff.calendar.entries import CalendarEntry, hours_in_words, merge_groups, read_entries, span_of
from portal.staff.calendar.local_times import midnight
from portal.staff.calendar.selection import Selection
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.core.intervals import Span, merge, subtract

CLOSED = 9, 17  # the hours shown on a day on which nobody works
Json = dict[str, Any]


def events(caller: Caller, selection: Selection, first: date, last: date, *, now: datetime, apart: bool) -> list[Json]:
    """Return the entries and closed times of the selected calendars from one day until another: for each (`apart`), or
    for all together.
    """
    return [
        event
        for part in selection.by_zone
        for event in _events(caller, part, midnight(first, part.zone), midnight(last, part.zone), now=now, apart=apart)
    ]


def _events(
    caller: Caller, selection: Selection, start: datetime, end: datetime, *, now: datetime, apart: bool
) -> list[Json]:
    opening = opening_of(selection, start, end)
    shut: list[Json] = []
    if apart:
        spans = closed(opening, start, end)
        for schedule in selection.shown:
            shut += [_shut(selection, [schedule.fhir_id], span) for span in spans[schedule.pk]]
    else:
        shut += [_shut(selection, selection.ids, span) for span in closed_for_all(opening, start, end)]
    entries = merge_groups(read_entries(caller, selection, start, end, now=now))
    return shut + [_event(each) for entry in entries for each in _around_visits(entry, entries)]


def _around_visits(entry: CalendarEntry, entries: Iterable[CalendarEntry]) -> Iterator[CalendarEntry]:
    """Yield the parts of a block without visits, so that visits get the full width; other entries unchanged."""
    if entry.kind != "block":
        yield entry
        return
    above = merge(
        span_of(each.start, each.end)
        for each in entries
        if each.kind != "block" and set(each.calendars) & set(entry.calendars)
    )
    zone = entry.start.tzinfo
    for start, end in subtract([span_of(entry.start, entry.end)], above):
        first, last = as_datetime(start).astimezone(zone), as_datetime(end).astimezone(zone)
        yield replace(
            entry,
            start=first,
            end=last,
            clock=time_text.clock(first),
            end_clock=time_text.clock(last),
            hours=hours_in_words(first, last),
        )


def hours_of(opening: Iterable[Stretch]) -> tuple[int, int]:
    """Return the first and last local hour in which anybody works."""
    opening = list(opening)
    if not opening:
        return CLOSED
    return min(start.hour for start, _end in opening), max(_last_hour(*each) for each in opening)


def frame_of(working: tuple[int, int], visits: Iterable[Stretch]) -> tuple[int, int]:
    """Return the first and last hour of the grid: an hour around the working hours, and all visits."""
    visits = list(visits)
    first = min([max(working[0] - 1, 0), *(start.hour for start, _end in visits)])
    last = max([min(working[1] + 1, 24), *(_last_hour(*each) for each in visits)])
    return (0, 24) if any(end.date() > start.date() for start, end in visits) else (first, last)


def _last_hour(start: datetime, end: datetime) -> int:
    if end.date() > start.date():
        return 24
    return end.hour + bool(end.minute)


def _event(entry: CalendarEntry) -> Json:
    start, end = _walls(entry.start, entry.end)
    return {
        "id": f"{entry.kind}-{entry.id}-{int(entry.start.timestamp())}",
        "resourceIds": entry.calendars,
        "start": start,
        "end": end,
        "title": entry.title,
        "display": "background" if entry.kind == "buffer" else "auto",
        "startEditable": entry.is_movable,
        "durationEditable": entry.is_movable,
        "classNames": [f"entry--{entry.kind}", f"service-{entry.colour}"],
        "extendedProps": {
            "kind": entry.kind,
            "clock": entry.hours if entry.start.fold else entry.clock,
            "when": entry.hours,
            "version": entry.version,
            "service": entry.service,
            "place": entry.place,
            "whose": ", ".join(entry.whose),
            "status": str(entry.status.word) if entry.status else "",
            "icon": entry.status.icon if entry.status else "",
            "note": entry.note,
            "href": entry.href,
            "born": entry.born,
            "needs": entry.needs,
        },
    }


def _shut(selection: Selection, calendars: list[str], span: Span) -> Json:
    start, end = _walls(*(as_datetime(each).astimezone(selection.zone) for each in span))
    return {
        "resourceIds": calendars,
        "start": start,
        "end": end,
        "display": "background",
        "classNames": ["closed"],
        "extendedProps": {"kind": "closed"},
    }


def _walls(start: datetime, end: datetime) -> tuple[str, str]:
    """Return start and end as local times. If clocks go back in between, the end is moved to keep the duration."""
    first, last = start.replace(tzinfo=None), end.replace(tzinfo=None)
    if last <= first:
        last = first + timedelta(seconds=end.timestamp() - start.timestamp())
    return f"{first:%Y-%m-%dT%H:%M:%S}", f"{last:%Y-%m-%dT%H:%M:%S}"
