"""Confirmation of holds: they become bookings, or requests."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import Appointment, Patient
from scheduling import access, availability, notifications
from scheduling.access import Caller
from scheduling.booking import referrals
from scheduling.booking.cancellation import end_suggestion, end_visit, lock_suggestion
from scheduling.booking.holds import (
    HOLD_EXPIRED,
    keep_slots,
    lock_free_patients,
    raise_if_expired,
    require_room_for_new,
    require_within_limits,
    set_patient,
)
from scheduling.booking.idempotency import Once, RefusedAndKept, refusals, use_case
from scheduling.booking.judging import judged
from scheduling.booking.request import ConfirmRequest, StatusRequest
from scheduling.booking.slots import own_bookables
from scheduling.booking.transitions import (
    fulfil_requirements,
    is_holder,
    lines_for_all,
    locked,
    require_no_suggestion,
    require_not_expired,
    require_own_hold,
    require_transition,
    save,
)
from scheduling.errors import HoldExpired, IllegalTransition, PaymentRequired, RuleBroken, SchedulingError, TimeTaken
from scheduling.notifications import links
from scheduling.participants import awaiting_answers, patients_of
from scheduling.plugins import BookingStep

AS_IT_IS = ConfirmRequest()
PAID = ConfirmRequest(is_paid=True, tell=False)
RELEASING = (TimeTaken, RuleBroken, IllegalTransition, HoldExpired)  # refusals that end a hold


@judged(BookingStep.CONFIRM)
@use_case
def confirm(
    appointment_id: str,
    request: ConfirmRequest = AS_IT_IS,
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> Appointment:
    """Make a hold a booking.

    Raises HoldExpired from the instant it expires, whether or not the time is still free. For a service on request the
    visit becomes a request, unless the caller runs the calendar: see `book`. Availability is not checked again: the
    hold has kept the time.
    """
    if not request.release:
        return _confirm(appointment_id, request, caller, now)
    try:
        with refusals(), transaction.atomic():
            return _confirm(appointment_id, request, caller, now)
    except RELEASING as refusal:
        _release_refused(appointment_id, refusal, caller, now)
        raise


@use_case
def refuse(
    appointment_id: str, refusal: SchedulingError, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Raise the refusal of a request that cannot have this hold, and cancel the hold in the same transaction."""
    _release_refused(appointment_id, refusal, caller, now)
    raise refusal


def _release_refused(appointment_id: str, refusal: SchedulingError, caller: Caller, now: datetime) -> None:
    """Cancel a hold that was refused, and raise RefusedAndKept. A hold of somebody else stays."""
    appointment = locked(appointment_id, caller)
    is_others = isinstance(refusal, TimeTaken) and not is_holder(appointment, caller)
    is_kept = appointment.is_request or appointment.is_suggestion
    if appointment.status != Appointment.Status.PENDING or is_kept or is_others:
        return
    reason = HOLD_EXPIRED if isinstance(refusal, HoldExpired) else {"text": refusal.issues[0].text}
    end_visit(appointment, Appointment.Status.CANCELLED, StatusRequest(reason=reason), caller=caller, now=now)
    raise RefusedAndKept(refusal, appointment)


def _confirm(appointment_id: str, request: ConfirmRequest, caller: Caller, now: datetime) -> Appointment:
    patient = request.register() if request.register else request.patient  # first: other writers lock names before rows
    appointment = locked(appointment_id, caller, request.version)
    return confirm_locked(appointment, request, patient, caller=caller, now=now)


