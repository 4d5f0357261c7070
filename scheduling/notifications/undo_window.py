"""News that waits while staff can undo the change, merged with news that follows meanwhile.

A move and its undo send nothing; two moves send one message, from the time the patient knows to the last one.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection

from clinic import exact_json
from clinic.models import Appointment, Communication, Event, Slot
from scheduling.visit_zone import zones_of

Json = dict[str, Any]

UNDO_WINDOW = timedelta(seconds=10)  # equal to UNDO_FOR in static/js
WAITING = (Communication.Status.PREPARATION, Communication.Status.ON_HOLD)
NEWS = (Event.CONFIRMATION, Event.CHANGE, Event.CANCELLATION)

_NEWS = """
    SELECT event, status, before::text FROM clinic_communication
    WHERE appointment_id = %s AND event = ANY(%s) AND (occasion = %s OR occasion LIKE %s) ORDER BY id DESC
"""


class News(NamedTuple):
    """A message about a visit: its event, and the visit as the patient last heard of it before."""

    event: str
    before: Json | None


def snapshot_of(appointment: Appointment) -> Json:
    """The time, zone, schedules and service of a visit, as stored in Communication.before."""
    assert appointment.start is not None  # what is booked has a time
    assert appointment.end is not None
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None).exclude(status=Slot.Status.BUSY_UNAVAILABLE)
    return {
        "start": appointment.start.isoformat(),
        "end": appointment.end.isoformat(),
        "zone": zones_of([appointment])[appointment.pk].key,
        "service": appointment.service_id,
        "schedules": sorted(slots.order_by().values_list("schedule", flat=True)),
    }


def unsent_news(appointment: Appointment) -> News | None:
    """The latest news about the visit before this change, if none of it has been sent yet."""
    last = str(appointment.sequence - 1)
    with connection.cursor() as cursor:
        cursor.execute(_NEWS, [appointment.pk, [event.value for event in NEWS], last, f"{last}/%"])
        rows = cursor.fetchall()
    latest = [row for row in rows if row[0] == rows[0][0]]
    if not latest or any(status not in WAITING for _, status, _ in latest):
        return None
    event, _, before = latest[0]
    return News(event, exact_json.loads(before) if before else None)


def news_of_move(appointment: Appointment, before: Json, last: News | None) -> tuple[Event | None, Json | None]:
    """The event to report for a move, and the visit as the patient last heard of it."""
    if last is None or last.event == Event.CANCELLATION:
        return Event.CHANGE, before
    if last.event == Event.CONFIRMATION:
        return Event.CHANGE, {**before, "news": Event.CONFIRMATION.value}
    first = last.before or before
    news = first.get("news")
    if {name: value for name, value in first.items() if name != "news"} == snapshot_of(appointment):
        return Event(news) if news else None, None
    return Event.CHANGE, first


def known_before_cancellation(last: News | None) -> Json | None:
    """The visit as the patient last heard of it, from the news that a cancellation replaces."""
    return {**(last.before or {}), "news": last.event} if last is not None else None


def news_of_restoration(last: News | None) -> tuple[Event | None, Json | None]:
    """The event to report for an undone cancellation: the news that it had replaced, or a confirmation."""
    if last is None or last.event != Event.CANCELLATION:
        return Event.CONFIRMATION, None
    kept = last.before or {}
    news = kept.get("news")
    before = {name: value for name, value in kept.items() if name != "news"}
    return Event(news) if news else None, before or None
