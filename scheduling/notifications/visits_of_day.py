"""Messages about several visits of one day, which go to a patient as one email and one text.

A reminder takes along the reminders that the patient gets as long before other visits of that day, unless they are due
much later; a confirmation those that are due already. Each row keeps its own record: those that went along are
`part_of` the one that was sent.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from clinic.local_time import in_zone
from clinic.models import Communication, Event, Medium
from scheduling.notifications.series import is_of_series

MEDIA = (Medium.EMAIL, Medium.SMS)

_CLAIM = """
    UPDATE clinic_communication
    SET status = 'in-progress', claimed_until = %(until)s, attempts = attempts + 1, last_updated = %(now)s
    WHERE id IN (
        SELECT other.id FROM clinic_communication other
        JOIN clinic_appointment visit ON visit.id = other.appointment_id
        WHERE other.patient_id = %(patient)s AND other.event = %(event)s AND other.medium = %(medium)s
            AND other.address = %(address)s AND other.status = 'preparation' AND other.deleted_at IS NULL
            AND other.appointment_id <> %(visit)s AND other.due <= %(last_due)s
            AND split_part(other.occasion, '/', 1) LIKE %(occasion)s
            AND visit.start >= %(midnight)s AND visit.start < %(next_midnight)s
        ORDER BY other.id FOR NO KEY UPDATE OF other SKIP LOCKED
    )
    RETURNING *
"""


def claim_others(message: Communication, address: str, zone: ZoneInfo, *, now: datetime) -> list[Communication]:
    """Claim the messages that are sent together with a claimed one, until its lease ends. `address` is where they go.

    One statement; none for a message that takes no others along.
    """
    visit = message.appointment
    if message.event not in (Event.REMINDER, Event.CONFIRMATION) or message.medium not in MEDIA:
        return []
    if visit is None or visit.start is None or message.patient_id is None or is_of_series(message):
        return []
    lead_time = _lead_time_of(message) if message.event == Event.REMINDER else timedelta(0)
    if lead_time is None:
        return []
    midnight = in_zone(visit.start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    values = {
        "until": message.claimed_until,
        "now": now,
        "patient": message.patient_id,
        "event": message.event,
        "medium": message.medium,
        "address": address,
        "visit": visit.pk,
        "last_due": max(now, message.due + lead_time / 2),
        "occasion": f"%-{int(lead_time.total_seconds())}" if lead_time else "%",
        "midnight": midnight,
        "next_midnight": midnight + timedelta(days=1),  # the same clock: a day of 23 or 25 hours too
    }
    with transaction.atomic(durable=True):
        return [row for row in Communication.objects.raw(_CLAIM, values) if not is_of_series(row)]


def _lead_time_of(message: Communication) -> timedelta | None:
    """Return how long before the visit a reminder is sent, from its occasion; None for one that staff send again."""
    sequence, _, seconds = message.occasion.partition("/")[0].partition("-")
    return timedelta(seconds=int(seconds)) if sequence.isdigit() and seconds.isdigit() else None
