"""Changes of a held visit, and of all visits that are held together with it."""

from collections.abc import Callable
from datetime import datetime

from clinic.models import Appointment, Patient
from portal.appointments.visits import Visit
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import ConfirmRequest, Occurrences


def extend(visit: Visit, *, caller: Caller, now: datetime) -> None:
    act = booking.extend_hold if visit.appointment.series is None else booking.extend_series
    act(visit.id, caller=caller, now=now)


def name(visit: Visit, patient: Patient | Callable[[], Patient], *, caller: Caller, now: datetime) -> None:
    """Set who the visits are for."""
    act = booking.name_patient if visit.appointment.series is None else booking.name_series
    act(visit.id, patient, caller=caller, now=now)


def support(visit: Visit, reference: str, *, caller: Caller, now: datetime) -> Appointment:
    """Record what the visits rely on. Returns this one."""
    if visit.appointment.series is None:
        return booking.support(visit.id, [reference], caller=caller, now=now)
    return _this(visit, booking.support_series(visit.id, [reference], caller=caller, now=now))


def confirm(visit: Visit, request: ConfirmRequest, *, caller: Caller, now: datetime) -> Appointment:
    """Book the visits. Returns this one."""
    if visit.appointment.series is None:
        return booking.confirm(visit.id, request, caller=caller, now=now)
    return _this(visit, booking.confirm_series(visit.id, Occurrences.ALL, request, caller=caller, now=now))


def cancel(visit: Visit, *, caller: Caller, now: datetime) -> None:
    """Release the holds of the visits."""
    if visit.appointment.series is None:
        booking.cancel(visit.id, caller=caller, now=now)
    else:
        booking.cancel_series(visit.id, Occurrences.ALL, caller=caller, now=now)


def _this(visit: Visit, together: tuple[Appointment, ...]) -> Appointment:
    return next(each for each in together if each == visit.appointment)
