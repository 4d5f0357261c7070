"""Writes of messages, with one INSERT in the transaction of the change that they report, and their withdrawal."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction

from clinic.models import Appointment, Communication, Event, Medium, Patient
from clinic.models.statements import insert_without_conflicts
from scheduling.notifications import quiet_hours, undo_window
from scheduling.notifications.announcements import announce
from scheduling.notifications.audience import Audience
from scheduling.notifications.drafts import drafts_for
from scheduling.notifications.series import OF_SERIES
from scheduling.notifications.staff import emails_of_staff
from scheduling.notifications.undo_window import WAITING

_WITHDRAW = """
    UPDATE clinic_communication
    SET status = 'not-done', status_reason = %s, attempts = 0, last_updated = %s, version = version + 1
    WHERE appointment_id = %s AND event = ANY(%s) AND status = ANY(%s) AND strpos(occasion, %s) = 0
"""


def news_of(
    appointment: Appointment, event: Event, audience: Audience, due: datetime, now: datetime, *, about: str = ""
) -> Iterable[Communication]:
    """The messages of an event to the people of one visit, one for each address. A text respects the quiet hours."""
    for medium in audience.media(event):
        moment = due
        if medium == Medium.SMS:
            moment = quiet_hours.allowed_time(due, audience.zone, visit=appointment.start, now=now) or due
        yield from drafts_for(appointment, event, medium, f"{appointment.sequence}{about}", audience, moment, now)


def write_to_staff(appointment: Appointment, now: datetime, *, about: str = "") -> None:
    """Write an email to each member of staff who can answer the request. It has no patient."""
    messages = [
        Communication(
            event=Event.STAFF_REQUEST,
            medium=Medium.EMAIL,
            occasion=f"{appointment.sequence}{about}/{number}",
            appointment=appointment,
            address=address,
            due=now,
            last_updated=now,
        )
        for number, address in enumerate(emails_of_staff(appointment), start=1)
    ]
    write_messages(messages, now)


def write_messages(messages: Sequence[Communication], now: datetime) -> None:
    """Write the messages that are not there yet, and announce those that are due after the commit."""
    if not messages:
        return
    insert_without_conflicts(messages)
    for wait in (timedelta(0), undo_window.UNDO_WINDOW):
        due = [message.fhir_id for message in messages if max(message.due, now) == now + wait]
        if due:
            transaction.on_commit(partial(announce, due, wait), robust=True)


def withdraw_messages(
    appointment: Appointment, now: datetime, why: str, *, events: Iterable[str], patient: Patient | None = None
) -> None:
    """Withdraw the messages that wait, to one patient or to everybody."""
    waiting = [status.value for status in WAITING]
    values: list[Any] = [why, now, appointment.pk, [str(event) for event in events], waiting, OF_SERIES]
    with connection.cursor() as cursor:
        if patient is None:
            cursor.execute(_WITHDRAW, values)
        else:
            cursor.execute(f"{_WITHDRAW} AND patient_id = %s", [*values, patient.pk])
