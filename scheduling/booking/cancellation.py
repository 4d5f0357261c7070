"""Cancellation: the end of a visit, a request or a hold, which frees its time.

`end_visit` is the one place where time becomes free because a visit will not take place: `cancel`, a refused request,
a replaced or expired hold and software all come through it.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.models import OPEN_REBOOKING, Appointment, Patient, Rebooking, WaitlistOffer
from clinic.models.statements import insert
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking import encounters, referrals
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.refunds import refund_ended
from scheduling.booking.request import WITHOUT_REASON, Json, StatusRequest
from scheduling.booking.slots import release, release_places, reopen_freed_time
from scheduling.booking.transitions import audit_lines, locked, require_notice, require_transition, save
from scheduling.errors import RuleBroken
from scheduling.participants import PATIENT, actor_of, attending, declined, is_group, patients_of, references_of

OUTCOMES = {
    "take": WaitlistOffer.Outcome.TAKEN,
    "decline": WaitlistOffer.Outcome.DECLINED,
    "expire": WaitlistOffer.Outcome.LAPSED,
}
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

    If others come to the visit too, only the patients for whom the caller acts leave it: see `leave`. Patients cannot
    cancel later than the service's cancellation notice. Visits on inactive schedules can be cancelled.
    """
    appointment = locked(appointment_id, caller, request.version)
    require_transition(appointment, Appointment.Status.CANCELLED)
    return cancel_locked(appointment, request, caller=caller, now=now)


def cancel_locked(
    appointment: Appointment, request: StatusRequest = WITHOUT_REASON, *, caller: Caller, now: datetime
) -> Appointment:
    """Cancel a locked appointment that can be cancelled: see `cancel`."""
    if appointment.status == Appointment.Status.BOOKED:
        require_notice(appointment, caller, now, "cancelled")
    if not access.is_exempt_from_cutoffs(caller, appointment):
        own = caller.own_references.intersection(attending(appointment.participant))
        if leaves_others(appointment, own):
            return leave(appointment, own, request, caller=caller, now=now)
    return end_visit(appointment, Appointment.Status.CANCELLED, request, caller=caller, now=now)


def leaves_others(appointment: Appointment, names: Collection[str]) -> bool:
    """True if these patients come to the visit, and others stay without them."""
    return bool(names) and not set(names).issuperset(attending(appointment.participant))


def leave(
    appointment: Appointment, names: Collection[str], request: StatusRequest, *, caller: Caller, now: datetime
) -> Appointment:
    """Let these patients, by their references, leave a locked visit that stays for others: their seats are free again.

    They are told, and no message to them that is still waiting is sent.
    """
    leaving = [patient for patient in patients_of(appointment) if patient.reference in names]
    appointment.participant = [
        {**each, "status": "declined"} if actor_of(each) in names else each for each in appointment.participant
    ]
    appointment.cancelation_reason = None  # of the visit, which takes place
    promote(appointment)
    save(appointment, now)
    release_places(appointment, len(leaving), now=now)
    reason = str((request.reason or {}).get("text", ""))
    insert(audit_lines("leave", appointment, leaving, caller=caller, now=now, reason=reason))
    notifications.left(appointment, leaving, now=now, tell=request.tell and not appointment.hold_expires_at)
    return appointment


def promote(appointment: Appointment) -> None:
    """Make the first patient who still comes the visit's patient, if the former one has left. Does not save it."""
    names = attending(appointment.participant)
    patient = appointment.patient
    if patient is None or patient.reference in names:
        return
    if names and patient.reference in references_of(appointment.participant):
        ids = [name.removeprefix(PATIENT) for name in names]
        appointment.patient = Patient.objects.filter(fhir_id__in=ids, deleted_at=None).order_by("pk").first()


