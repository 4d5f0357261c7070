"""Cancellation: the end of a visit, a request or a hold, which frees its time.

`end_visit` is the one place where time becomes free because a visit will not take place: `cancel`, a refused request,
a replaced or expired hold and software all come through it.
"""

from datetime import datetime

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.models import Appointment
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking import encounters
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.request import WITHOUT_REASON, Json, StatusRequest
from scheduling.booking.slots import release
from scheduling.booking.transitions import audit, locked, require_notice, require_transition, save
from scheduling.participants import declined

ANSWERED: Json = {
    "coding": [{"system": CANCELLATION_REASON, "code": "other"}],
    "text": "the request was answered in another way",
}


@use_case
def cancel(
    appointment_id: str,
    request: StatusRequest = WITHOUT_REASON,
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> Appointment:
    """Release the time: a `booked` or `pending` appointment becomes `cancelled`, with the reason if there is one.

    Patients cannot cancel later than the service's cancellation notice. Visits on inactive schedules can be cancelled.
    """
    appointment = locked(appointment_id, caller, request.version)
    require_transition(appointment, Appointment.Status.CANCELLED)
    if appointment.status == Appointment.Status.BOOKED:
        require_notice(appointment, caller, now, "cancelled")
    return end_visit(appointment, Appointment.Status.CANCELLED, request, caller=caller, now=now)


def end_visit(
    appointment: Appointment,
    status: str,
    request: StatusRequest = WITHOUT_REASON,
    *,
    caller: Caller,
    now: datetime,
    subtype: str = "cancel",
) -> Appointment:
    """Release the time of a locked appointment and write its final `status`.

    The patient's participation in a booking or request becomes declined; in a hold it does not. If a booking or request
    is cancelled, the patient is told. No message about it that is still waiting is sent.
    """
    if (suggestion := lock_suggestion(appointment)) is not None:
        end_suggestion(suggestion, caller=caller, now=now)
    was_agreed = appointment.status != Appointment.Status.PENDING or appointment.is_request
    if appointment.status == Appointment.Status.BOOKED or appointment.is_request:
        appointment.participant = [declined(each) for each in appointment.participant]
    elif not was_agreed:
        appointment.participant = [{**each, "status": "tentative"} for each in appointment.participant]
    appointment.status = status
    appointment.sequence += was_agreed
    appointment.hold_expires_at = None
    appointment.cancelation_reason = request.reason if status == Appointment.Status.CANCELLED else None
    save(appointment, now)
    release(appointment, now=now)
    audit(subtype if status == "cancelled" else status, appointment, caller=caller, now=now)
    if was_agreed:
        encounters.follow(appointment, now=now)
        tell = request.tell and status == Appointment.Status.CANCELLED
        notifications.cancelled(appointment, now=now, tell=tell, undoable=can_be_undone(appointment, caller))
    return appointment


def lock_suggestion(appointment: Appointment) -> Appointment | None:
    """The time that is suggested for a request and not lapsed or ended yet, locked; None for anything else.

    Needs the lock of the request.
    """
    if not appointment.is_request:
        return None
    rows = Appointment.objects.filter(suggested_for=appointment, status=Appointment.Status.PENDING)
    return rows.select_related("service", "patient").select_for_update(no_key=True, of=("self",)).first()


def end_suggestion(suggestion: Appointment, *, caller: Caller, now: datetime) -> None:
    """Let go of the time that was suggested for a request, which has been answered, moved or ended."""
    end_visit(suggestion, Appointment.Status.CANCELLED, StatusRequest(reason=ANSWERED), caller=caller, now=now)


def can_be_undone(appointment: Appointment, caller: Caller) -> bool:
    """True if the caller uses the staff's pages, which offer to undo a change of a visit for a moment."""
    return caller.user is not None and not caller.client and access.is_exempt_from_cutoffs(caller, appointment)
