"""Holds: time taken for a little while."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext as _

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.models import Appointment, Patient, QuestionnaireResponse, Slot
from clinic.parking import Parking
from scheduling import access, availability, notifications
from scheduling.access import Caller
from scheduling.booking.appointments import (
    audit,
    end_visit,
    fulfil_requirements,
    is_patient,
    locked,
    may_become,
    not_anothers,
    not_expired,
    save,
)
from scheduling.booking.once import Once, refusals, use_case
from scheduling.booking.patients import follow_merge, for_survivor, lock_patient
from scheduling.booking.request import BookingRequest, Json, asked, participants_of
from scheduling.booking.slots import bookables_of, lock_holder, own_bookables, patient_is_free
from scheduling.booking.visits import manages, place
from scheduling.errors import HoldExpired, IllegalTransition, RuleBroken, TimeTaken, TooManyHolds
from scheduling.versions import Versions

CLOCK = Caller(client="clock")
HOLD_EXPIRED: Json = {"coding": [{"system": CANCELLATION_REASON, "code": "other"}], "text": "hold expired"}
BATCH = 100
SUPPORTING = "supportingInformation"
KEPT = Case(When(status=Slot.Status.BUSY_TENTATIVE, then=Value(Slot.Status.BUSY)), default=F("status"))


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
    """Take the time as a `pending` appointment that frees itself `lasting` later (HOLD_FOR unless said).

    `instead_of` is the id of a hold of the same caller that is let go first: who changes their mind about the time
    needs both at once, or could lose the old one for nothing. What was answered and noted for it is the new one's if
    it is for the same service, also where the old hold has ended already. Raises as `book` does; TooManyHolds.
    """
    former = None if instead_of is None else locked(instead_of, caller)
    is_for_more = former is not None and former.service_id == request.service.pk and _was_only_held(former)
    is_held = former is not None and former.status == Appointment.Status.PENDING and not former.is_request
    replacing = former if is_held else None
    is_bound = not (caller.is_system or manages(caller, request.offerings))
    if is_bound:
        lock_holder(caller)
    request = for_survivor(request)
    lock_patient(request.patient)
    if is_bound:
        _not_too_many(caller, request.patient, now, besides=replacing)
    appointment = place(
        request,
        Appointment.Status.PENDING,
        caller=caller,
        now=now,
        expires=now + (lasting or settings.HOLD_FOR),
        replacing=replacing,
    )
    if former is not None and is_for_more:
        _hand_over(former, appointment, now)
    return appointment


@use_case
def confirm(
    appointment_id: str,
    *,
    caller: Caller,
    now: datetime,
    comment: str = "",
    patient: Patient | None = None,
    extensions: Sequence[Json] = (),
    version: Versions | None = None,
    once: Once | None = None,
) -> Appointment:
    """Make a hold a booking, for `patient` if one is named: see `name_patient`. `extensions` are FHIR's.

    Raises HoldExpired from the instant it expires, whoever has the time by then. What is given on request is asked for
    by everyone but those who run the calendar: see `book`. Availability is not asked again: the time has been the
    caller's all along.
    """
    appointment = locked(appointment_id, caller, version)
    if appointment.status not in (Appointment.Status.PENDING, Appointment.Status.PROPOSED):
        _say_if_expired(appointment)
        raise IllegalTransition(appointment.status, "booked")
    not_expired(appointment, now)
    not_anothers(appointment, caller=caller)
    may_become(appointment, Appointment.Status.BOOKED)
    bookables = _still_given(appointment)
    asks = _asks(appointment, caller)
    if asks and appointment.is_request:
        raise RuleBroken(_("The clinic has not answered yet."), expression="Appointment.status")
    if patient is not None:
        _name(appointment, patient, caller, now)
    else:
        if not access.is_exempt_from_cutoffs(caller, appointment):
            _is_for_own(appointment, caller)
        _lock_free_patient(appointment, now)
    fulfil_requirements(appointment, now=now)
    own_bookables(bookables)
    appointment.comment = comment or appointment.comment
    if extensions:
        appointment.extra = {**appointment.extra, "extension": [*appointment.extra.get("extension", ()), *extensions]}
    if not asks:
        return take_for_good(appointment, caller=caller, now=now)
    _hold_on(appointment, now, hold_expires_at=None)
    appointment.status = Appointment.Status.PENDING
    appointment.hold_expires_at = None
    appointment.participant = asked(appointment.participant)
    save(appointment, now)
    audit("confirm", appointment, caller=caller, now=now)
    notifications.requested(appointment, now=now)
    return appointment


def take_for_good(appointment: Appointment, *, caller: Caller, now: datetime, as_: str = "confirm") -> Appointment:
    """Make a booking of a locked hold or request. Needs `own_bookables`."""
    _hold_on(appointment, now, status=KEPT, hold_expires_at=None)
    appointment.status = Appointment.Status.BOOKED
    appointment.hold_expires_at = None
    appointment.participant = [
        each if each.get("status") == "declined" else {**each, "status": "accepted"} for each in appointment.participant
    ]
    save(appointment, now)
    audit(as_, appointment, caller=caller, now=now)
    notifications.booked(appointment, now=now)
    return appointment


@use_case
def extend_hold(appointment_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Keep the time as long again as it was held for, once. Raises HoldExpired, or RuleBroken the second time."""
    appointment = locked(appointment_id, caller)
    _still_held(appointment, now)
    if appointment.hold_extended:
        raise RuleBroken(_("This hold has been extended already. Confirm it, or choose a time again."))
    assert appointment.hold_expires_at is not None  # _still_held
    _lock_free_patient(appointment, now)
    own_bookables(bookables_of(appointment))
    appointment.hold_expires_at += settings.HOLD_FOR
    appointment.hold_extended = True
    _hold_on(appointment, now, hold_expires_at=appointment.hold_expires_at)
    save(appointment, now)
    audit("extend", appointment, caller=caller, now=now)
    return appointment


