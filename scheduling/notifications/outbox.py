"""Outbox: the messages that each event of a visit creates. Called inside use cases of scheduling.booking, unless noted.

Messages are written with one INSERT in the transaction of the change. After commit, a thread announces those that are
due to the broker (scheduling.notifications.announcements); the sweep in scheduling.tasks finds any that it loses.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_noop

from clinic.models import (
    Appointment,
    Communication,
    Delay,
    Event,
    Medium,
    Patient,
    Rebooking,
    Task,
)
from scheduling.notifications import quiet_hours, recall_letters, undo_window
from scheduling.notifications.audience import audience_of
from scheduling.notifications.delays import said_of
from scheduling.notifications.drafts import drafts_for
from scheduling.notifications.message_writes import news_of, withdraw_messages, write_messages, write_to_staff
from scheduling.notifications.reminders import lead_times_of, reminders_of
from scheduling.notifications.series import OF_SERIES, is_of_series
from scheduling.notifications.undo_window import WAITING, Json
from scheduling.participants import is_group, of_patient, patients_of, visit_of_patient

AGAIN = "again"


def requested(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """Write the messages about a new request: to the staff who can answer, and to the patient if `tell`."""
    _write_news(appointment, Event.REQUEST if tell else None, now, reminders=False)
    write_to_staff(appointment, now)


def suggested(suggestion: Appointment, *, now: datetime) -> None:
    """Write the message to the patient that the clinic suggests another time for their request."""
    request = suggestion.suggested_for
    assert request is not None  # it is a suggestion
    _write_news(suggestion, Event.SUGGESTION, now, reminders=False, before=undo_window.snapshot_of(request))


def offered(
    hold: Appointment, media: Collection[str], *, visit: Appointment | None, told_at: datetime, now: datetime
) -> bool:
    """Write the message to a patient of the waiting list that this time is held for them. Returns False if there is no
    way to tell them.

    It goes by these media, or by all that the patient wants. Text messages go at `told_at`, which is after quiet hours.
    `visit` is the booked visit that would move to the time.
    """
    audience = audience_of(hold, now=now)
    if audience is None:
        return False
    messages = [
        message
        for medium in audience.media(Event.OFFER)
        if not media or medium in (*media, Medium.IN_APP)
        for message in drafts_for(
            hold, Event.OFFER, medium, str(hold.sequence), audience, told_at if medium == Medium.SMS else now, now
        )
    ]
    for message in messages:
        message.before = undo_window.snapshot_of(visit) if visit is not None else None
    write_messages(messages, now)
    return any(message.medium != Medium.IN_APP for message in messages)


def can_be_told_to_rebook(appointment: Appointment, *, now: datetime) -> bool:
    """True if the patient, or their carers, can be reached by another way than the pages."""
    audience = audience_of(appointment, now=now)
    return audience is not None and any(medium != Medium.IN_APP for medium in audience.media(Event.REBOOKING))


def rebooking_needed(appointment: Appointment, rebooking: Rebooking, *, now: datetime) -> bool:
    """Write the message that the clinic cannot keep the visit, and that other times are held until the Rebooking
    expires. The second time it is a reminder. Returns False if there is no way to tell the patient.
    """
    assert rebooking.expires is not None  # times are held
    before = {"until": rebooking.expires.isoformat(), "notice": rebooking.absence.notice}
    times = 1 if rebooking.offered is None else 2
    return _write_about_absence(appointment, Event.REBOOKING, f"-absence{rebooking.pk}-{times}", before, now)


def stays_as_booked(appointment: Appointment, rebooking: Rebooking, *, now: datetime) -> None:
    """Write the message that the clinic can keep the visit after all, and withdraw the one that it cannot."""
    withdraw_messages(appointment, now, gettext_noop("It was withdrawn."), events=(Event.REBOOKING,))
    _write_about_absence(appointment, Event.KEPT, f"-absence{rebooking.pk}", None, now)


def booked(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """Write the confirmation of a new booking if `tell`, and plan its reminders."""
    _write_news(appointment, Event.CONFIRMATION if tell else None, now)


def moved(appointment: Appointment, *, before: Json, now: datetime, tell: bool = True, undoable: bool = False) -> None:
    """Write the news that a booked visit has another time or other participants, and move its reminders.

    `before` is the visit's `snapshot_of` before the move. News of a move that is `undoable` waits for the undo window.
    If the patient is not told, a confirmation that still waits is sent, with the new time.
    """
    event, known = (
        undo_window.news_of_move(appointment, before, undo_window.unsent_news(appointment)) if tell else (None, None)
    )
    news = (Event.CONFIRMATION, Event.CHANGE) if tell else ()
    withdraw_messages(appointment, now, gettext_noop("The visit was moved."), events=(Event.REMINDER, *news))
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
    stay = {Event.RECEIPT}  # it is true whatever becomes of the visit
    if patients:
        stay.add(Event.CANCELLATION)  # patients who left a group are still told
    others = [event for event in Event if event not in stay]
    withdraw_messages(appointment, now, gettext_noop("The visit was cancelled."), events=others)
    event = Event.CANCELLATION if tell else None
    for visit in _visits_of(appointment, patients):
        _write_news_of(visit, event, now, reminders=False, before=known, undoable=undoable)


def paid_later(appointment: Appointment, amount: int, currency: str, *, rest: int, now: datetime) -> None:
    """Write the receipt for an amount that was paid online after booking. `rest` is what is still due."""
    _write_payment_news(appointment, Event.RECEIPT, amount, currency, now, rest=rest)


def refunded(appointment: Appointment, amount: int, currency: str, *, now: datetime, undoable: bool = False) -> None:
    """Write the news that an amount of what was paid for a visit is given back."""
    _write_payment_news(appointment, Event.REFUND, amount, currency, now, undoable=undoable)


def fee_charged(appointment: Appointment, amount: int, currency: str, *, now: datetime) -> None:
    """Write the news that the fee for a missed visit was charged to the card that was kept."""
    _write_payment_news(appointment, Event.FEE, amount, currency, now)


def time_lost(appointment: Appointment, amount: int, currency: str, *, now: datetime) -> None:
    """Write the news that a payment came when the held time was gone: nothing is booked, and nothing is charged."""
    _write_payment_news(appointment, Event.TIME_LOST, amount, currency, now)


def left(appointment: Appointment, patients: Sequence[Patient], *, now: datetime, tell: bool = True) -> None:
    """Write the cancellation to the patients who leave a visit that others keep, and withdraw their other messages."""
    why = gettext_noop("The visit was cancelled.")
    for patient in patients:
        withdraw_messages(appointment, now, why, events=Event.values, patient=patient)
        if tell:
            _write_news_of(visit_of_patient(appointment, patient), Event.CANCELLATION, now, reminders=False)


def restored(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """Write the news that a cancellation was undone: the visit is booked as before, with a higher `sequence`.

    A patient who has not been told of the cancellation gets no message; others get a new confirmation. Reminders are
    planned again.
    """
    event, known = undo_window.news_of_restoration(undo_window.unsent_news(appointment))
    untrue = (Event.CANCELLATION, Event.REFUND)
    withdraw_messages(appointment, now, gettext_noop("The cancellation was undone."), events=untrue)
    _write_news(appointment, event if tell else None, now, before=known)


def delayed(visits: Sequence[tuple[Appointment, timedelta]], delay: Delay, *, now: datetime) -> None:
    """Write the message to each patient of these visits of today that theirs begins so much later than planned.

    It waits for the undo window. `before` has how late the patient is told that it is.
    """
    messages: list[Communication] = []
    for appointment, late in visits:
        patients = patients_of(appointment) if is_group(appointment) else ()
        for visit in _visits_of(appointment, patients):
            audience = audience_of(visit, now=now)
            if audience is not None:
                due, about = now + undo_window.UNDO_WINDOW, f"-late{delay.pk}-{delay.revision}"
                messages += news_of(visit, Event.DELAY, audience, due, now, about=about)
        for message in messages:
            message.before = message.before or said_of(delay, late)
    write_messages(messages, now)


def recalled(recall: Task, visit: Appointment, *, now: datetime) -> bool:
    """Write the messages that the patient of a recall is to be seen again. False if no way to tell them is wanted.

    `visit` is the one after which the recall was made, as the patient has it.
    """
    audience = audience_of(visit, now=now)
    media = audience.media(Event.RECALL) if audience else []
    if audience is None or not media:
        return False
    messages: list[Communication] = []
    for medium in media:
        due = now
        if medium == Medium.SMS:
            due = quiet_hours.allowed_time(now, audience.zone, visit=None, now=now) or now
        occasion = recall_letters.occasion_of(recall)
        messages += drafts_for(visit, Event.RECALL, medium, occasion, audience, due, now)
    write_messages(messages, now)
    return True


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
    write_messages([again], now)
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
    """Return a visit of several patients as each of them sees it, and a visit of one patient unchanged."""
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
    messages = [] if event is None else list(news_of(appointment, event, audience, due, now))
    for message in messages:
        message.before = before
    write_messages([*messages, *reminders_of(appointment, lead_times, audience, now)], now)


def _write_about_absence(
    appointment: Appointment, event: Event, about: str, before: Json | None, now: datetime
) -> bool:
    """Write the messages of an event of an absence. Returns False if none goes beside the pages."""
    audience = audience_of(appointment, now=now)
    messages = list(news_of(appointment, event, audience, now, now, about=about)) if audience else []
    for message in messages:
        message.before = before
    write_messages(messages, now)
    return any(message.medium != Medium.IN_APP for message in messages)


def _write_payment_news(
    appointment: Appointment,
    event: Event,
    amount: int,
    currency: str,
    now: datetime,
    *,
    undoable: bool = False,
    **amounts: int,
) -> None:
    """Write the messages about an amount, with other `amounts` that they name. There can be several of one event for
    one visit.
    """
    audience = audience_of(appointment, now=now)
    if audience is None:
        return
    due = now + undo_window.UNDO_WINDOW if undoable else now
    messages = list(news_of(appointment, event, audience, due, now, about=f"-{uuid.uuid4().hex[:8]}"))
    for message in messages:
        message.before = {"amount": amount, "currency": currency, **amounts}
    write_messages(messages, now)
