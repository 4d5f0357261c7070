"""Offers to the waiting list: a time that came free, held for one entry until it is taken, declined or lapses.

An offer is a suggestion in answer to the entry, with a WaitlistOffer that says why this entry was asked. If the entry
is about a booked visit, taking the offer moves that visit; otherwise the entry itself becomes the visit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from psycopg import errors

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.fhir.waitlist import preferences_of
from clinic.models import Appointment, FreedTime, Slot, WaitlistOffer
from clinic.parking import Parking
from scheduling import access, availability, notifications, requirements
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking.cancellation import close_offer, end_suggestion, end_visit, lock_suggestion
from scheduling.booking.holds import HOLD_EXPIRED, keep_slots, lock_free_patients
from scheduling.booking.idempotency import Once, refusals, use_case
from scheduling.booking.moves import move, own_slots, to_time_of
from scheduling.booking.patients import follow_merge, lock_patients
from scheduling.booking.request import BookingRequest, Json, RescheduleRequest, StatusRequest, participants_of
from scheduling.booking.slots import (
    bookables_of,
    lock_counted,
    own_bookables,
    patients_are_free,
    patients_are_within_limits,
)
from scheduling.booking.suggestions import REFUSED, link_to
from scheduling.booking.transitions import audit, fulfil_requirements, require_notice, save
from scheduling.booking.visits import manages, place, require_may_book, require_offered, require_payment
from scheduling.booking.waitlist import end_entry, visits_to_move
from scheduling.errors import Forbidden, HoldExpired, IllegalTransition, RuleBroken
from scheduling.participants import awaiting_answers, patients_of
from scheduling.requirements import UNFIT

# The worker that offers times. It does what a patient could: it is bound to no calendar, and books nothing.
WORKER = Caller(client="waiting list", scopes=("system/Appointment.cu",))
TAKEN: Json = {
    "coding": [{"system": CANCELLATION_REASON, "code": "other"}],
    "text": "an offered time was taken",
}
BY_STAFF = "staff"  # the rule of an offer whose entry staff have chosen
BATCH = 100


@dataclass(frozen=True, kw_only=True)
class OfferRequest:
    """A time to offer to an entry of the waiting list, and until when; `passed` are the entries before it and why they
    are not asked.

    `told_at` is when the patient can be told, which quiet hours may delay. Staff choose the entry for time that is free
    without having been `freed`.
    """

    entry: Appointment
    freed: FreedTime | None
    offerings: tuple[Offering, ...]
    start: datetime
    visit: Appointment | None
    expires: datetime
    told_at: datetime
    passed: Sequence[tuple[str, str]] = ()


@refusals()
@transaction.atomic(durable=True)
def place_offer(request: OfferRequest, *, caller: Caller = WORKER, now: datetime) -> WaitlistOffer:
    """Hold the time for the patient of the entry and tell them.

    Raises Forbidden; TimeTaken; IllegalTransition if the entry has ended or has another offer; RuleBroken if the
    patient cannot have the time, cannot be told, or was asked for it before.
    """
    entry = Appointment.objects.select_for_update(skip_locked=True, no_key=True, of=("self",)).select_related(
        "service", "patient"
    )
    locked = entry.filter(pk=request.entry.pk, status=Appointment.Status.WAITLIST, deleted_at=None).first()
    if locked is None or locked.service is None:
        raise IllegalTransition(request.entry.status, "offered a time")
    follow_merge(locked)
    patients = patients_of(locked)
    if caller is not WORKER:
        _require_runs(caller, locked, request)
    lock_patients(patients)
    hold = place(
        BookingRequest(
            service=locked.service,
            offerings=request.offerings,
            start=request.start,
            patient=locked.patient,
            extra={"extension": [link_to(locked)]},
            suggested_for=locked,
            instead_of=request.visit,
        ),
        Appointment.Status.PENDING,
        caller=WORKER,
        now=now,
        expires=request.expires,
    )
    if request.visit is None:
        _require_fit(hold)
    offer = _store(locked, hold, request, now)
    audit("offer", locked, caller=caller, now=now)
    media = preferences_of(locked).media
    if not notifications.offered(hold, media, visit=request.visit, told_at=request.told_at, now=now):
        raise RuleBroken(_("The patient cannot be told."))
    return offer


def _require_runs(caller: Caller, entry: Appointment, request: OfferRequest) -> None:
    """Raise Forbidden unless the caller is staff who run the waiting list and may book the time for the patient."""
    assert entry.service is not None  # add_entry checks it
    if not access.runs_waitlist(caller, entry.service):
        raise Forbidden(_("Only the clinic gives times to the waiting list."))
    require_may_book(caller, entry.service, patients_of(entry), request.offerings, moved=request.visit)


def _require_fit(hold: Appointment) -> None:
    """Raise RuleBroken if the service is not for the patient, which nothing that they could add would change."""
    unmet = requirements.unmet_by_requirement(hold, just_made=True)
    if issues := [issue for requirement in UNFIT & unmet.keys() for issue in unmet[requirement]]:
        raise RuleBroken(issues=issues)


def _store(entry: Appointment, hold: Appointment, request: OfferRequest, now: datetime) -> WaitlistOffer:
    assert hold.start is not None  # it was placed at a time
    assert hold.end is not None
    assert entry.service is not None  # place_offer
    try:
        with transaction.atomic():
            return WaitlistOffer.objects.create(
                entry=entry,
                hold=hold,
                freed=request.freed,
                start=hold.start,
                end=hold.end,
                offered=now,
                expires=request.expires,
                rule=entry.service.waitlist_order if request.freed else BY_STAFF,
                passed=[list(each) for each in request.passed],
            )
    except IntegrityError as error:
        if isinstance(error.__cause__, errors.UniqueViolation):
            raise IllegalTransition(entry.status, "offered a second time at once") from error
        if isinstance(error.__cause__, errors.ExclusionViolation):
            raise RuleBroken(_("The patient was asked for this time before.")) from error
        raise


@use_case
def take_offer(entry_id: str, hold_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Take the offered time: the booked visit of the entry moves to it, or the entry becomes the visit. Returns the
    visit.

    For a service on request an entry without a visit becomes a request. Raises HoldExpired; RuleBroken if the patient
    lacks something that the service requires, which `hold_offer` lets them add, or it is too late to move the visit.
    """
    entry, hold, visit = _locked(entry_id, hold_id, caller, now)
    bookables, request = to_time_of(hold)
    moved = visit or entry
    if visit is not None:
        require_notice(visit, caller, now, "moved")
    follow_merge(moved)
    lock_patients(patients_of(moved))
    old = own_slots(moved)
    own_bookables([*bookables, *(slot.bookable_id for slot in old)])
    end_visit(hold, Appointment.Status.CANCELLED, StatusRequest(reason=TAKEN), caller=caller, now=now, subtype="take")
    patients_are_free(patients_of(moved), request.start, request.end, now=now, besides=moved)
    if visit is None:
        return _become_visit(entry, request, caller=caller, now=now)
    return _move_visit(entry, visit, old, request, caller=caller, now=now)


