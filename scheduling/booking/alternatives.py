"""Use cases of a visit that an absence makes impossible: other times are held for it, offered, and chosen.

The visit stays booked until its patient has chosen. A held time is a suggestion in answer to the visit, so the
exclusion constraint lets nobody else have it.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.models import OPEN_REBOOKING, Absence, Appointment, Rebooking
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking.cancellation import (
    can_be_undone,
    end_suggestion,
    end_suggestions,
    end_visit,
    leave,
    leaves_others,
    lock_suggestions,
)
from scheduling.booking.idempotency import Once, refusals, use_case
from scheduling.booking.moves import move, own_slots, to_time_of
from scheduling.booking.patients import follow_merge, lock_patients
from scheduling.booking.request import BookingRequest, Json, RescheduleRequest, StatusRequest
from scheduling.booking.slots import bookables_of, own_bookables, patients_are_free
from scheduling.booking.suggestions import link_to
from scheduling.booking.transitions import audit, locked, save
from scheduling.booking.visits import place
from scheduling.errors import HoldExpired, IllegalTransition, NotFound, RuleBroken
from scheduling.participants import attending, is_group, patients_of

# The worker that offers times. It does what a patient could: it is bound to no calendar, and books nothing.
WORKER = Caller(client="absences", scopes=("system/Appointment.cu",))
MOST_TIMES = 3
State, Why = Rebooking.State, Rebooking.Why


def standing_alternatives(visit: Appointment, *, now: datetime) -> list[Appointment]:
    """The times that are held for the patient of a visit that the clinic cannot keep, in order. No statement for
    others.
    """
    if not visit.to_rebook:
        return []
    rows = Appointment.objects.filter(suggested_for=visit, status=Appointment.Status.PENDING, hold_expires_at__gt=now)
    return list(rows.select_related("service", "site", "patient").order_by("start", "pk"))


def offer_made_for(visit: Appointment, *, now: datetime) -> Rebooking | None:
    """The Rebooking of a visit that the clinic cannot keep, once its patients are told. No statement for others."""
    if not visit.to_rebook:
        return None
    told = Rebooking.objects.filter(appointment=visit, state__in=(State.OFFERED, State.CALL))
    return told.filter(absence__send_from__lte=now).select_related("absence").first()


@refusals()
@transaction.atomic(durable=True)
def place_alternative(
    rebooking_id: int, request: RescheduleRequest, *, expires: datetime, now: datetime
) -> Appointment | None:
    """Hold one more time for a visit whose Rebooking waits for times; None if it does not, or has enough.

    Raises what `place` raises, such as TimeTaken.
    """
    found = _lock(rebooking_id, State.WAITING)
    if found is None:
        return None
    _rebooking, visit = found
    if visit.service is None or len(lock_suggestions(visit)) >= MOST_TIMES:
        return None
    follow_merge(visit)
    lock_patients(patients_of(visit))
    _mark(visit)
    hold = place(
        BookingRequest(
            service=visit.service,
            offerings=request.offerings,
            start=request.start,
            patient=visit.patient,
            extra={"extension": [link_to(visit)]},
            suggested_for=visit,
        ),
        Appointment.Status.PENDING,
        caller=WORKER,
        now=now,
        expires=min(expires, request.start),
    )
    audit("offer", visit, caller=WORKER, now=now)
    return hold


@refusals()
@transaction.atomic(durable=True)
def finish_search(rebooking_id: int, *, expires: datetime, now: datetime) -> None:
    """Record that the times of a visit are held, or the reason why its patient must be called."""
    found = _lock(rebooking_id, State.WAITING)
    if found is None:
        return
    rebooking, visit = found
    _mark(visit)
    rebooking.expires = expires
    rebooking.why = ""
    if is_group(visit):
        rebooking.why = Why.SEVERAL
    elif not standing_alternatives(visit, now=now):
        rebooking.why = Why.NO_TIMES
    elif not notifications.can_be_told_to_rebook(visit, now=now):
        rebooking.why = Why.NO_ADDRESS
    rebooking.state = State.CALL if rebooking.why else State.READY
    rebooking.claimed_until = None
    rebooking.save()


@refusals()
@transaction.atomic(durable=True)
def tell_alternatives(rebooking_id: int, *, now: datetime) -> None:
    """Write the message that the clinic cannot keep a visit and offers other times; once more as a reminder."""
    rebooking, visit = _lock(rebooking_id, State.READY, State.OFFERED) or (None, None)
    if rebooking is None or visit is None:
        return
    if not standing_alternatives(visit, now=now):
        rebooking.state, rebooking.why = State.CALL, Why.NO_TIMES if rebooking.offered is None else Why.NO_ANSWER
    elif rebooking.state == State.READY:
        told = notifications.rebooking_needed(visit, rebooking, now=now)
        rebooking.state, rebooking.why = (State.OFFERED, "") if told else (State.CALL, Why.NO_ADDRESS)
        rebooking.offered = now if told else None
    elif rebooking.reminded is None:
        notifications.rebooking_needed(visit, rebooking, now=now)
        rebooking.reminded = now
    rebooking.claimed_until = None
    rebooking.save()


@refusals()
@transaction.atomic(durable=True)
def expire_offer(rebooking_id: int, *, now: datetime) -> None:
    """Have the patient called who has not answered in time."""
    found = _lock(rebooking_id, State.OFFERED)
    if found is not None:
        rebooking, _visit = found
        rebooking.state, rebooking.why, rebooking.claimed_until = State.CALL, Why.NO_ANSWER, None
        rebooking.save()


@refusals()
@transaction.atomic(durable=True)
def cancel_unanswered(rebooking_id: int, *, now: datetime) -> None:
    """Cancel a visit that cannot take place, since the absence begins. Its patient is told, and still to be called if
    they were.
    """
    found = _lock(rebooking_id, State.OFFERED, State.CALL)
    if found is None:
        return
    rebooking, visit = found
    reason = cancellation_reason(rebooking.absence)
    state = State.CALL if rebooking.state == State.CALL else State.CANCELLED
    end_visit(visit, Appointment.Status.CANCELLED, StatusRequest(reason=reason), caller=WORKER, now=now)
    Rebooking.objects.filter(pk=rebooking.pk).update(state=state, answered=None, claimed_until=None)


@refusals()
@transaction.atomic(durable=True)
def take_back(rebooking_id: int, *, now: datetime) -> None:
    """Release the times held for a visit that stays as booked. A patient who was asked is told."""
    found = _lock(rebooking_id, State.WITHDRAWN, State.RETURNED)
    if found is None:
        return
    rebooking, visit = found
    for hold in lock_suggestions(visit):
        end_suggestion(hold, caller=WORKER, now=now)
    Appointment.objects.filter(pk=visit.pk).update(to_rebook=False)
    if rebooking.state == State.WITHDRAWN:
        rebooking.delete()
        return
    rebooking.state, rebooking.why, rebooking.answered, rebooking.claimed_until = State.KEPT, "", now, None
    if visit.status != Appointment.Status.BOOKED:
        rebooking.state = State.CANCELLED
    elif rebooking.offered is not None and not visit.to_rebook:
        rebooking.state = State.MOVED
    elif rebooking.offered is not None:
        notifications.stays_as_booked(visit, rebooking, now=now)
    rebooking.save()


@refusals()
@transaction.atomic(durable=True)
def settle_rebooking(rebooking_id: int, *, now: datetime) -> None:
    """Close the Rebooking of a visit that needs no other time any more: it was moved or cancelled meanwhile."""
    row = Rebooking.objects.get(pk=rebooking_id)
    visit = Appointment.objects.select_for_update(no_key=True, of=("self",)).get(pk=row.appointment_id)
    visit.to_rebook = True  # it was perhaps changed before it was marked
    outcome = State.MOVED if visit.status == Appointment.Status.BOOKED else State.CANCELLED
    end_suggestions(visit, lock_suggestions(visit), caller=WORKER, now=now, outcome=outcome)
    Appointment.objects.filter(pk=visit.pk).update(to_rebook=False)


@use_case
def choose_alternative(
    visit_id: str, hold_id: str, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Move a visit that the clinic cannot keep to one of the times held for it, and release the others.

    The patient's cut-offs do not apply. Raises HoldExpired; RuleBroken if something that the visit needs has been
    closed meanwhile.
    """
    visit = locked(visit_id, caller)
    _require_to_rebook(visit)
    held = lock_suggestions(visit)
    hold = next((each for each in held if each.fhir_id == hold_id), None)
    if hold is None or hold.hold_expires_at is None or hold.hold_expires_at <= now:
        raise HoldExpired(_("This time is no longer kept for you. Choose another one, or call us."))
    bookables, request = to_time_of(hold)
    follow_merge(visit)
    lock_patients(patients_of(visit))
    old = own_slots(visit)
    others = [bookable for each in held if each != hold for bookable in bookables_of(each)]
    own_bookables([*bookables, *others, *(slot.bookable_id for slot in old)])
    before = notifications.snapshot_of(visit)
    end_suggestions(visit, held, caller=caller, now=now, outcome=State.MOVED)
    patients_are_free(patients_of(visit), request.start, request.end, now=now, besides=visit)
    visit.sequence += 1
    visit.attendance_confirmed = None
    undoable = can_be_undone(visit, caller)
    move(visit, old, request, now=now, undoable=undoable)
    audit("reschedule", visit, caller=caller, now=now)
    notifications.moved(visit, before=before, now=now, undoable=undoable)
    return visit


