"""Use cases about whether the patient of a booked visit will come."""

from datetime import datetime

from django.utils.translation import gettext as _

from clinic.models import Appointment
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.transitions import audit, locked, save
from scheduling.errors import IllegalTransition, RuleBroken


@use_case
def confirm_attendance(appointment_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Record that the patient will come. A repeated call changes nothing."""
    return confirm_attendance_locked(_booked(appointment_id, caller), caller=caller, now=now)


def confirm_attendance_locked(appointment: Appointment, *, caller: Caller, now: datetime) -> Appointment:
    """Record for a locked, booked appointment that the patient will come: see `confirm_attendance`."""
    if appointment.attendance_confirmed is None:
        appointment.attendance_confirmed = now
        save(appointment, now)
        audit("attend", appointment, caller=caller, now=now)
    return appointment


@use_case
def undo_attendance(appointment_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Remove the record that the patient will come, made by mistake. Staff only. A repeated call changes nothing."""
    appointment = _booked(appointment_id, caller)
    if caller.is_system or not access.is_exempt_from_cutoffs(caller, appointment):
        raise RuleBroken(_("Only clinic staff can undo “I will come”."))
    if appointment.attendance_confirmed is not None:
        appointment.attendance_confirmed = None
        save(appointment, now)
        audit("correct", appointment, caller=caller, now=now)
    return appointment


def _booked(appointment_id: str, caller: Caller) -> Appointment:
    """Return the visit, locked. Raises IllegalTransition unless it is booked."""
    appointment = locked(appointment_id, caller)
    if appointment.status != Appointment.Status.BOOKED:
        raise IllegalTransition(appointment.status, "confirmed")
    return appointment
