"""Reminders of a visit: how long before it they are sent, and their messages.

The service says how long before (`HealthcareService.reminders`, two days and two hours by default). They are written
with the booking, moved with the visit, and dropped if they are no longer true when they are due.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from clinic.models import Appointment, Communication, Event, Medium
from scheduling.notifications import quiet_hours
from scheduling.notifications.audience import Audience
from scheduling.notifications.drafts import drafts_for


def lead_times_of(appointment: Appointment, now: datetime) -> list[timedelta]:
    """Return the lead times of the visit's reminders that are still to come."""
    service, start = appointment.service, appointment.start
    if service is None or start is None:
        return []
    return [before for before in dict.fromkeys(service.reminders) if now < start - before < start]


def reminders_of(
    appointment: Appointment, lead_times: Iterable[timedelta], audience: Audience, now: datetime
) -> Iterable[Communication]:
    """Yield the unsaved reminders by each medium that the patient wants. Text messages avoid the quiet hours."""
    start = appointment.start
    if start is None:
        return
    for before in lead_times:
        moment = start - before
        for medium in audience.media(Event.REMINDER):
            due: datetime | None = moment
            if medium == Medium.SMS:
                due = quiet_hours.allowed_time(moment, audience.zone, visit=start, now=now)
            if due is not None:
                occasion = f"{appointment.sequence}-{int(before.total_seconds())}"
                yield from drafts_for(appointment, Event.REMINDER, medium, occasion, audience, due, now)
