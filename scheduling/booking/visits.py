"""Use cases of visits: book, reschedule, annotate."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.utils.translation import gettext as _

from clinic.fhir.codes import COMBINED_VISITS
from clinic.models import Appointment, HealthcareService, Patient, Rebooking, ServiceRequest
from clinic.models.base import new_fhir_id
from scheduling import access, availability, notifications
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking import referrals
from scheduling.booking.cancellation import can_be_undone, end_suggestions, end_visit, lock_suggestions, require_all_own
from scheduling.booking.extra_seats import extra_seats, require_may_overbook, taken_offerings
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.judging import judged
from scheduling.booking.moves import become, move, own_slots, seats_for, site_of
from scheduling.booking.patients import activate, are_family, follow_merge, lock_patients, with_survivors
from scheduling.booking.request import (
    BookingRequest,
    Json,
    RescheduleRequest,
    participants_of,
    with_series,
)
from scheduling.booking.slots import (
    BUSY,
    TENTATIVE,
    beside,
    bookables_of,
    create,
    judged_as_free,
    lock_counted,
    own_bookables,
    patients_are_free,
    patients_are_within_limits,
    share_bookables,
    slots_of,
    stored_slots,
)
from scheduling.booking.transitions import (
    audit,
    audit_lines,
    fulfil_requirements,
    locked,
    require_no_suggestion,
    require_not_expired,
    require_notice,
    save,
)
from scheduling.errors import (
    Forbidden,
    IllegalTransition,
    Invalid,
    Issue,
    PaymentRequired,
    RuleBroken,
    TimeNotOffered,
    TimeTaken,
)
from scheduling.notifications import links
from scheduling.participants import awaiting_answers, patients_of
from scheduling.plugins import BookingStep
from scheduling.versions import Versions


@judged(BookingStep.BOOK)
@use_case
def book(request: BookingRequest, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Take the time on every schedule and save the appointment as `booked`.

    For a service on request the appointment becomes a request, unless the caller runs the calendars: it is `pending`,
    its time is kept, and its practitioners answer with `respond`. Raises TimeTaken; TimeNotOffered with every reason;
    RuleBroken if the patient has another visit then or lacks something that the service requires; Forbidden.
    """
    return book_within(request, caller=caller, now=now)


def book_within(request: BookingRequest, *, caller: Caller, now: datetime) -> Appointment:
    """Book a visit in the transaction of another use case: see `book`."""
    require_may_override(caller, request.override, request.offerings)
    request = with_survivors(request.with_registered_patient())
    if request.activate and request.patient is not None and manages(caller, request.offerings):
        activate(request.patient, now=now)
    lock_patients(request.patients)
    require_payment(caller, request.service, request.offerings)
    asks = request.asks or (request.service.on_request and not manages(caller, request.offerings))
    status = Appointment.Status.PENDING if asks else Appointment.Status.BOOKED
    appointment = place(request, status, caller=caller, now=now)
    fulfil_requirements(appointment, now=now, override=request.override, just_made=True)
    referrals.follow(appointment, now=now)
    tell = notifications.requested if asks else notifications.booked
    tell(appointment, now=now, tell=request.tell)
    return appointment


