"""Outbox: the messages that each event of a visit creates. Called inside use cases of scheduling.booking, unless noted.

Messages are written with one INSERT in the transaction of the change. After commit, a thread announces those that are
due to the broker (scheduling.notifications.announcements); the sweep in scheduling.tasks finds any that it loses.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext_noop

from clinic.models import Appointment, Communication, Event, Medium, Patient
from clinic.models.statements import insert_without_conflicts
from scheduling.notifications import letters, quiet_hours, undo_window
from scheduling.notifications.announcements import announce
from scheduling.notifications.audience import Audience, audience_of
from scheduling.notifications.drafts import drafts_for
from scheduling.notifications.reminders import lead_times_of, reminders_of
from scheduling.notifications.series import OF_SERIES, is_of_series
from scheduling.notifications.staff import emails_of_staff
from scheduling.notifications.undo_window import WAITING, Json
from scheduling.participants import is_group, of_patient, patients_of, visit_of_patient

AGAIN = "again"

_WITHDRAW = """
    UPDATE clinic_communication
    SET status = 'not-done', status_reason = %s, attempts = 0, last_updated = %s, version = version + 1
    WHERE appointment_id = %s AND event = ANY(%s) AND status = ANY(%s) AND strpos(occasion, %s) = 0
"""


def requested(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """Write the messages about a new request: to the staff who can answer, and to the patient if `tell`."""
    _write_news(appointment, Event.REQUEST if tell else None, now, reminders=False)
    _write_staff_messages(appointment, now)


def suggested(suggestion: Appointment, *, now: datetime) -> None:
    """Write the message to the patient that the clinic suggests another time for their request."""
    request = suggestion.suggested_for
    assert request is not None  # it is a suggestion
    _write_news(suggestion, Event.SUGGESTION, now, reminders=False, before=undo_window.snapshot_of(request))


def booked(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """Write the confirmation of a new booking if `tell`, and plan its reminders."""
    _write_news(appointment, Event.CONFIRMATION if tell else None, now)


def series_requested(appointments: Sequence[Appointment], *, now: datetime, tell: bool = True) -> None:
    """Write the messages about a request for all visits of a series: see `requested`."""
    _write_series_news(appointments, Event.REQUEST if tell else None, now, reminders=False)
    _write_staff_messages(appointments[0], now, about=OF_SERIES)


def series_booked(appointments: Sequence[Appointment], *, now: datetime, tell: bool = True) -> None:
    """Write one confirmation for all these visits of a series if `tell`, and plan the reminders of each."""
    _write_series_news(appointments, Event.CONFIRMATION if tell else None, now)


def series_cancelled(appointments: Sequence[Appointment], *, now: datetime, undoable: bool = False) -> None:
    """Write one cancellation for all these visits of a series, each of which is `cancelled` without `tell`."""
    _write_series_news(appointments, Event.CANCELLATION, now, reminders=False, undoable=undoable)


def moved(appointment: Appointment, *, before: Json, now: datetime, tell: bool = True, undoable: bool = False) -> None:
    """Write the news that a booked visit has another time or other participants, and move its reminders.

    `before` is the visit's `snapshot_of` before the move. News of a move that is `undoable` waits for the undo window.
    If the patient is not told, a confirmation that still waits is sent, with the new time.
    """
    event, known = (
        undo_window.news_of_move(appointment, before, undo_window.unsent_news(appointment)) if tell else (None, None)
    )
    news = (Event.CONFIRMATION, Event.CHANGE) if tell else ()
    _withdraw(appointment, now, gettext_noop("The visit was moved."), events=(Event.REMINDER, *news))
    _write_news(appointment, event, now, before=known, undoable=undoable)


def cancelled(
    appointment: Appointment,
    patients: Sequence[Patient],
    *,
    now: datetime,
    tell: bool = True,
    undoable: bool = False,
) -> None:
    """Write the cancellation, in a group visit to the `patients` who were to come, and withdraw every other waiting
    message.

    If it is `undoable` it waits for the undo window.
    """
    known = undo_window.known_before_cancellation(undo_window.unsent_news(appointment))
    others = [event for event in Event if event != Event.CANCELLATION]  # patients who left a group are still told
    _withdraw(appointment, now, gettext_noop("The visit was cancelled."), events=others if patients else Event)
    event = Event.CANCELLATION if tell else None
    for visit in _visits_of(appointment, patients):
        _write_news_of(visit, event, now, reminders=False, before=known, undoable=undoable)


def left(appointment: Appointment, patients: Sequence[Patient], *, now: datetime, tell: bool = True) -> None:
    """Write the cancellation to the patients who leave a visit that others keep, and withdraw their other messages."""
    why = gettext_noop("The visit was cancelled.")
    for patient in patients:
        _withdraw(appointment, now, why, events=Event.values, patient=patient)
        if tell:
            _write_news_of(visit_of_patient(appointment, patient), Event.CANCELLATION, now, reminders=False)


def restored(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """Write the news that a cancellation was undone: the visit is booked as before, with a higher `sequence`.

    A patient who has not been told of the cancellation gets no message; others get a new confirmation. Reminders are
    planned again.
    """
    event, known = undo_window.news_of_restoration(undo_window.unsent_news(appointment))
    _withdraw(appointment, now, gettext_noop("The cancellation was undone."), events=(Event.CANCELLATION,))
    _write_news(appointment, event if tell else None, now, before=known)


def prove(email: str, code: str, language: str, *, now: datetime) -> None:
    """Send a guest the code that proves their address. Works inside or outside a transaction."""
    with translation.override(language or None):
        wording = letters.code_wording(code, language)
    message = Communication(
        event=Event.PROOF,
        medium=Medium.EMAIL,
        address=email,
        language=language,
        subject=wording.subject,
        body=wording.body,
        due=now,
        last_updated=now,
    )
    _write([message], now)


def plan_reminders(patient: Patient, *, now: datetime) -> None:
    """Plan the reminders of a patient whose preferences have changed, in a transaction of its own.

    Reminders that are no longer wanted are dropped when they are due.
    """
    coming = Appointment.objects.filter(
        of_patient(patient.pk), status=Appointment.Status.BOOKED, start__gt=now, deleted_at=None
    ).select_related("service", "patient")
    with transaction.atomic():
        for appointment in coming:
            _write_news_of(visit_of_patient(appointment, patient), None, now)


def send_again(message: Communication, *, now: datetime) -> Communication:
    """Write the message again as a new one, or return an equal one that still waits. The caller must be staff."""
    assert message.appointment is not None  # what is offered again is about a visit
    waiting = Communication.objects.filter(
        appointment=message.appointment,
        event=message.event,
        medium=message.medium,
        occasion__startswith=AGAIN,
        status__in=(*WAITING, Communication.Status.IN_PROGRESS),
    ).first()
    if waiting is not None:
        return waiting
    about = OF_SERIES if is_of_series(message) else ""
    again = Communication(
        event=message.event,
        medium=message.medium,
        occasion=f"{AGAIN}-{message.appointment.sequence}-{uuid.uuid4().hex[:8]}{about}",
        patient_id=message.patient_id,
        appointment=message.appointment,
        address=message.address,
        language=message.language,
        due=now,
        last_updated=now,
    )
    _write([again], now)
    return Communication.objects.get(fhir_id=again.fhir_id)


def sequence_of(message: Communication) -> str:
    """The `sequence` of the visit when the message was planned."""
    return message.occasion.removeprefix(f"{AGAIN}-").partition("-")[0]


def _write_news(
    appointment: Appointment,
    event: Event | None,
    now: datetime,
    *,
    reminders: bool = True,
    before: Json | None = None,
    undoable: bool = False,
) -> None:
    """Write the messages of an event and the reminders to each patient of a visit."""
    patients = patients_of(appointment) if is_group(appointment) else ()
    for visit in _visits_of(appointment, patients):
        _write_news_of(visit, event, now, reminders=reminders, before=before, undoable=undoable)


def _visits_of(appointment: Appointment, patients: Sequence[Patient]) -> list[Appointment]:
    """A visit of several patients as each of these has it; that of one as it is."""
    return [visit_of_patient(appointment, patient) for patient in patients] if is_group(appointment) else [appointment]


def _write_news_of(
    appointment: Appointment,
    event: Event | None,
    now: datetime,
    *,
    reminders: bool = True,
    before: Json | None = None,
    undoable: bool = False,
) -> None:
    """Write the messages of an event and the reminders to one patient: one read, and one INSERT if there are any."""
    lead_times = lead_times_of(appointment, now) if reminders else []
    if event is None and not lead_times:
        return
    audience = audience_of(appointment, now=now)
    if audience is None:
        return
    due = now + undo_window.UNDO_WINDOW if undoable else now
    messages = [] if event is None else list(_news(appointment, event, audience, due, now))
    for message in messages:
        message.before = before
    _write([*messages, *reminders_of(appointment, lead_times, audience, now)], now)


def _write_series_news(
    appointments: Sequence[Appointment],
    event: Event | None,
    now: datetime,
    *,
    reminders: bool = True,
    undoable: bool = False,
) -> None:
    """Write the messages of an event about visits of a series, and the reminders of each: one read and one INSERT."""
    first = appointments[0]
    audience = audience_of(first, now=now)
    if audience is None:
        return
    due = now + undo_window.UNDO_WINDOW if undoable else now
    messages = [] if event is None else list(_news(first, event, audience, due, now, about=OF_SERIES))
    for appointment in appointments if reminders else ():
        messages += reminders_of(appointment, lead_times_of(appointment, now), audience, now)
    _write(messages, now)


def _write_staff_messages(appointment: Appointment, now: datetime, *, about: str = "") -> None:
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
    _write(messages, now)


def _news(
    appointment: Appointment, event: Event, audience: Audience, due: datetime, now: datetime, *, about: str = ""
) -> Iterable[Communication]:
    for medium in audience.media(event):
        moment = due
        if medium == Medium.SMS:
            moment = quiet_hours.allowed_time(due, audience.zone, visit=appointment.start, now=now) or due
        yield from drafts_for(appointment, event, medium, f"{appointment.sequence}{about}", audience, moment, now)


def _write(messages: Sequence[Communication], now: datetime) -> None:
    if not messages:
        return
    insert_without_conflicts(messages)
    for wait in (timedelta(0), undo_window.UNDO_WINDOW):
        due = [message.fhir_id for message in messages if max(message.due, now) == now + wait]
        if due:
            transaction.on_commit(partial(announce, due, wait), robust=True)


def _withdraw(
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