@use_case
def ask_for_call(visit_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Have the clinic call the patient of a visit that it cannot keep. The held times stay held."""
    visit = locked(visit_id, caller)
    _require_to_rebook(visit)
    rows = Rebooking.objects.filter(appointment=visit, state__in=(State.READY, State.OFFERED, State.CALL))
    rows.update(state=State.CALL, why=Why.ASKED, answered=now)
    save(visit, now)
    audit("call", visit, caller=caller, now=now)
    return visit


@use_case
def cancel_rebooked(visit_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Cancel a visit that the clinic cannot keep, whatever the cut-off: nothing is charged for it."""
    visit = locked(visit_id, caller)
    _require_to_rebook(visit)
    absence = Absence.objects.filter(rebookings__appointment=visit, rebookings__state__in=OPEN_REBOOKING).first()
    request = StatusRequest(reason=cancellation_reason(absence), by_clinic=True)
    own = caller.own_references.intersection(attending(visit.participant))
    if not access.is_exempt_from_cutoffs(caller, visit) and leaves_others(visit, own):
        return leave(visit, own, request, caller=caller, now=now)
    return end_visit(visit, Appointment.Status.CANCELLED, request, caller=caller, now=now)


def cancellation_reason(absence: Absence | None) -> Json:
    """FHIR's reason for the cancellation of a visit that an absence makes impossible, with what patients are told."""
    reason: Json = {"coding": [{"system": CANCELLATION_REASON, "code": "prov"}]}
    return {**reason, "text": absence.notice} if absence is not None and absence.notice else reason


@refusals()
@transaction.atomic(durable=True)
def note_call(rebooking_id: int, *, caller: Caller, now: datetime) -> None:
    """Record that staff have called the patient of a visit that was cancelled since, and nothing is left to do."""
    rows = Rebooking.objects.filter(pk=rebooking_id, absence__in=access.absences(caller), state=State.CALL)
    rebooking = rows.select_related("appointment").first()
    if rebooking is None:
        raise NotFound("There is nobody to be called.")
    visit = locked(rebooking.appointment.fhir_id, caller)
    if visit.status == Appointment.Status.BOOKED:
        raise RuleBroken(_("This visit is still booked. Move it or cancel it."))
    rows.update(state=State.CANCELLED, answered=now)
    audit("called", visit, caller=caller, now=now)


def _lock(rebooking_id: int, *states: Rebooking.State) -> tuple[Rebooking, Appointment] | None:
    """The Rebooking in one of these states, with its visit if that is booked; both locked, the visit first."""
    row = Rebooking.objects.filter(pk=rebooking_id, state__in=states).first()
    if row is None:
        return None
    visits = Appointment.objects.select_related("service", "patient", "site")
    visit = visits.select_for_update(no_key=True, of=("self",)).get(pk=row.appointment_id)
    rows = Rebooking.objects.select_related("absence").select_for_update(no_key=True, of=("self",))
    rebooking = rows.filter(pk=rebooking_id, state__in=states).first()
    is_taken_back = rebooking is not None and rebooking.state in (State.WITHDRAWN, State.RETURNED)
    if rebooking is None or not (visit.status == Appointment.Status.BOOKED or is_taken_back):
        return None
    return rebooking, visit


def _mark(visit: Appointment) -> None:
    """Set `to_rebook`, by which every change of the visit knows to look for the times held for it."""
    if not visit.to_rebook:
        visit.to_rebook = True
        Appointment.objects.filter(pk=visit.pk).update(to_rebook=True)


def _require_to_rebook(visit: Appointment) -> None:
    if visit.status != Appointment.Status.BOOKED:
        raise IllegalTransition(visit.status, "rescheduled")
    if not visit.to_rebook:
        raise RuleBroken(
            _("This visit takes place as booked, or it was changed in the meantime. Reload the page to see it.")
        )
