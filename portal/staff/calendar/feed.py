"""Calendars as EventCalendar draws them: https://github.com/vkurko/calendar#event-object

It knows no zones. Every time it gets is the one that the wall of the site shows; what a wall cannot show, such as the
second of two hours, is said in words.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from clinic import words
from portal.staff.calendar.days import Day, closed, closed_for_all, opening_of
from portal.staff.calendar.entries import Entry, read_entries, span_of
from portal.staff.calendar.selection import Selection
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.core.intervals import Span, merge, subtract

EARLIEST, LATEST = 8, 18  # what a day shows even if it is closed
Json = dict[str, Any]


def events(
    caller: Caller, selection: Selection, start: datetime, end: datetime, *, now: datetime, apart: bool
) -> list[Json]:
    """What stands on the calendars shown, and when they are closed: each by itself, or (not `apart`) all together."""
    opening = opening_of(selection, start, end)
    shut: list[Json] = []
    if apart:
        spans = closed(opening, start, end)
        for schedule in selection.shown:
            shut += [_shut(selection, [schedule.fhir_id], span) for span in spans[schedule.pk]]
    else:
        shut += [_shut(selection, selection.ids, span) for span in closed_for_all(opening, start, end)]
    entries = read_entries(caller, selection, start, end, now=now)
    return shut + [_event(each) for entry in entries for each in _around_visits(entry, entries)]


def _around_visits(entry: Entry, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entry as a grid draws it: of a block the parts that no visit lies on, so that both have the whole width."""
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
        yield replace(entry, start=as_datetime(start).astimezone(zone), end=as_datetime(end).astimezone(zone))


def hours_of(days: Iterable[Day]) -> tuple[int, int]:
    """The first and last hour of the wall that a grid of these days has to show."""
    spans = [span for day in days for span in (*day.opening, *((e.start, e.end) for e in day.entries if e.is_visit))]
    first = min(EARLIEST, *(start.hour for start, _end in spans), EARLIEST)
    last = max(LATEST, *(_last_hour(*span) for span in spans), LATEST)
    return first, last


def _last_hour(start: datetime, end: datetime) -> int:
    if end.date() > start.date():
        return 24
    return end.hour + bool(end.minute)


def _event(entry: Entry) -> Json:
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
            "clock": entry.hours if entry.start.fold else words.clock(entry.start),
            "when": entry.hours,
            "version": entry.version,
            "service": entry.service,
            "place": entry.place,
            "whose": ", ".join(entry.whose),
            "status": str(entry.status.word) if entry.status else "",
            "icon": entry.status.icon if entry.status else "",
            "note": _("until %(time)s") % {"time": words.clock(entry.expires)} if entry.expires else "",
            "href": _address(entry),
        },
    }


def _address(entry: Entry) -> str:
    """Where it can be seen and changed; nowhere for what only takes time."""
    if entry.kind == "elsewhere":
        return ""
    return reverse("portal:staff-block" if entry.kind == "block" else "portal:staff-peek", args=[entry.id])


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
    """Both as a wall shows them. Where the clocks go back in between, the end is as far below as it lasts."""
    first, last = start.replace(tzinfo=None), end.replace(tzinfo=None)
    if last <= first:
        last = first + timedelta(seconds=end.timestamp() - start.timestamp())
    return f"{first:%Y-%m-%dT%H:%M:%S}", f"{last:%Y-%m-%dT%H:%M:%S}"
