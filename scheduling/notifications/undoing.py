"""News of what staff can undo: it waits until they no longer can, and news that follows meanwhile becomes one with it.

A move and its undo tell nobody; two moves tell once, from the time that the patient knows to the last.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Q

from clinic.models import Appointment, Communication, Event, Slot
from scheduling.facts import zones_of

Json = dict[str, Any]

UNDO_WINDOW = timedelta(seconds=10)  # as long as the staff's pages offer it: UNDO_FOR in static/js
WAITING = (Communication.Status.PREPARATION, Communication.Status.ON_HOLD)
NEWS = (Event.CONFIRMATION, Event.CHANGE, Event.CANCELLATION)


def stand_of(appointment: Appointment) -> Json:
    """When a visit with a time is, by which clock, and on which schedules: as Communication.before keeps it."""
    assert appointment.start is not None  # what is booked has a time
    assert appointment.end is not None
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None).exclude(status=Slot.Status.BUSY_UNAVAILABLE)
    return {
        "start": appointment.start.isoformat(),
        "end": appointment.end.isoformat(),
        "zone": zones_of([appointment])[appointment.pk].key,
        "schedules": sorted(slots.order_by().values_list("schedule", flat=True)),
    }


def untold(appointment: Appointment) -> Communication | None:
    """The news of the last change of a visit, before this one, if nobody has been told of it yet."""
    last = str(appointment.sequence - 1)
    of_last = Q(occasion=last) | Q(occasion__startswith=f"{last}/")
    rows = list(Communication.objects.filter(of_last, appointment=appointment, event__in=NEWS).order_by("-pk"))
    latest = [row for row in rows if row.event == rows[0].event]
    return latest[0] if latest and all(row.status in WAITING for row in latest) else None


def of_move(appointment: Appointment, before: Json, last: Communication | None) -> tuple[Event | None, Json | None]:
    """The event that a move tells, and the visit as the patient last heard of it."""
    if last is None or last.event == Event.CANCELLATION:
        return Event.CHANGE, before
    if last.event == Event.CONFIRMATION:
        return Event.CHANGE, {**before, "news": Event.CONFIRMATION.value}
    first = last.before or before
    news = first.get("news")
    if {name: value for name, value in first.items() if name != "news"} == stand_of(appointment):
        return Event(news) if news else None, None
    return Event.CHANGE, first


def of_cancellation(last: Communication | None) -> Json | None:
    """The time that the patient knows, kept by a cancellation from the news it replaces."""
    return {**(last.before or {}), "news": last.event} if last is not None else None


def of_restoring(last: Communication | None) -> tuple[Event | None, Json | None]:
    """The event that undoing a cancellation tells: the news it had replaced, or that the visit is booked."""
    if last is None or last.event != Event.CANCELLATION:
        return Event.CONFIRMATION, None
    kept = last.before or {}
    news = kept.get("news")
    before = {name: value for name, value in kept.items() if name != "news"}
    return Event(news) if news else None, before or None