@use_case
def name_patient(
    appointment_id: str, patient: Patient, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Say whom a held time is for; asked again, somebody else. What was answered so far is theirs.

    Raises Forbidden for a patient whom the caller may not book for, RuleBroken where the patient is elsewhere then or
    holds too many times, HoldExpired.
    """
    appointment = locked(appointment_id, caller)
    _still_held(appointment, now)
    _name(appointment, patient, caller, now)
    save(appointment, now)
    audit("name", appointment, caller=caller, now=now)
    return appointment


def _name(appointment: Appointment, patient: Patient, caller: Caller, now: datetime) -> None:
    """Whom a locked hold is for; not written yet."""
    is_bound = not access.is_exempt_from_cutoffs(caller, appointment)
    if is_bound:
        access.may_be_for(caller, patient)
        lock_holder(caller)
    appointment.patient = patient
    _lock_free_patient(appointment, now)
    if is_bound:
        _not_too_many(caller, patient, now, besides=appointment)
    others = [each for each in appointment.participant if not is_patient(each)]
    appointment.participant = [*others, *participants_of((), appointment.patient, "accepted")]
    if is_bound and caller.user is not None:  # theirs from now on, and no longer whoever's uses this browser
        appointment.held_by, appointment.held_by_guest = caller.user, ""
    QuestionnaireResponse.objects.filter(appointment=appointment, deleted_at=None).update(
        patient=appointment.patient, version=F("version") + 1, last_updated=now
    )


@use_case
def support(
    appointment_id: str, references: Collection[str], *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Note what a held visit rests on, such as the Coverage that pays for it: FHIR's supportingInformation.

    References take the place of earlier ones to resources of the same type. Raises HoldExpired.
    """
    appointment = locked(appointment_id, caller)
    _still_held(appointment, now)
    types = {_type_of(each) for each in references}
    kept = [each for each in _supporting(appointment) if _type_of(str(each.get("reference"))) not in types]
    given = [{"reference": each} for each in references]
    appointment.extra = {**appointment.extra, SUPPORTING: [*kept, *given]}
    save(appointment, now)
    audit("support", appointment, caller=caller, now=now)
    return appointment


def note_presence(appointment_id: str, *, here: bool, caller: Caller, now: datetime) -> None:
    """True if the pages of a hold are open somewhere. One that was left and not come back to is let go early.

    A hint from a browser and no change of the resource: there is no version and no audit line of it.
    """
    pk = access.changeable_appointment(caller, appointment_id).pk
    held = Appointment.objects.filter(pk=pk, status=Appointment.Status.PENDING)
    held.filter(left_at__isnull=not here).update(left_at=None if here else now)


def release_expired_holds(*, now: datetime) -> int:
    """Cancel the holds that have expired, with the reason "hold expired"; how many there were.

    So are those that were left for good, and those of patients who have died or whose record was closed meanwhile. For
    those that have expired it is hygiene: their time has been free since then. Batches, so that no lock is kept long.
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
    """How many were released, of how many."""
    aside = Parking("release expired holds", Appointment, now=now)
    over = Q(hold_expires_at__lte=now) | Q(hold_expires_at__gt=now, left_at__lte=now - settings.LEFT_HOLD_FOR)
    over |= Q(hold_expires_at__gt=now) & Patient.closed("patient__")
    expired = list(
        Appointment.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        .filter(over, status=Appointment.Status.PENDING)
        .exclude(pk__in=aside.waiting)
        .order_by("pk")[:BATCH]
    )
    return aside.process_each(expired, partial(_release, now=now)), len(expired)


def _release(appointment: Appointment, now: datetime) -> None:
    end_visit(
        appointment,
        Appointment.Status.CANCELLED,
        reason=HOLD_EXPIRED,
        caller=CLOCK,
        now=now,
        as_="expire",
    )


def _still_held(appointment: Appointment, now: datetime) -> None:
    if appointment.status != Appointment.Status.PENDING:
        _say_if_expired(appointment)
        raise IllegalTransition(appointment.status, "pending")
    if appointment.is_request:
        raise RuleBroken(_("This visit has been asked for, and the clinic has not answered yet."))
    not_expired(appointment, now)


def _asks(appointment: Appointment, caller: Caller) -> bool:
    """True if to confirm it is to ask for it: what is given on request, for who does not work with it."""
    if appointment.service is None or not appointment.service.on_request:
        return False
    return caller.is_system or not access.is_exempt_from_cutoffs(caller, appointment)


def _is_for_own(appointment: Appointment, caller: Caller) -> None:
    """Raise RuleBroken where nobody is named yet, Forbidden for somebody whom the caller may no longer book for."""
    if appointment.patient is None:
        raise RuleBroken(_("Say who the visit is for before you confirm it."), expression="Appointment.participant")
    access.may_be_for(caller, appointment.patient)


def _still_given(appointment: Appointment) -> list[int]:
    """The bookables of its Slots. Raises RuleBroken where what it needs has been closed since the hold.

    An Appointment that was proposed elsewhere may have no Slots: it is booked as it is, and takes no time here. One
    without a time is not.
    """
    bookables = availability.still_given(appointment)
    if appointment.start is None:
        raise RuleBroken(_("This visit has no time yet."), expression="Appointment.start")
    return bookables


def _lock_free_patient(appointment: Appointment, now: datetime) -> None:
    """Raise RuleBroken if the patient has come to be elsewhere then, as they can once a hold has run out."""
    assert appointment.start is not None  # appointment_has_time
    assert appointment.end is not None
    follow_merge(appointment)
    lock_patient(appointment.patient)
    patient_is_free(appointment.patient, appointment.start, appointment.end, now=now, besides=appointment)


def _hold_on(appointment: Appointment, now: datetime, **longer: Any) -> None:
    """Its Slots count on. Who took the time of a hold that ran out on the database's clock stands in the way.

    Needs `own_bookables`.
    """
    try:
        with refusals():
            Slot.objects.filter(appointment=appointment, deleted_at=None).update(
                **longer, last_updated=now, version=F("version") + 1
            )
    except TimeTaken as taken:
        raise HoldExpired from taken


def _was_only_held(appointment: Appointment) -> bool:
    """True if it is a hold, or was one that ended without being booked: its people had not accepted yet."""
    return any(each.get("status") == "tentative" for each in appointment.participant)


def _hand_over(former: Appointment, appointment: Appointment, now: datetime) -> None:
    """What was answered, noted and chosen for a hold that has ended goes on to the one after it."""
    QuestionnaireResponse.objects.filter(appointment=former, deleted_at=None).update(
        appointment=appointment, patient=appointment.patient, version=F("version") + 1, last_updated=now
    )
    appointment.comment = appointment.comment or former.comment
    same_patient = appointment.patient_id == former.patient_id
    if same_patient and SUPPORTING in former.extra:
        appointment.extra = {**appointment.extra, SUPPORTING: _supporting(former)}
    appointment.save(update_fields=["comment", "extra"])


def _supporting(appointment: Appointment) -> list[Json]:
    return list(appointment.extra.get(SUPPORTING, []))


def _type_of(reference: str) -> str:
    return reference.partition("/")[0]


def _not_too_many(caller: Caller, patient: Patient | None, now: datetime, *, besides: Appointment | None) -> None:
    """For the patient, by the user and in this browser: nobody holds more by coming another way."""
    whose = Q(patient=patient) if patient else Q(pk__in=[])
    if caller.user is not None:
        whose |= Q(held_by=caller.user)
    if caller.guest:
        whose |= Q(held_by_guest=caller.guest_digest)
    held = Appointment.objects.filter(whose, status=Appointment.Status.PENDING, hold_expires_at__gt=now)
    if besides is not None:
        held = held.exclude(pk=besides.pk)
    if held.count() >= settings.HOLDS_PER_PERSON:
        raise TooManyHolds


def _say_if_expired(appointment: Appointment) -> None:
    if appointment.status == Appointment.Status.CANCELLED and appointment.cancelation_reason == HOLD_EXPIRED:
        raise HoldExpired
