"""Book, move, cancel, and the steps of a visit's day."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from clinic.models import Appointment, HealthcareService, Patient, Slot
from clinic.models.base import new_fhir_id
from clinic.models.statements import insert_without_conflicts
from scheduling import access, availability, notifications
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking.appointments import (
    CORRECTIONS,
    FREES_TIME,
    audit,
    can_be_undone,
    end_visit,
    fulfil_requirements,
    locked,
    may_become,
    not_expired,
    not_too_early,
    save,
    step,
    within_notice,
)
from scheduling.booking.once import Once, use_case
from scheduling.booking.patients import activate, follow_merge, for_survivor, lock_patient
from scheduling.booking.request import BookingRequest, Json, asked, participants_of
from scheduling.booking.slots import (
    BUSY,
    TENTATIVE,
    bookables_of,
    let_go,
    own_bookables,
    patient_is_free,
    share_bookables,
    slots_of,
    take,
)
from scheduling.errors import Forbidden, IllegalTransition, Invalid, Issue, RuleBroken, TimeNotOffered, TimeTaken
from scheduling.versions import Versions


@use_case
def book(request: BookingRequest, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """Take the time on every schedule and write the appointment as `booked`.

    What is given on request is asked for by everyone but those who run the calendars: it is `pending`, its time is
    kept, and its people answer with `respond`. Raises TimeTaken when somebody has it, TimeNotOffered with every reason
    when it is not one of the service's times, RuleBroken when the patient is elsewhere or when what the service
    requires is missing, Forbidden.
    """
    _may_override(caller, request.override, request.offerings)
    request = for_survivor(request)
    if request.activate and request.patient is not None and manages(caller, request.offerings):
        activate(request.patient, now=now)
    lock_patient(request.patient)
    asks = request.service.on_request and not manages(caller, request.offerings)
    status = Appointment.Status.PENDING if asks else Appointment.Status.BOOKED
    appointment = place(request, status, caller=caller, now=now)
    fulfil_requirements(appointment, now=now, override=request.override, just_made=True)
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
    """The one way a new visit comes to be: held, booked, or asked for, which is `pending` and does not expire.

    Only inside a use case; needs `lock_patient`. `replacing` is a locked hold that is let go for it, and comes back if
    the new time cannot be had.
    """
    _may_take(caller, request.service, request.asked_for or request.patient, request.offerings)
    availability.complete(request.service, request.offerings)
    availability.together(request.offerings)
    patient_is_free(request.patient, request.start, request.end, now=now, besides=replacing)
    bookables = [offering.bookable for offering in request.offerings]
    if replacing is not None:
        own_bookables(bookables + bookables_of(replacing))
    elif any(offering.rules.capacity > 1 for offering in request.offerings):
        own_bookables(bookables)
    else:
        share_bookables(bookables)
    _offered(request.service, request.offerings, request.start, now=now, without=replacing, override=request.override)
    seats = availability.seats(request.service, request.offerings, request.start, now=now, without=replacing)
    if replacing is not None:
        end_visit(replacing, Appointment.Status.CANCELLED, reason=None, caller=caller, now=now)
    appointment = _new_appointment(request, status, caller, now, expires)
    slot_status = TENTATIVE if status == Appointment.Status.PENDING else BUSY
    take(appointment, slots_of(request.offerings, request.start, slot_status, seats, now=now))
    done = "request" if appointment.is_request else "hold" if expires else "book"
    audit(done, appointment, caller=caller, now=now, reason=request.override)
    return appointment


@use_case
def reschedule(
    appointment_id: str,
    *,
    offerings: tuple[Offering, ...],
    start: datetime,
    caller: Caller,
    now: datetime,
    version: Versions | None = None,
    override: str = "",
    notes: Json | None = None,
    tell: bool = True,
    once: Once | None = None,
) -> Appointment:
    """Move to `start` on `offerings`, all or nothing: if the new time cannot be had, the old stands untouched.

    The appointment keeps its id, its status and its patient; actors of schedules that it leaves are exchanged for
    those it comes to. `notes` are written too: see `annotate`. `override` is the reason why who runs the calendars does
    what their rules do not allow.
    """
    appointment = locked(appointment_id, caller, version)
    if appointment.status not in (Appointment.Status.BOOKED, Appointment.Status.PENDING):
        raise IllegalTransition(appointment.status, "rescheduled")
    held = appointment.status == Appointment.Status.PENDING
    _stays_as_agreed(appointment, offerings, caller)
    if held:
        not_expired(appointment, now)
    else:
        within_notice(appointment, caller, now, "moved")
    if appointment.service is None:
        raise Invalid("Appointment has no service reference", expression="Appointment.serviceType")
    _may_take(caller, appointment.service, appointment.patient, offerings, moved=appointment)
    _may_override(caller, override, offerings)
    availability.complete(appointment.service, offerings)
    availability.together(offerings)
    end = start + timedelta(seconds=offerings[0].rules.duration)
    follow_merge(appointment)
    lock_patient(appointment.patient)
    patient_is_free(appointment.patient, start, end, now=now, besides=appointment)
    old = list(Slot.objects.filter(appointment=appointment, deleted_at=None).select_related("schedule"))
    own_bookables([each.bookable_id for each in old] + [each.bookable for each in offerings])
    _offered(appointment.service, offerings, start, now=now, without=appointment, override=override)
    seats = availability.seats(appointment.service, offerings, start, now=now, without=appointment)
    before = {} if held else notifications.stand_of(appointment)
    let_go([appointment.pk], now=now)
    participants = _exchanged(appointment, old, offerings)
    appointment.participant = asked(participants) if appointment.is_request else participants
    appointment.start, appointment.end, appointment.site_id = start, end, _site(offerings)
    appointment.sequence += not held
    appointment.attendance_confirmed = None
    _note(appointment, notes or {})
    save(appointment, now)
    take(appointment, slots_of(offerings, start, TENTATIVE if held else BUSY, seats, now=now))
    audit("reschedule", appointment, caller=caller, now=now, reason=override)
    if not held:
        undoable = can_be_undone(appointment, caller)
        notifications.moved(appointment, before=before, now=now, tell=tell, undoable=undoable)
    return appointment


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
    """Write what a visit says besides its time and who takes part, such as `comment` and `reasonCode`.

    `notes` are elements of FHIR's Appointment by name. Raises IllegalTransition where the visit is over or cancelled.
    """
    appointment = locked(appointment_id, caller, version)
    if appointment.status not in (Appointment.Status.BOOKED, Appointment.Status.PENDING):
        raise IllegalTransition(appointment.status, "amended")
    _note(appointment, notes)
    save(appointment, now)
    audit("amend", appointment, caller=caller, now=now)
    return appointment


@use_case
def cancel(
    appointment_id: str,
    *,
    caller: Caller,
    now: datetime,
    reason: Json | None = None,
    version: Versions | None = None,
    tell: bool = True,
    once: Once | None = None,
) -> Appointment:
    """Let go of the time; what is `booked` or `pending` becomes `cancelled`, with the reason if there is one.

    A patient cannot cancel later than the service's cancellation notice. Cancelling is allowed on inactive schedules.
    """
    appointment = locked(appointment_id, caller, version)
    may_become(appointment, Appointment.Status.CANCELLED)
    if appointment.status == Appointment.Status.BOOKED:
        within_notice(appointment, caller, now, "cancelled")
    return end_visit(appointment, Appointment.Status.CANCELLED, reason=reason, caller=caller, now=now, tell=tell)


@use_case
def confirm_attendance(appointment_id: str, *, caller: Caller, now: datetime, once: Once | None = None) -> Appointment:
    """The patient says that they will come. Asked again, nothing changes."""
    appointment = locked(appointment_id, caller)
    if appointment.status != Appointment.Status.BOOKED:
        raise IllegalTransition(appointment.status, "confirmed")
    if appointment.attendance_confirmed is None:
        appointment.attendance_confirmed = now
        save(appointment, now)
        audit("attend", appointment, caller=caller, now=now)
    return appointment


@use_case
def change_status(
    appointment_id: str,
    status: str,
    *,
    caller: Caller,
    now: datetime,
    reason: Json | None = None,
    version: Versions | None = None,
    once: Once | None = None,
) -> Appointment:
    """Take a visit one step on: arrived, checked-in, fulfilled, noshow, entered-in-error. Staff and software only.

    Raises IllegalTransition, which names both states.
    """
    appointment = locked(appointment_id, caller, version)
    if not access.is_exempt_from_cutoffs(caller, appointment):
        raise RuleBroken(_("Only clinic staff can record the steps of a visit."))
    may_become(appointment, status)
    if status in FREES_TIME:
        return end_visit(appointment, status, reason=reason, caller=caller, now=now)
    if status in (Appointment.Status.PENDING, Appointment.Status.BOOKED):
        raise IllegalTransition(appointment.status, f"{status} without taking its time")
    not_too_early(appointment, status, caller=caller, now=now)
    appointment.status = status
    appointment.cancelation_reason = reason if status == Appointment.Status.NOSHOW else None
    return step(appointment, caller=caller, now=now)


@use_case
def correct_status(
    appointment_id: str, status: str, *, caller: Caller, now: datetime, once: Once | None = None
) -> Appointment:
    """Take back a step that was recorded by a slip, such as the arrival of the wrong patient. Staff only.

    Raises IllegalTransition where no step leads from `status` to where the visit is.
    """
    appointment = locked(appointment_id, caller)
    if caller.is_system or not access.is_exempt_from_cutoffs(caller, appointment):
        raise RuleBroken(_("Only clinic staff can record the steps of a visit."))
    if status not in CORRECTIONS.get(appointment.status, ()):
        raise IllegalTransition(appointment.status, status)
    appointment.status = status
    appointment.cancelation_reason = None
    return step(appointment, caller=caller, now=now, as_="correct")


def manages(caller: Caller, offerings: tuple[Offering, ...]) -> bool:
    """True if these are calendars that the caller works by."""
    bookables = [offering.bookable for offering in offerings]
    return access.manages(caller, bookables=bookables, sites=[offering.site for offering in offerings])


def _may_take(
    caller: Caller,
    service: HealthcareService,
    patient: Patient | None,
    offerings: tuple[Offering, ...],
    moved: Appointment | None = None,
) -> None:
    access.may_book(
        caller,
        service,
        [patient] if patient else [],
        bookables=[offering.bookable for offering in offerings],
        sites=[offering.site for offering in offerings],
        moved=moved,
    )


def _may_override(caller: Caller, override: str, offerings: tuple[Offering, ...]) -> None:
    """Only who runs the calendars; software is bound by the rules."""
    bookables = [offering.bookable for offering in offerings]
    sites = [offering.site for offering in offerings]
    if override and not access.may_override(caller, bookables=bookables, sites=sites):
        raise Forbidden(_("Only the people who run this calendar can override its rules."))


def _stays_as_agreed(appointment: Appointment, offerings: tuple[Offering, ...], caller: Caller) -> None:
    """Refuse to move what the clinic has agreed to for its time; a request that waits can be moved."""
    is_on_request = appointment.service is not None and appointment.service.on_request
    if is_on_request and appointment.status == Appointment.Status.BOOKED and not manages(caller, offerings):
        text = _("The clinic has agreed to this time. To change it, cancel this visit and request a new one.")
        raise RuleBroken(text)


def _offered(
    service: HealthcareService,
    offerings: tuple[Offering, ...],
    start: datetime,
    *,
    now: datetime,
    without: Appointment | None = None,
    override: str = "",
) -> None:
    """Raise TimeTaken, or TimeNotOffered with every reason. With `override`, only what is taken stands in the way."""
    if availability.is_offered(service, offerings, start, now=now, without=without):
        return
    reasons = availability.explain(service, offerings, start, now=now, without=without)
    named = [(each, reason) for each, why in reasons.items() for reason in why]
    if named and all(reason == availability.Reason.BLOCKED for _, reason in named):
        raise TimeTaken(str(availability.REASONS[availability.Reason.BLOCKED]))
    if not named or all(reason in availability.IN_THE_WAY for _, reason in named):
        # Nobody's reason any more: the time came free between the two looks, and may be asked for again.
        raise TimeTaken
    if override and all(reason not in availability.IN_THE_WAY for _, reason in named):
        return
    raise TimeNotOffered(
        issues=[
            Issue(
                "conflict" if reason in availability.IN_THE_WAY else "business-rule",
                _("That time is not offered by %(name)s.") % {"name": offering.actor_name or offering.reference}
                + f" {availability.REASONS[reason]}",
                offering.reference,
            )
            for offering, reason in named
        ]
    )


def _new_appointment(
    request: BookingRequest,
    status: Appointment.Status,
    caller: Caller,
    now: datetime,
    expires: datetime | None,
) -> Appointment:
    tentative = "tentative" if status == Appointment.Status.PENDING else "accepted"
    participants = list(request.participants) or participants_of(request.offerings, request.patient, tentative)
    is_asked_for = status == Appointment.Status.PENDING and expires is None
    requested = request.requested or (request.start, request.end)
    appointment = Appointment(
        status=status,
        service=request.service,
        patient=request.patient,
        site_id=_site(request.offerings),
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
        participant=asked(participants) if is_asked_for else participants,
        identifier=list(request.identifiers),
        extra=request.extra,
        fhir_id=request.fhir_id or new_fhir_id(),
    )
    if not insert_without_conflicts([appointment]):  # somebody has the id that was promised, and so the time
        raise TimeTaken
    return appointment


def _note(appointment: Appointment, notes: Json) -> None:
    others = {name: value for name, value in notes.items() if name != "comment"}
    appointment.comment = notes.get("comment", appointment.comment)
    appointment.extra = {name: value for name, value in {**appointment.extra, **others}.items() if value != []}


def _exchanged(appointment: Appointment, old: list[Slot], offerings: tuple[Offering, ...]) -> list[Json]:
    """The participants once the actors of the old schedules are replaced by those of the new.

    Where a practitioner takes part as a person, not in a role, so does the next; where the site does, the next site.
    """
    leaving = {slot.schedule.actor.reference for slot in old} | {slot.bookable.actor.reference for slot in old}
    named = {_actor(each) for each in appointment.participant}
    in_person = not any(str(each).startswith("PractitionerRole/") for each in named)
    if in_person:
        offerings = tuple(each._replace(actor=each.person) for each in offerings)
    coming = participants_of(offerings, None, "accepted")
    if appointment.site is not None and appointment.site.reference in named - leaving:
        leaving.add(appointment.site.reference)
        coming += _sites(offerings)
    names = {each["actor"]["reference"] for each in coming}
    kept = [each for each in appointment.participant if _actor(each) not in leaving or _actor(each) in names]
    present = {_actor(each) for each in kept}
    return [each for each in coming if each["actor"]["reference"] not in present] + kept


def _sites(offerings: tuple[Offering, ...]) -> list[Json]:
    sites = {each.site_reference: each.site_name for each in offerings if each.site_reference}
    return [
        {"actor": {"reference": reference, "display": name}, "required": "required", "status": "accepted"}
        for reference, name in sites.items()
    ]


def _actor(participant: Json) -> Any:
    return participant.get("actor", {}).get("reference")


def _site(offerings: tuple[Offering, ...]) -> int | None:
    return next((offering.site for offering in offerings if offering.site is not None), None)