def confirm_locked(
    appointment: Appointment,
    request: ConfirmRequest = AS_IT_IS,
    patient: Patient | None = None,
    *,
    caller: Caller,
    now: datetime,
) -> Appointment:
    """Make a locked hold a booking or a request, for `patient` if one is given."""
    if appointment.status not in (Appointment.Status.PENDING, Appointment.Status.PROPOSED):
        raise_if_expired(appointment)
        raise IllegalTransition(appointment.status, "booked")
    require_not_expired(appointment, now)
    require_no_suggestion(appointment)
    if not request.is_paid:
        require_own_hold(appointment, caller=caller)
        _require_payment(appointment, caller)
    require_transition(appointment, Appointment.Status.BOOKED)
    bookables = _require_still_given(appointment)
    asks = _asks(appointment, caller)
    if asks and appointment.is_request:
        raise RuleBroken(_("The clinic has not answered yet."), expression="Appointment.status")
    if patient is not None:
        set_patient(appointment, patient, caller, now)
    else:
        if not access.is_exempt_from_cutoffs(caller, appointment):
            _require_own_patient(appointment, caller)
        lock_free_patients(appointment, now)
    fulfil_requirements(appointment, now=now)
    appointment.warnings = request.judgement.warnings_unless_refused()
    appointment.cards = request.judgement.cards
    own_bookables(bookables)
    if patient is not None:
        require_room_for_new(appointment, caller, now)
    require_within_limits(appointment, caller, now)
    appointment.comment = request.comment or appointment.comment
    if request.extensions:
        extensions = [*appointment.extra.get("extension", ()), *request.extensions]
        appointment.extra = {**appointment.extra, "extension": extensions}
    if not asks:
        return book_held_time(appointment, caller=caller, now=now, tell=request.tell)
    keep_slots(appointment, now)
    appointment.status = Appointment.Status.PENDING
    appointment.hold_expires_at = None
    appointment.participant = awaiting_answers(appointment.participant)
    save(appointment, now, lines_for_all("confirm", appointment, caller=caller, now=now))
    if request.tell:
        notifications.requested(appointment, now=now)
    return appointment


def book_held_time(
    appointment: Appointment, *, caller: Caller, now: datetime, subtype: str = "confirm", tell: bool = True
) -> Appointment:
    """Make a locked hold or request a booking. Needs `own_bookables`. Without `tell` no message is written."""
    if (suggestion := lock_suggestion(appointment)) is not None:
        end_suggestion(suggestion, caller=caller, now=now)
    keep_slots(appointment, now, is_booked=True)
    appointment.status = Appointment.Status.BOOKED
    appointment.hold_expires_at = None
    appointment.participant = [
        each if each.get("status") == "declined" else {**each, "status": "accepted"} for each in appointment.participant
    ]
    save(appointment, now, lines_for_all(subtype, appointment, caller=caller, now=now))
    referrals.follow(appointment, now=now)
    if tell:
        notifications.booked(appointment, now=now)
    return appointment


def _asks(appointment: Appointment, caller: Caller) -> bool:
    """True if confirming makes it a request: a service on request, and a caller who does not run the calendar."""
    if appointment.service is None or not appointment.service.on_request:
        return False
    return caller.is_system or not access.is_exempt_from_cutoffs(caller, appointment)


def _require_payment(appointment: Appointment, caller: Caller) -> None:
    """Raise PaymentRequired if the caller, who is not staff of the visit, has to pay for the hold first."""
    service = appointment.service
    if service is not None and service.prepayment and not access.is_exempt_from_cutoffs(caller, appointment):
        raise PaymentRequired(links.payment_link(appointment))


def _require_own_patient(appointment: Appointment, caller: Caller) -> None:
    """Raise RuleBroken if no patient is named yet, Forbidden if the caller may no longer book for a patient."""
    if appointment.patient is None:
        raise RuleBroken(_("Say who the visit is for before you confirm it."), expression="Appointment.participant")
    for patient in patients_of(appointment):
        access.may_be_for(caller, patient, appointment.referral)


def _require_still_given(appointment: Appointment) -> list[int]:
    """The bookables of its Slots. Raises RuleBroken if something it needs has been closed since the hold was made.

    A proposed Appointment of other software may have no Slots: it is booked as it is and takes no time here. Raises
    RuleBroken if it has no time.
    """
    bookables = availability.require_still_available(appointment)
    if appointment.start is None:
        raise RuleBroken(_("This visit has no time yet."), expression="Appointment.start")
    return bookables