@use_case
def book_for_waiting(request: OfferRequest, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Book a time for somebody on the waiting list who takes it on the phone. Returns the visit.

    The booked visit of the entry moves to it, or the entry becomes the visit. A time that is being offered to them is
    let go of. Raises Forbidden; TimeTaken; IllegalTransition if the entry has ended; and everything that `book` raises.
    """
    entry, visit = _locked_rows(request.entry, request.visit, caller)
    _require_runs(caller, entry, request)
    assert entry.service is not None  # _require_runs
    moved = visit or entry
    follow_merge(moved)
    patients = patients_of(moved)
    lock_patients(patients)
    old, suggestion = own_slots(moved), lock_suggestion(entry)
    offered = bookables_of(suggestion) if suggestion else []
    own_bookables([*(each.bookable for each in request.offerings), *(slot.bookable_id for slot in old), *offered])
    if suggestion is not None:
        end_suggestion(suggestion, caller=caller, now=now)
    wanted = RescheduleRequest(offerings=request.offerings, start=request.start)
    patients_are_free(patients, wanted.start, wanted.end, now=now, besides=moved)
    lock_counted(entry.service)
    patients_are_within_limits(entry.service, patients, wanted.start, now=now, besides=moved)
    require_offered(entry.service, wanted.offerings, wanted.start, now=now, without=moved)
    if visit is None:
        return _become_visit(entry, wanted, caller=caller, now=now)
    return _move_visit(entry, visit, old, wanted, caller=caller, now=now)


def _locked_rows(
    entry: Appointment, visit: Appointment | None, caller: Caller
) -> tuple[Appointment, Appointment | None]:
    """The entry and the visit that would move, locked in the order of their keys."""
    access.changeable_appointment(caller, entry.fhir_id)
    found = _lock([entry.pk, *([visit.pk] if visit else [])])
    if not found[entry.pk].is_waiting:
        raise IllegalTransition(found[entry.pk].status, "booked")
    if visit is not None and found[visit.pk].status != Appointment.Status.BOOKED:
        raise IllegalTransition(found[visit.pk].status, "moved")
    return found[entry.pk], None if visit is None else found[visit.pk]


def _move_visit(
    entry: Appointment,
    visit: Appointment,
    old: Sequence[Slot],
    request: RescheduleRequest,
    *,
    caller: Caller,
    now: datetime,
) -> Appointment:
    """Move the booked visit of a locked entry to the time, and end the entry."""
    before = notifications.snapshot_of(visit)
    visit.sequence += 1
    visit.attendance_confirmed = None
    move(visit, old, request, now=now)
    audit("reschedule", visit, caller=caller, now=now)
    notifications.moved(visit, before=before, now=now)
    end_entry(entry, StatusRequest(reason=TAKEN), caller=caller, now=now)
    return visit


def _become_visit(entry: Appointment, request: RescheduleRequest, *, caller: Caller, now: datetime) -> Appointment:
    """Book the offered time for a locked entry without a visit."""
    assert entry.service is not None  # add_entry checks it
    require_payment(caller, entry.service, request.offerings)
    asks = entry.service.on_request and not manages(caller, request.offerings)
    entry.status = Appointment.Status.PENDING if asks else Appointment.Status.BOOKED
    participants = participants_of(request.offerings, patients_of(entry), "accepted")
    entry.participant = awaiting_answers(participants) if asks else participants
    move(entry, [], request, now=now)
    fulfil_requirements(entry, now=now, just_made=True)
    audit("request" if asks else "book", entry, caller=caller, now=now)
    tell = notifications.requested if asks else notifications.booked
    tell(entry, now=now)
    return entry


def is_more_needed(hold: Appointment) -> bool:
    """True if an offered time cannot be booked before its patient has paid, or has added what the service requires."""
    service = hold.service
    return service is not None and (bool(service.prepayment) or bool(requirements.unmet_by_requirement(hold)))


@use_case
def hold_offer(
    entry_id: str, hold_id: str, browser: Caller, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Make the offered time an ordinary hold of the person or guest in this browser, who goes on to book it: they have
    to pay or to answer first. The entry ends. Returns the hold. Raises HoldExpired.
    """
    entry, hold, _visit = _locked(entry_id, hold_id, caller, now)
    lock_free_patients(hold, now)
    own_bookables(availability.require_still_available(hold))
    assert hold.hold_expires_at is not None  # it is held
    expires = max(hold.hold_expires_at, now + settings.HOLD_FOR)
    close_offer(hold, "take", now=now)
    hold.suggested_for, hold.hold_expires_at = None, expires
    hold.held_by, hold.held_by_guest = browser.user, "" if browser.user else browser.guest_digest
    keep_slots(hold, now, expires=expires)
    save(hold, now)
    audit("hold", hold, caller=caller, now=now)
    end_entry(entry, StatusRequest(reason=TAKEN), caller=caller, now=now)
    return hold


@use_case
def decline_offer(
    entry_id: str, hold_id: str, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Release the offered time, which is offered to the next. The entry stays on the list. Raises HoldExpired."""
    entry, hold, _visit = _locked(entry_id, hold_id, caller, now)
    request = StatusRequest(reason=REFUSED)
    end_visit(hold, Appointment.Status.CANCELLED, request, caller=caller, now=now, subtype="decline")
    audit("pass", entry, caller=caller, now=now)
    return entry


def standing_offers(entries: Sequence[Appointment], *, now: datetime) -> dict[int, WaitlistOffer]:
    """The offers of these entries that can be taken, with their holds, by primary key of the entry. One statement."""
    offers = WaitlistOffer.objects.filter(
        entry__in=[entry.pk for entry in entries], outcome=WaitlistOffer.Outcome.OPEN, expires__gt=now
    )
    found = offers.select_related("hold__service", "hold__site", "hold__patient")
    return {offer.entry_id: offer for offer in found}


def release_lapsed_offers(*, now: datetime) -> int:
    """End the offers that were not answered in time. Returns how many. Several workers share the work.

    Their time is free already, by the hold's end; this passes it on.
    """
    with refusals(), transaction.atomic(durable=True):
        aside = Parking("end offers of the waiting list", Appointment, now=now)
        lapsed = Appointment.objects.select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(
            waitlist_offer__outcome=WaitlistOffer.Outcome.OPEN,
            waitlist_offer__expires__lte=now,
            status=Appointment.Status.PENDING,
        )
        rows = list(lapsed.exclude(pk__in=aside.waiting).order_by("pk")[:BATCH])
        return aside.process_each(rows, partial(_lapse, now=now))


def _lapse(hold: Appointment, now: datetime) -> None:
    request = StatusRequest(reason=HOLD_EXPIRED)
    end_visit(hold, Appointment.Status.CANCELLED, request, caller=WORKER, now=now, subtype="expire")


def _locked(
    entry_id: str, hold_id: str, caller: Caller, now: datetime
) -> tuple[Appointment, Appointment, Appointment | None]:
    """The entry, the hold that is offered to it and the visit that would move, locked in the order of their keys.

    Raises HoldExpired if the hold is no longer offered; RuleBroken if the visit can no longer be moved.
    """
    entry = access.changeable_appointment(caller, entry_id)
    visit = visits_to_move([entry], now=now).get(entry.pk)
    offer = WaitlistOffer.objects.filter(entry=entry, hold__fhir_id=hold_id).first()
    if offer is None:
        raise HoldExpired(_("This time is no longer kept for you."))
    keys = [entry.pk, offer.hold_id, *([visit.pk] if visit else [])]
    found = _lock(keys)
    entry, hold = found[entry.pk], found[offer.hold_id]
    if not entry.is_waiting:
        raise IllegalTransition(entry.status, "booked")
    expires = hold.hold_expires_at
    if hold.status != Appointment.Status.PENDING or expires is None or expires <= now:
        raise HoldExpired(_("This time is no longer kept for you. You stay on the waiting list."))
    if visit is not None:
        visit = found[visit.pk]
        if visit.status != Appointment.Status.BOOKED:
            raise RuleBroken(_("Your visit was changed in the meantime. Reload the page to see it."))
    return entry, hold, visit


def _lock(keys: Sequence[int]) -> dict[int, Appointment]:
    """The rows, by primary key, locked in the order of their keys."""
    rows = Appointment.objects.filter(pk__in=keys).select_related("service", "patient", "site")
    return {row.pk: row for row in rows.select_for_update(no_key=True, of=("self",)).order_by("pk")}