def place(
    request: BookingRequest,
    status: Appointment.Status,
    *,
    caller: Caller,
    now: datetime,
    expires: datetime | None = None,
    replacing: Appointment | None = None,
) -> Appointment:
    """Create a new visit: a hold, a booking, or a request, which is `pending` and does not expire.

    Call it only inside a use case and after `lock_patients`. `replacing` is a locked hold that is released for the
    visit, and kept if the new time is not free.
    """
    patients = [request.requested_patient or request.patient, *request.others]
    replaced = replacing or request.instead_of or request.suggested_for
    ticket = referrals.lock_ticket(request.extra, request.service, request.patients, now=now, besides=replaced)
    require_may_book(caller, request.service, patients, request.offerings, referral=ticket)
    require_may_overbook(caller, request.overbook, request.offerings)
    availability.require_complete(request.service, request.offerings)
    availability.require_combinable(request.offerings)
    require_places(request, now)
    patients_are_free(request.patients, request.start, request.end, now=now, besides=replaced)
    bookables = [offering.bookable for offering in request.offerings]
    if replaced is not None:
        own_bookables(bookables + bookables_of(replaced))
    elif request.slots or request.overbook or shares_or_counts(request.offerings):
        own_bookables(bookables)
    else:
        share_bookables(bookables)
    lock_counted(request.service)
    if not request.override:
        patients_are_within_limits(request.service, request.patients, request.start, now=now, besides=replaced)
    schedules = [offering.schedule for offering in request.offerings]
    busy_too = bool(request.slots) and access.may_take_over(caller, request.slots)
    stored = stored_slots(request.slots, schedules, request.start, request.end, now=now, busy_too=busy_too)
    with judged_as_free(stored):
        seats = _seats(request, replaced, now)
    warnings = request.judgement.warnings_unless_refused(request.override)
    if replacing is not None:
        end_visit(replacing, Appointment.Status.CANCELLED, caller=caller, now=now)
    appointment = new_appointment(request, status, caller, now, expires)
    appointment.referral = ticket
    appointment.warnings = warnings
    appointment.cards = request.judgement.cards
    slot_status = TENTATIVE if status == Appointment.Status.PENDING else BUSY
    reason = request.override or request.overbook
    done = "request" if appointment.is_request else "hold" if expires else "book"
    slots = slots_of(request.offerings, request.start, slot_status, seats, now=now, stored=stored)
    create(
        appointment,
        slots if request.suggested_for is None or replaced is None else beside(slots, replaced),
        audit_lines(done, appointment, request.patients, caller=caller, now=now, reason=reason),
        stored=stored,
        status=slot_status,
    )
    return appointment


def _seats(request: BookingRequest, replaced: Appointment | None, now: datetime) -> dict[int, list[int | None]]:
    """Return the seats that the visit takes on each schedule: extra ones where it is one more at a time that is taken.

    Raises TimeTaken, TimeNotOffered, RuleBroken.
    """
    taken = taken_offerings(request, now=now) if request.overbook else None
    if not taken:
        with against_the_rules(request.override):
            require_offered(
                request.service,
                request.offerings,
                request.start,
                now=now,
                without=replaced,
                patients=request.patients,
            )
        places = len(request.patients)
        return seats_for(request.service, request.offerings, request.start, places, now=now, without=replaced)
    others = [each for each in request.offerings if each not in taken]
    seats = seats_for(request.service, others, request.start, 1, now=now, without=replaced) if others else {}
    return seats | extra_seats(request, taken, now=now)


