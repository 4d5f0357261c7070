"""State of calendars, to notice changes."""

from datetime import datetime

from django.db import connection

from portal.staff.calendar.selection import Selection

_CHANGES = """
    SELECT count(*), max(last_updated), sum(version) FROM (
        SELECT last_updated, version FROM clinic_slot
        WHERE last_updated > %(since)s AND bookable_id = ANY(%(bookables)s)
        UNION ALL
        SELECT appointment.last_updated, appointment.version
        FROM clinic_appointment appointment JOIN clinic_slot slot ON slot.appointment_id = appointment.id
        WHERE appointment.last_updated > %(since)s AND slot.bookable_id = ANY(%(bookables)s)
    ) changed
"""


def state_of(selection: Selection, since: datetime) -> str:
    """Return a string that changes whenever these calendars change after `since`. One query.

    The latest time alone is not enough: a transaction that began earlier may commit later.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {"since": since, "bookables": selection.bookables})
        count, latest, versions = cursor.fetchone()
    return f"{count}-{latest.timestamp() if latest else 0}-{versions or 0}"