def require_all_own(appointment: Appointment, caller: Caller) -> None:
    """Raise RuleBroken if the visit has patients for whom the caller, who is not staff of the visit, does not act."""
    names = attending(appointment.participant)
    if len(names) < 2 or access.is_exempt_from_cutoffs(caller, appointment) or caller.own_references.issuperset(names):
        return
    raise RuleBroken(_("Others come to this visit too. Cancel your place and book another time, or call the clinic."))


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
    end_suggestions(appointment, lock_suggestions(appointment), caller=caller, now=now)
    patients = patients_of(appointment) if is_group(appointment) else []
    is_held = appointment.status == Appointment.Status.PENDING and not appointment.is_request
    was_agreed = not (is_held or appointment.is_waiting)
    if appointment.status == Appointment.Status.BOOKED or appointment.is_request:
        appointment.participant = [declined(each) for each in appointment.participant]
    elif is_held:
        appointment.participant = [{**each, "status": "tentative"} for each in appointment.participant]
    appointment.status = status
    appointment.sequence += was_agreed
    appointment.hold_expires_at = None
    appointment.cancelation_reason = request.reason if status == Appointment.Status.CANCELLED else None
    undoable = was_agreed and can_be_undone(appointment, caller)
    done = subtype if status == "cancelled" else status
    save(appointment, now, audit_lines(done, appointment, patients, caller=caller, now=now))
    release(appointment, now=now, undoable=undoable)
    if appointment.is_suggestion:
        close_offer(appointment, subtype, now=now)
    if was_agreed:
        encounters.follow(appointment, now=now)
        referrals.follow(appointment, now=now)
        tell = request.tell and status == Appointment.Status.CANCELLED
        notifications.cancelled(appointment, patients, now=now, tell=tell, undoable=undoable)
        if appointment.has_payment:
            by_clinic = access.is_exempt_from_cutoffs(caller, appointment) and not request.by_patient
            by_clinic = by_clinic or request.by_clinic
            refund_ended(appointment, by_clinic=by_clinic, now=now, undoable=undoable, tell=request.tell)
    return appointment


def lock_suggestion(appointment: Appointment) -> Appointment | None:
    """The time that is held in answer to a request or an entry of the waiting list: see `lock_suggestions`."""
    return next(iter(lock_suggestions(appointment)), None)


def lock_suggestions(appointment: Appointment) -> list[Appointment]:
    """The times that are held in answer to a request, to an entry of the waiting list, or to a visit that the clinic
    cannot keep, and that have not lapsed or ended yet, locked; none for anything else.

    Needs the lock of the request, entry or visit.
    """
    if not (appointment.is_request or appointment.is_waiting or appointment.to_rebook):
        return []
    rows = Appointment.objects.filter(suggested_for=appointment, status=Appointment.Status.PENDING).order_by("pk")
    return list(rows.select_related("service", "patient").select_for_update(no_key=True, of=("self",)))


def end_suggestion(suggestion: Appointment, *, caller: Caller, now: datetime) -> None:
    """Release the time that was held in answer to a request or an entry, which has been answered, moved or ended."""
    end_visit(suggestion, Appointment.Status.CANCELLED, StatusRequest(reason=ANSWERED), caller=caller, now=now)


def end_suggestions(
    appointment: Appointment,
    suggestions: Iterable[Appointment],
    *,
    caller: Caller,
    now: datetime,
    outcome: Rebooking.State = Rebooking.State.CANCELLED,
) -> None:
    """Release the times that were held in answer to a locked appointment, which is saved afterwards, and close its
    Rebooking with this outcome.
    """
    for suggestion in suggestions:
        end_suggestion(suggestion, caller=caller, now=now)
    if appointment.to_rebook:
        appointment.to_rebook = False
        rows = Rebooking.objects.filter(appointment=appointment, state__in=OPEN_REBOOKING)
        rows.update(state=outcome, answered=now)


def close_offer(hold: Appointment, done: str, *, now: datetime) -> None:
    """Record what became of the offer whose hold has ended, if it was one of the waiting list, and pass the time on.

    It is due again for the next, and so is time that others could not be asked for while they had this offer.
    """
    outcome = OUTCOMES.get(done, WaitlistOffer.Outcome.GONE)
    open_offers = WaitlistOffer.objects.filter(hold=hold, outcome=WaitlistOffer.Outcome.OPEN)
    if open_offers.update(outcome=outcome, answered=now):
        reopen_freed_time(now=now)


def can_be_undone(appointment: Appointment, caller: Caller) -> bool:
    """True if the caller uses the staff's pages, which offer an undo for a short time after a change of a visit."""
    return caller.user is not None and not caller.client and access.is_exempt_from_cutoffs(caller, appointment)
