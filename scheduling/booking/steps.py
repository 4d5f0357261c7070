"""Steps of a visit from one status to the next, and back from one that was recorded by mistake.

https://hl7.org/fhir/R4/valueset-appointmentstatus.html; docs/integrate.md has the steps as a table.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from clinic.models import Appointment
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.cancellation import cancel_locked, end_visit
from scheduling.booking.confirmation import confirm_locked
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.request import WITHOUT_REASON, ConfirmRequest, StatusRequest
from scheduling.booking.slots import bookables_of, release
from scheduling.booking.transitions import (
    CORRECTIONS,
    FREES_TIME,
    locked,
    require_day_reached,
    require_transition,
    step,
)
from scheduling.errors import IllegalTransition, RuleBroken
from scheduling.plugins import NO_FINDINGS, Judgement

Status = Appointment.Status


@use_case
def change_status(
    appointment_id: str,
    status: str,
    request: StatusRequest = WITHOUT_REASON,
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> Appointment:
    """Record the next step of a visit: arrived, checked-in, fulfilled, noshow, entered-in-error. Staff and software
    only.

    Raises IllegalTransition, which names both statuses.
    """
    appointment = locked(appointment_id, caller, request.version)
    if not access.is_exempt_from_cutoffs(caller, appointment):
        raise RuleBroken(_("Only clinic staff can record the steps of a visit."))
    if status == Status.BOOKED:
        raise IllegalTransition(appointment.status, status)
    return take_step(appointment, status, request, caller=caller, now=now)


@use_case
def correct_status(
    appointment_id: str, status: str, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Go back from a step that was recorded by mistake, such as the arrival of the wrong patient. Staff only.

    Raises IllegalTransition if no step leads from `status` to the current one.
    """
    appointment = locked(appointment_id, caller)
    if caller.is_system or not access.is_exempt_from_cutoffs(caller, appointment):
        raise RuleBroken(_("Only clinic staff can record the steps of a visit."))
    if status not in CORRECTIONS.get(appointment.status, ()):
        raise IllegalTransition(appointment.status, status)
    appointment.status = status
    appointment.cancelation_reason = None
    return step(appointment, caller=caller, now=now, subtype="correct")


def take_step(
    appointment: Appointment,
    status: str,
    request: StatusRequest,
    *,
    caller: Caller,
    now: datetime,
    judgement: Judgement = NO_FINDINGS,
) -> Appointment:
    """Move a locked appointment to its next status, with everything that belongs to it.

    The audit line has the subtype of the request, by default the status.

    `booked` is a confirmation, under all its rules, of a visit that has taken its time; `judgement` has the findings
    about it. A request is `pending`, which only a booking or a hold makes. Raises IllegalTransition, RuleBroken, and
    what `confirm` and `cancel` raise.
    """
    require_transition(appointment, status)
    if status == Status.BOOKED:
        if not bookables_of(appointment):
            text = "An Appointment that is booked names Slots of its time, or is made with $book."
            raise RuleBroken(text, expression="Appointment.slot")
        return confirm_locked(appointment, ConfirmRequest(judgement=judgement), caller=caller, now=now)
    if status == Status.PENDING:
        raise IllegalTransition(appointment.status, f"{status} without taking its time: use $hold")
    if status == Status.CANCELLED:
        return cancel_locked(appointment, request, caller=caller, now=now)
    if status in FREES_TIME:
        return end_visit(appointment, status, request, caller=caller, now=now)
    require_day_reached(appointment, status, caller=caller, now=now)
    appointment.status = status
    appointment.cancelation_reason = request.reason if status == Status.NOSHOW else None
    step(appointment, caller=caller, now=now, subtype=request.subtype)
    if status == Status.WAITLIST:
        release(appointment, now=now)
    return appointment
