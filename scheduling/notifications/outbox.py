"""Which messages an event asks for. Only inside a use case of scheduling.booking, except where it says otherwise.

They are written with one INSERT in the transaction of what they tell. The broker hears of those that are due once
that is committed; whatever it loses, the sweep of scheduling.tasks finds.
"""

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import translation

from clinic.models import Appointment, Communication, Event, Medium, Patient
from clinic.models.statements import insert_without_conflicts
from scheduling.notifications import composing, quiet, undoing
from scheduling.notifications.audience import Audience, audience_of
from scheduling.notifications.staff import emails_of_staff
from scheduling.notifications.undoing import WAITING, Json

logger = logging.getLogger(__name__)

DELIVER = "scheduling.tasks.deliver_messages"
AGAIN = "again"


def requested(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """A visit has been requested: tell the staff who answer, and the patient, if they are to be told."""
    _tell(appointment, Event.REQUEST if tell else None, now, reminders=False)
    _tell_staff(appointment, now)


def booked(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """A visit has been booked: confirm it, if the patient is to be told, and plan its reminders."""
    _tell(appointment, Event.CONFIRMATION if tell else None, now)


def moved(appointment: Appointment, *, before: Json, now: datetime, tell: bool = True, undoable: bool = False) -> None:
    """A booked visit has another time or other people: say so, and let its reminders follow.

    `before` is how it stood: `stand_of`. What is `undoable` is told once it is no longer. Where the patient is not
    told, a confirmation that waits still goes, and names the new time.
    """
    event, known = undoing.of_move(appointment, before, undoing.untold(appointment)) if tell else (None, None)
    news = (Event.CONFIRMATION, Event.CHANGE) if tell else ()
    _withdraw(appointment, now, "The visit was moved.", events=(Event.REMINDER, *news))
    _tell(appointment, event, now, before=known, undoable=undoable)


def cancelled(appointment: Appointment, *, now: datetime, tell: bool = True, undoable: bool = False) -> None:
    """A visit will not take place: nothing more is sent about it but that, once it can no longer be undone."""
    known = undoing.of_cancellation(undoing.untold(appointment))
    _withdraw(appointment, now, "The visit was cancelled.", events=Event.values)
    event = Event.CANCELLATION if tell else None
    _tell(appointment, event, now, reminders=False, before=known, undoable=undoable)


def restored(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """A cancellation has been undone, and the visit, with a higher `sequence`, is booked as before.

    A patient who has not heard of the cancellation hears nothing; another has the visit confirmed. Its reminders are
    planned anew.
    """
    event, known = undoing.of_restoring(undoing.untold(appointment))
    _withdraw(appointment, now, "The cancellation was undone.", events=(Event.CANCELLATION,))
    _tell(appointment, event if tell else None, now, before=known)


def prove(email: str, code: str, language: str, *, now: datetime) -> None:
    """Send a guest the code that proves their address. Outside a transaction, or in any."""
    with translation.override(language or None):
        wording = composing.words_of_proof(code, language)
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
    """A patient wants reminders, or wants them another way, from now on. In a transaction of its own.

    Those that are no longer wanted are not sent when their moment comes.
    """
    coming = Appointment.objects.filter(
        patient=patient, status=Appointment.Status.BOOKED, start__gt=now, deleted_at=None
    ).select_related("service", "patient")
    with transaction.atomic():
        for appointment in coming:
            _tell(appointment, None, now)


def send_again(message: Communication, *, now: datetime) -> Communication:
    """The message once more, as a message of its own; one that still waits is not doubled. Its door opens to staff."""
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
    again = Communication(
        event=message.event,
        medium=message.medium,
        occasion=f"{AGAIN}-{message.appointment.sequence}-{uuid.uuid4().hex[:8]}",
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
    """How often the visit had been moved when the message was planned."""
    return message.occasion.removeprefix(f"{AGAIN}-").partition("-")[0]


def _tell(
    appointment: Appointment,
    event: Event | None,
    now: datetime,
    *,
    reminders: bool = True,
    before: Json | None = None,
    undoable: bool = False,
) -> None:
    """Write what is to be told: one read, and one INSERT if there is anything."""
    lead_times = _lead_times(appointment, now) if reminders else []
    if event is None and not lead_times:
        return
    audience = audience_of(appointment, now=now)
    if audience is None:
        return
    due = now + undoing.UNDO_WINDOW if undoable else now
    messages = [] if event is None else list(_news(appointment, event, audience, due, now))
    for message in messages:
        message.before = before
    _write([*messages, *_reminders(appointment, lead_times, audience, now)], now)


def _tell_staff(appointment: Appointment, now: datetime) -> None:
    """Write an email to everybody of the clinic who can answer the request. It is about the visit, and no patient's."""
    messages = [
        Communication(
            event=Event.STAFF_REQUEST,
            medium=Medium.EMAIL,
            occasion=f"{appointment.sequence}/{number}",
            appointment=appointment,
            address=address,
            due=now,
            last_updated=now,
        )
        for number, address in enumerate(emails_of_staff(appointment), start=1)
    ]
    _write(messages, now)


def _news(
    appointment: Appointment, event: Event, audience: Audience, due: datetime, now: datetime
) -> Iterable[Communication]:
    for medium in audience.media(event):
        moment = due
        if medium == Medium.SMS:
            moment = quiet.may_go(due, audience.zone, visit=appointment.start, now=now) or due
        yield from _messages(appointment, event, medium, str(appointment.sequence), audience, moment, now)


def _reminders(
    appointment: Appointment, lead_times: Iterable[timedelta], audience: Audience, now: datetime
) -> Iterable[Communication]:
    start = appointment.start
    if start is None:
        return
    for before in lead_times:
        moment = start - before
        for medium in audience.media(Event.REMINDER):
            due: datetime | None = moment
            if medium == Medium.SMS:
                due = quiet.may_go(moment, audience.zone, visit=start, now=now)
            if due is not None:
                occasion = f"{appointment.sequence}-{int(before.total_seconds())}"
                yield from _messages(appointment, Event.REMINDER, medium, occasion, audience, due, now)


def _lead_times(appointment: Appointment, now: datetime) -> list[timedelta]:
    """How long before it a visit is reminded of, as far as that is still to come."""
    service, start = appointment.service, appointment.start
    if service is None or start is None:
        return []
    return [before for before in dict.fromkeys(service.reminders) if now < start - before < start]


def _messages(
    appointment: Appointment,
    event: Event,
    medium: Medium,
    occasion: str,
    audience: Audience,
    due: datetime,
    now: datetime,
) -> Iterable[Communication]:
    """One for each address."""
    for number, address in enumerate(audience.addresses(medium), start=1):
        yield Communication(
            event=event,
            medium=medium,
            occasion=occasion if number == 1 else f"{occasion}/{number}",
            patient_id=appointment.patient_id,
            appointment=appointment,
            address=address,
            language=appointment.patient.language if appointment.patient else "",
            due=due,
            last_updated=now,
        )


def _write(messages: Sequence[Communication], now: datetime) -> None:
    if not messages:
        return
    insert_without_conflicts(messages)
    for wait in (timedelta(0), undoing.UNDO_WINDOW):
        due = [message.fhir_id for message in messages if max(message.due, now) == now + wait]
        if due:
            transaction.on_commit(partial(_hand_over, due, wait))


def _hand_over(messages: Sequence[str], wait: timedelta) -> None:
    """Tell the broker. What it does not hear, the sweep finds: nobody waits and nothing fails for it."""
    try:
        current_app.send_task(DELIVER, args=[messages], retry=False, countdown=wait.total_seconds() or None)
    except Exception as error:  # whatever the broker's client raises
        logger.warning("Messages wait for the sweep: the broker was not told (%s)", type(error).__name__)


def _withdraw(appointment: Appointment, now: datetime, why: str, *, events: Iterable[str]) -> None:
    Communication.objects.filter(appointment=appointment, event__in=events, status__in=WAITING).update(
        status=Communication.Status.NOT_DONE, status_reason=why, attempts=0, last_updated=now, version=F("version") + 1
    )