@judged(BookingStep.RESCHEDULE)
@use_case
def reschedule(
    appointment_id: str,
    request: RescheduleRequest,
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> Appointment:
    """Move the visit, all or nothing: if the new time is not free, nothing changes.

    The appointment keeps its id, status and patient. Actors of schedules that it leaves are replaced by those of the
    new schedules. A visit that becomes one of another service comes under the rules of both: the cut-off of the old,
    everything else of the new.
    """
    offerings, start = request.offerings, request.start
    appointment = locked(appointment_id, caller, request.version)
    service = require_may_move(appointment, request, caller=caller, now=now)
    held = appointment.status == Appointment.Status.PENDING
    is_other_service = service.pk != appointment.service_id
    end = request.end
    follow_merge(appointment)
    patients = patients_of(appointment)
    lock_patients(patients)
    old, suggestions = own_slots(appointment), lock_suggestions(appointment)
    suggested = [bookable for suggestion in suggestions for bookable in bookables_of(suggestion)]
    own_bookables([each.bookable_id for each in old] + [each.bookable for each in offerings] + suggested)
    end_suggestions(appointment, suggestions, caller=caller, now=now, outcome=Rebooking.State.MOVED)
    patients_are_free(patients, start, end, now=now, besides=appointment)
    lock_counted(service)
    if not request.override:
        patients_are_within_limits(service, patients, start, now=now, besides=appointment)
    with against_the_rules(request.override):
        require_offered(service, offerings, start, now=now, without=appointment)
    appointment.warnings = request.judgement.warnings_unless_refused(request.override)
    appointment.cards = request.judgement.cards
    before = {} if held else notifications.snapshot_of(appointment)
    undoable = not held and can_be_undone(appointment, caller)
    appointment.sequence += not held
    appointment.attendance_confirmed = None
    write_notes(appointment, request.notes)
    if is_other_service:
        become(appointment, service)
    move(appointment, old, request, now=now, undoable=undoable)
    if is_other_service and not held:
        fulfil_requirements(appointment, now=now, override=request.override)
    audit("reschedule", appointment, caller=caller, now=now, reason=request.override)
    if not held:
        notifications.moved(appointment, before=before, now=now, tell=request.tell, undoable=undoable)
    return appointment


def require_may_move(
    appointment: Appointment, request: RescheduleRequest, *, caller: Caller, now: datetime
) -> HealthcareService:
    """Raise a refusal unless the caller may move a locked visit as requested. Returns the service that it has then.

    It does not say if the time is offered, nor if the patient is free then.
    """
    if appointment.status not in (Appointment.Status.BOOKED, Appointment.Status.PENDING):
        raise IllegalTransition(appointment.status, "rescheduled")
    held = appointment.status == Appointment.Status.PENDING
    _require_movable(appointment, request.offerings, caller)
    if held:
        require_not_expired(appointment, now)
        require_no_suggestion(appointment)
    else:
        require_notice(appointment, caller, now, "moved")
    service = request.service or appointment.service
    if service is None:
        raise Invalid("Appointment has no service reference", expression="Appointment.serviceType")
    is_other_service = service.pk != appointment.service_id
    if is_other_service and not held and service.on_request and not manages(caller, request.offerings):
        raise RuleBroken(_("The clinic has to agree to this kind of visit. Request it, and cancel this visit."))
    if is_other_service and not held and not appointment.has_payment:
        require_payment(caller, service, request.offerings)
    require_all_own(appointment, caller)
    require_may_book(caller, service, patients_of(appointment), request.offerings, moved=appointment)
    require_may_override(caller, request.override, request.offerings)
    availability.require_complete(service, request.offerings)
    availability.require_combinable(request.offerings)
    return service


@use_case
def annotate(
    appointment_id: str,
    notes: Json,
    *,
    caller: Caller,
    now: datetime,
    version: Versions | None = None,
    once: Once | None = None,
) -> Appointment:
    """Save elements of a visit other than its time and participants, such as `comment` and `reasonCode`.

    `notes` are elements of FHIR's Appointment by name. Raises IllegalTransition if the visit is over or cancelled.
    """
    appointment = locked(appointment_id, caller, version)
    if appointment.status not in (Appointment.Status.BOOKED, Appointment.Status.PENDING):
        raise IllegalTransition(appointment.status, "amended")
    write_notes(appointment, notes)
    save(appointment, now)
    audit("amend", appointment, caller=caller, now=now)
    return appointment


def manages(caller: Caller, offerings: tuple[Offering, ...]) -> bool:
    """True if the caller works with all these calendars."""
    bookables = [offering.bookable for offering in offerings]
    return access.manages(caller, bookables=bookables, sites=[offering.site for offering in offerings])


def shares_or_counts(offerings: tuple[Offering, ...]) -> bool:
    """True if visits of one of these schedules share its time, or are counted."""
    return any(each.rules.capacity > 1 for each in offerings) or availability.are_limited(offerings)


def require_may_book(
    caller: Caller,
    service: HealthcareService,
    patients: Iterable[Patient | None],
    offerings: tuple[Offering, ...],
    moved: Appointment | None = None,
    referral: ServiceRequest | None = None,
) -> None:
    access.may_book(
        caller,
        service,
        [patient for patient in patients if patient is not None],
        bookables=[offering.bookable for offering in offerings],
        sites=[offering.site for offering in offerings],
        moved=moved,
        referral=referral,
    )


def require_payment(caller: Caller, service: HealthcareService, offerings: tuple[Offering, ...]) -> None:
    """Raise PaymentRequired if the caller, who does not run the calendars, has to pay before the visit is booked."""
    if service.prepayment and not caller.is_system and not manages(caller, offerings):
        raise PaymentRequired(links.booking_link(service))


def require_may_override(caller: Caller, override: str, offerings: tuple[Offering, ...]) -> None:
    """Raise Forbidden unless the caller runs the calendars. Software cannot override rules."""
    bookables = [offering.bookable for offering in offerings]
    sites = [offering.site for offering in offerings]
    if override and not access.may_override(caller, bookables=bookables, sites=sites):
        raise Forbidden(_("Only the people who run this calendar can override its rules."))


def require_places(request: BookingRequest, now: datetime) -> None:
    """Raise RuleBroken for several patients of a service whose visits are for one, unless they are one family."""
    is_shared = any(offering.rules.capacity > 1 for offering in request.offerings)
    if not request.others or is_shared or are_family(request.patients, now):
        return
    text = _("A visit of this kind is for one patient, or for several of one family.")
    raise RuleBroken(text, expression="Appointment.participant")


def _require_movable(appointment: Appointment, offerings: tuple[Offering, ...], caller: Caller) -> None:
    """Raise RuleBroken for a visit on request that the clinic has accepted at its time; a waiting request can be
    moved.
    """
    is_on_request = appointment.service is not None and appointment.service.on_request
    if is_on_request and appointment.status == Appointment.Status.BOOKED and not manages(caller, offerings):
        text = _("The clinic has agreed to this time. To change it, cancel this visit and request a new one.")
        raise RuleBroken(text)


def require_offered(
    service: HealthcareService,
    offerings: tuple[Offering, ...],
    start: datetime,
    *,
    now: datetime,
    without: Appointment | None = None,
    patients: Sequence[Patient] | None = None,
) -> None:
    """Raise TimeTaken, or TimeNotOffered with every reason. The patients are by default those of `without`."""
    if availability.is_offered(service, offerings, start, now=now, without=without, patients=patients):
        return
    reasons = availability.explain(service, offerings, start, now=now, without=without, patients=patients)
    named = [(each, reason) for each, why in reasons.items() for reason in why]
    if named and all(reason == availability.Reason.BLOCKED for _, reason in named):
        raise TimeTaken(str(availability.REASONS[availability.Reason.BLOCKED]))
    if not named or all(reason in availability.TIME_CONFLICTS for _, reason in named):
        # Without a reason left, the time became free between the two queries: the caller may try again.
        raise TimeTaken
    raise TimeNotOffered(
        issues=[
            Issue(
                TimeTaken.code if reason in availability.TIME_CONFLICTS else TimeNotOffered.code,
                _("That time is not offered by %(name)s.") % {"name": offering.actor_name or offering.reference}
                + f" {availability.REASONS[reason]}",
                offering.reference,
            )
            for offering, reason in named
        ]
    )


@contextmanager
def against_the_rules(override: str) -> Iterator[None]:
    """Let a time pass that is not offered, if there is a reason to override the rules. Taken time is still refused."""
    try:
        yield
    except TimeNotOffered as refusal:
        if not override or any(issue.code == TimeTaken.code for issue in refusal.issues):
            raise


def new_appointment(
    request: BookingRequest,
    status: Appointment.Status,
    caller: Caller,
    now: datetime,
    expires: datetime | None,
) -> Appointment:
    tentative = "tentative" if status == Appointment.Status.PENDING else "accepted"
    participants = list(request.participants) or participants_of(request.offerings, request.patients, tentative)
    is_request = status == Appointment.Status.PENDING and expires is None
    requested = request.requested or (request.start, request.end)
    return Appointment(
        status=status,
        service=request.service,
        patient=request.patient,
        site_id=site_of(request.offerings),
        start=request.start,
        end=request.end,
        hold_expires_at=expires,
        held_by=caller.user,
        held_by_guest="" if caller.user else caller.guest_digest,
        created=now,
        last_updated=now,
        requested_start=requested[0],
        requested_end=requested[1],
        comment=request.comment,
        participant=awaiting_answers(participants) if is_request else participants,
        identifier=_identifiers(request),
        series=request.combined,
        extra=request.extra,
        suggested_for=request.suggested_for,
        fhir_id=request.fhir_id or new_fhir_id(),
    )


def _identifiers(request: BookingRequest) -> list[Json]:
    if request.combined is None:
        return list(request.identifiers)
    return with_series(request.identifiers, request.combined, COMBINED_VISITS)


def write_notes(appointment: Appointment, notes: Json) -> None:
    others = {name: value for name, value in notes.items() if name != "comment"}
    extra = {name: value for name, value in {**appointment.extra, **others}.items() if value != []}
    referrals.require_same_ticket(appointment, extra)
    appointment.comment = notes.get("comment", appointment.comment)
    appointment.extra = extra
