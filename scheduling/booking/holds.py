"""Holds: pending Appointments that expire after HOLD_FOR of clinic/settings.py."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.models import Appointment, Patient, PaymentItem, QuestionnaireResponse
from clinic.parking import Parking
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.booking import referrals
from scheduling.booking.cancellation import end_visit
from scheduling.booking.former_holds import SUPPORTING, end_others_held, hand_over, supporting_of, was_only_held
from scheduling.booking.idempotency import Once, refusals, use_case
from scheduling.booking.judging import judged
from scheduling.booking.patients import PARTICIPANT, follow_merge, lock_patients, with_survivors
from scheduling.booking.request import BookingRequest, Json, StatusRequest, participants_of
from scheduling.booking.slots import (
    bookables_of,
    keep,
    lock_counted,
    lock_holder,
    own_bookables,
    patients_are_free,
    patients_are_within_limits,
)
from scheduling.booking.transitions import (
    audit,
    locked,
    require_no_suggestion,
    require_not_expired,
    save,
)
from scheduling.booking.visits import manages, place
from scheduling.errors import HoldExpired, IllegalTransition, RuleBroken, TimeTaken, TooManyHolds
from scheduling.new_patients import counted_as_new
from scheduling.participants import is_group, is_patient, patients_of
from scheduling.plugins import BookingStep

CLOCK = Caller(client="clock")
HOLD_EXPIRED: Json = {"coding": [{"system": CANCELLATION_REASON, "code": "other"}], "text": "hold expired"}
BATCH = 100


@judged(BookingStep.HOLD)
@use_case
def hold(
    request: BookingRequest,
    *,
    caller: Caller,
    now: datetime,
    lasting: timedelta | None = None,
    instead_of: str | None = None,
    once: Once | None = None,
) -> Appointment:
    """Take the time as a `pending` appointment that expires `lasting` later (HOLD_FOR by default).

    `instead_of` is the id of a hold of the same caller that is released in the same transaction: a caller who chooses
    another time would otherwise risk losing both. If it is for the same service, its answers and notes move to the new
    hold, even if it has already ended. Raises TooManyHolds and everything that `book` raises.
    """
    return hold_within(request, caller=caller, now=now, lasting=lasting, instead_of=instead_of)


def hold_within(
    request: BookingRequest,
    *,
    caller: Caller,
    now: datetime,
    lasting: timedelta | None = None,
    instead_of: str | None = None,
) -> Appointment:
    """Hold a time in the transaction of another use case: see `hold`."""
    request = request.with_registered_patient()  # first: other writers lock names before rows
    former = None if instead_of is None else locked(instead_of, caller)
    is_for_more = former is not None and former.service_id == request.service.pk and was_only_held(former)
    is_held = former is not None and former.status == Appointment.Status.PENDING and not former.is_request
    if former is not None:
        require_no_suggestion(former)
    replacing = former if is_held else None
    is_bound = not (caller.is_system or manages(caller, request.offerings))
    if is_bound:
        lock_holder(caller)
    request = with_survivors(request)
    lock_patients(request.patients)
    if is_bound:
        require_few_holds(caller, request.patient, now, besides=replacing)
    if replacing is not None and replacing.series is not None:
        end_others_held(replacing, request.offerings, caller=caller, now=now)
    appointment = place(
        request,
        Appointment.Status.PENDING,
        caller=caller,
        now=now,
        expires=now + (lasting or settings.HOLD_FOR),
        replacing=replacing,
    )
    if former is not None and is_for_more:
        hand_over(former, appointment, now)
    return appointment


@use_case
def extend_hold(appointment_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Extend a hold by HOLD_FOR, once. Raises HoldExpired, or RuleBroken the second time or for a visit of a series,
    whose visits are held until one instant: see `extend_series`.
    """
    appointment = locked(appointment_id, caller)
    require_held(appointment, now)
    if appointment.series is not None:
        raise RuleBroken(_("The visits of a series are held together. Confirm them, or choose their times again."))
    lock_free_patients(appointment, now)
    own_bookables(bookables_of(appointment))
    return extend_locked(appointment, caller=caller, now=now)


def extend_locked(appointment: Appointment, *, caller: Caller, now: datetime) -> Appointment:
    """Extend a locked hold. Needs `lock_free_patients` and `own_bookables`."""
    if appointment.hold_extended:
        raise RuleBroken(_("This hold has been extended already. Confirm it, or choose a time again."))
    assert appointment.hold_expires_at is not None  # require_held
    appointment.hold_expires_at += settings.HOLD_FOR
    appointment.hold_extended = True
    keep_slots(appointment, now, expires=appointment.hold_expires_at)
    save(appointment, now)
    audit("extend", appointment, caller=caller, now=now)
    return appointment


