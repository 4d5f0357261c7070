"""Which messages an event asks for. Only inside a use case of scheduling.booking."""

from collections.abc import Iterable
from datetime import datetime

from clinic.models import Appointment, Communication, Event, Medium

WAITING = (Communication.Status.PREPARATION, Communication.Status.ON_HOLD)


def booked(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """A visit has been booked: confirm it, if the patient is to be told, and plan its reminders."""
    messages = [*(_now(appointment, Event.CONFIRMATION, now) if tell else ()), *_reminders(appointment, now)]
    Communication.objects.bulk_create(messages, ignore_conflicts=True)


def moved(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """A booked visit has another time or other people: say so, and let its reminders follow."""
    _withdraw(appointment, now, "The visit was moved.")
    messages = [*(_now(appointment, Event.CHANGE, now) if tell else ()), *_reminders(appointment, now)]
    Communication.objects.bulk_create(messages, ignore_conflicts=True)


def cancelled(appointment: Appointment, *, now: datetime, tell: bool = True) -> None:
    """A visit will not take place: nothing more is sent about it but that."""
    _withdraw(appointment, now, "The visit was cancelled.")
    if tell:
        Communication.objects.bulk_create(_now(appointment, Event.CANCELLATION, now), ignore_conflicts=True)


def _now(appointment: Appointment, event: Event, now: datetime) -> list[Communication]:
    occasion = str(appointment.sequence)
    return [_message(appointment, event, medium, occasion, now, now) for medium in _media(appointment)]


def _reminders(appointment: Appointment, now: datetime) -> list[Communication]:
    service, start = appointment.service, appointment.start
    if service is None or start is None:
        return []
    return [
        _message(appointment, Event.REMINDER, medium, f"{appointment.sequence}-{before}", start - before, now)
        for before in service.reminders
        if start - before > now
        for medium in _media(appointment)
    ]


def _media(appointment: Appointment) -> Iterable[Medium]:
    patient = appointment.patient
    if patient is None:
        return []
    ways = ((Medium.EMAIL, patient.email), (Medium.SMS, patient.phone), (Medium.IN_APP, patient.user_id))
    return [medium for medium, address in ways if address]


def _message(
    appointment: Appointment, event: Event, medium: Medium, occasion: str, due: datetime, now: datetime
) -> Communication:
    assert appointment.patient is not None  # _media
    address = {Medium.EMAIL: appointment.patient.email, Medium.SMS: appointment.patient.phone}.get(medium, "")
    return Communication(
        event=event,
        medium=medium,
        occasion=occasion,
        patient=appointment.patient,
        appointment=appointment,
        address=address,
        language=appointment.patient.language,
        due=due,
        last_updated=now,
    )


def _withdraw(appointment: Appointment, now: datetime, why: str) -> None:
    Communication.objects.filter(appointment=appointment, status__in=WAITING).update(
        status=Communication.Status.NOT_DONE, status_reason=why, last_updated=now
    )