@use_case
def name_patient(
    appointment_id: str,
    patient: Patient | Callable[[], Patient],
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> Appointment:
    """Set the patient of a hold; a later call replaces the patient. Answers given so far become the patient's.

    A function in place of `patient` registers a new one in the same transaction, so that a refusal registers nobody.

    Raises Forbidden for a patient for whom the caller may not book, RuleBroken if the patient has another visit then or
    holds too many times, HoldExpired.
    """
    named = patient() if callable(patient) else patient  # first: other writers lock names before rows
    return name_locked(locked(appointment_id, caller), named, caller=caller, now=now)


def name_locked(appointment: Appointment, patient: Patient, *, caller: Caller, now: datetime) -> Appointment:
    """Set the patient of a locked hold."""
    require_held(appointment, now)
    set_patient(appointment, patient, caller, now)
    require_room_for_new(appointment, caller, now)
    require_within_limits(appointment, caller, now)
    save(appointment, now)
    audit("name", appointment, caller=caller, now=now)
    return appointment


def set_patient(appointment: Appointment, patient: Patient, caller: Caller, now: datetime) -> None:
    """Set the patient of a locked hold without saving it."""
    if is_group(appointment):
        raise RuleBroken(_("This time is held for several patients. Hold it again for others."), expression=PARTICIPANT)
    referrals.require_for(appointment, patient)
    is_bound = not access.is_exempt_from_cutoffs(caller, appointment)
    if is_bound:
        access.may_be_for(caller, patient, appointment.referral)
        lock_holder(caller)
    others = [each for each in appointment.participant if not is_patient(each)]
    appointment.patient = patient
    appointment.participant = [*others, *participants_of((), [patient], "accepted")]
    lock_free_patients(appointment, now)
    if is_bound:
        require_few_holds(caller, patient, now, besides=appointment)
    if is_bound and caller.user is not None:  # the user's from now on, no longer of everybody who uses this browser
        appointment.held_by, appointment.held_by_guest = caller.user, ""
    QuestionnaireResponse.objects.filter(appointment=appointment, deleted_at=None).update(
        patient=appointment.patient, version=F("version") + 1, last_updated=now
    )


@use_case
def support(
    appointment_id: str, references: Collection[str], *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Record what a held visit relies on, such as the Coverage that pays for it, as FHIR supportingInformation.

    References replace earlier ones to resources of the same type. Raises HoldExpired.
    """
    return support_locked(locked(appointment_id, caller), references, caller=caller, now=now)


def support_locked(
    appointment: Appointment, references: Collection[str], *, caller: Caller, now: datetime
) -> Appointment:
    """Record what a locked hold relies on."""
    require_held(appointment, now)
    types = {_type_of(each) for each in references}
    kept = [each for each in supporting_of(appointment) if _type_of(str(each.get("reference"))) not in types]
    given = [{"reference": each} for each in references]
    appointment.extra = {**appointment.extra, SUPPORTING: [*kept, *given]}
    save(appointment, now)
    audit("support", appointment, caller=caller, now=now)
    return appointment


def note_presence(appointment_id: str, *, here: bool, caller: Caller, now: datetime) -> None:
    """Record if the pages of a hold are open in a browser. A hold that was left is released early, but not one visit of
    a series without the others.

    This is a hint, not a change of the resource: no new version and no audit line are written.
    """
    pk = access.changeable_appointment(caller, appointment_id).pk
    held = Appointment.objects.filter(pk=pk, status=Appointment.Status.PENDING, series=None)
    held.filter(left_at__isnull=not here).update(left_at=None if here else now)


def release_expired_holds(*, now: datetime) -> int:
    """Cancel the holds that have expired, with the reason "hold expired". Returns how many.

    Holds that were left, and holds of patients who have died or whose record was closed, are cancelled too; one that is
    being paid for is left to `settle_payment`. This only
    tidies up: the time of an expired hold is free already. It works in batches, so that no lock is held long.
    """
    released = 0
    while True:
        in_batch, tried = _release_batch(now)
        released += in_batch
        if tried < BATCH:
            return released


@refusals()
@transaction.atomic(durable=True)
def _release_batch(now: datetime) -> tuple[int, int]:
    """The number of holds released, and the number tried."""
    aside = Parking("release expired holds", Appointment, now=now)
    over = Q(hold_expires_at__lte=now) | Q(hold_expires_at__gt=now, left_at__lte=now - settings.LEFT_HOLD_FOR)
    over |= Q(hold_expires_at__gt=now) & Patient.closed("patient__")
    paying = PaymentItem.objects.filter(appointment=OuterRef("pk"), payment__status__in=("created", "paying"))
    expired = list(
        Appointment.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .filter(over, ~Q(has_payment=True) | ~Exists(paying), status=Appointment.Status.PENDING)
        .exclude(pk__in=aside.waiting)
        .order_by("pk")[:BATCH]
    )
    return aside.process_each(expired, partial(_release, now=now)), len(expired)


def _release(appointment: Appointment, now: datetime) -> None:
    request = StatusRequest(reason=HOLD_EXPIRED)
    end_visit(appointment, Appointment.Status.CANCELLED, request, caller=CLOCK, now=now, subtype="expire")


def require_held(appointment: Appointment, now: datetime) -> None:
    """Raise HoldExpired, IllegalTransition or RuleBroken unless a locked appointment is a hold that lasts."""
    if appointment.status != Appointment.Status.PENDING:
        raise_if_expired(appointment)
        raise IllegalTransition(appointment.status, "pending")
    if appointment.is_request:
        raise RuleBroken(_("This visit has been requested, and the clinic has not answered yet."))
    require_no_suggestion(appointment)
    require_not_expired(appointment, now)


def lock_free_patients(appointment: Appointment, now: datetime) -> None:
    """Lock the patients; raise RuleBroken if one has another visit then, which is possible once a hold has expired."""
    assert appointment.start is not None  # appointment_has_time
    assert appointment.end is not None
    follow_merge(appointment)
    patients = patients_of(appointment)
    lock_patients(patients)
    patients_are_free(patients, appointment.start, appointment.end, now=now, besides=appointment)


def require_within_limits(appointment: Appointment, caller: Caller, now: datetime) -> None:
    """Raise RuleBroken if a patient has as many visits as the service allows. Staff may book more.

    Needs the locks of the patients and, if they are taken at all, of the bookables.
    """
    assert appointment.start is not None  # appointment_has_time
    if _is_limited(appointment, caller):
        lock_counted(appointment.service)
        patients_are_within_limits(
            appointment.service, patients_of(appointment), appointment.start, now=now, besides=appointment
        )


def require_room_for_new(appointment: Appointment, caller: Caller, now: datetime) -> None:
    """Raise RuleBroken if a patient who was named makes it a visit of new patients, in a session with as many as the
    service allows. One that counts as such already, as a hold without a patient does, has its place. Staff may book
    more. Needs the locks of the patients, and takes those of the bookables.
    """
    service, start = appointment.service, appointment.start
    assert start is not None  # appointment_has_time
    if service is None or not _is_limited(appointment, caller):
        return
    limited = [
        offering
        for offering in availability.offerings_of_visit(appointment)
        if offering.rules.limits.new_in_session is not None
    ]
    if not limited:
        return
    own_bookables(offering.bookable for offering in limited)
    if Appointment.objects.filter(counted_as_new(service), pk=appointment.pk).exists():
        return
    found = availability.explain(
        service, limited, start, now=now, without=appointment, patients=patients_of(appointment)
    )
    if any(availability.Reason.NEW_PATIENTS_FULL in reasons for reasons in found.values()):
        raise RuleBroken(str(availability.REASONS[availability.Reason.NEW_PATIENTS_FULL]), expression=PARTICIPANT)


def _is_limited(appointment: Appointment, caller: Caller) -> bool:
    """True if the booking limits count for the caller: for patients, and for software that books for them."""
    return caller.is_system or not access.is_exempt_from_cutoffs(caller, appointment)


def keep_slots(
    appointment: Appointment, now: datetime, *, expires: datetime | None = None, is_booked: bool = False
) -> None:
    """Extend the time during which its Slots count: until `expires`, or without end.

    Needs `own_bookables`. Raises HoldExpired if another booking has taken the expired time.
    """
    try:
        with refusals():
            keep(appointment, expires=expires, is_booked=is_booked, now=now)
    except TimeTaken as taken:
        raise HoldExpired from taken


def _type_of(reference: str) -> str:
    return reference.partition("/")[0]


def require_few_holds(caller: Caller, patient: Patient | None, now: datetime, *, besides: Appointment | None) -> None:
    """Raise TooManyHolds. The holds of the patient, of the user and of this browser count together, a series as one."""
    whose = Q(patient=patient) if patient else Q(pk__in=[])
    if caller.user is not None:
        whose |= Q(held_by=caller.user)
    if caller.guest:
        whose |= Q(held_by_guest=caller.guest_digest)
    held = Appointment.objects.filter(
        whose, status=Appointment.Status.PENDING, hold_expires_at__gt=now, suggested_for=None
    )
    if besides is not None:
        held = held.exclude(pk=besides.pk) if besides.series is None else held.exclude(series=besides.series)
    holds = Coalesce(Cast("series", TextField()), "fhir_id")
    if held.aggregate(count=Count(holds, distinct=True))["count"] >= settings.HOLDS_PER_PERSON:
        raise TooManyHolds


def raise_if_expired(appointment: Appointment) -> None:
    if appointment.status == Appointment.Status.CANCELLED and appointment.cancelation_reason == HOLD_EXPIRED:
        raise HoldExpired
