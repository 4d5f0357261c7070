"""Use cases of series: visits at one local time that are booked, held, confirmed and cancelled together.

Each visit of a series is an Appointment like any other: it can be moved, cancelled and changed alone.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import wraps
from itertools import chain, pairwise
from typing import Any, TypeAlias
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.fhir.codes import RECURRENCE_TEMPLATE
from clinic.models import Appointment, Slot
from clinic.models.statements import insert
from scheduling import availability, notifications, requirements
from scheduling.access import Caller
from scheduling.booking import referrals
from scheduling.booking.cancellation import can_be_undone, end_visit
from scheduling.booking.confirmation import AS_IT_IS, confirm_locked
from scheduling.booking.former_holds import FormerHold
from scheduling.booking.holds import raise_if_expired, require_few_holds
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.judging import is_judged, with_judgement
from scheduling.booking.patients import PARTICIPANT, activate, lock_patients, survivor_of, with_survivors
from scheduling.booking.request import (
    WITHOUT_REASON,
    ConfirmRequest,
    SeriesRequest,
    StatusRequest,
    as_changed,
    with_series,
)
from scheduling.booking.series_members import Occurrences, locked_members, members_of, numbered, numbering
from scheduling.booking.slots import (
    BUSY,
    TENTATIVE,
    create_together,
    engagements_of,
    lock_counted,
    lock_holder,
    own_bookables,
    share_bookables,
    slots_of,
)
from scheduling.booking.transitions import TRANSITIONS, audit_lines, require_notice
from scheduling.booking.visits import (
    against_the_rules,
    manages,
    new_appointment,
    require_may_book,
    require_may_override,
    require_offered,
    require_payment,
    shares_or_counts,
)
from scheduling.errors import (
    IllegalTransition,
    Invalid,
    PatientElsewhere,
    RuleBroken,
    TimeNotOffered,
    TimeTaken,
)
from scheduling.plugins import BookingStep
from scheduling.visit_zone import zone_of_place

Status = Appointment.Status


SeriesUseCase: TypeAlias = Callable[..., tuple[Appointment, ...]]


def _judged(step: BookingStep) -> Callable[[SeriesUseCase], SeriesUseCase]:
    """Decorator for a use case that takes time: it asks the plug-ins about each visit before the transaction, and
    decision services, which are slower, about the first.
    """

    def decorate(act: SeriesUseCase) -> SeriesUseCase:
        @wraps(act)
        def run(request: SeriesRequest, *, caller: Caller, now: datetime, **named: Any) -> tuple[Appointment, ...]:
            if is_judged(step):
                visits = [replace(request.first, start=start) for start in request.starts]
                judged = [
                    with_judgement(step, visit, caller=caller, now=now, by_services=number == 0).judgement
                    for number, visit in enumerate(visits)
                ]
                request = replace(request, judgements=tuple(judged))
            return act(request, caller=caller, now=now, **named)

        return run

    return decorate


@_judged(BookingStep.BOOK)
@use_case
def book_series(
    request: SeriesRequest, *, caller: Caller, now: datetime, once: Once | None = None
) -> tuple[Appointment, ...]:
    """Book all visits of a series, or none: see `book`. A refusal names the visit that it is about."""
    request = _with_patient(request)
    first = request.first
    require_may_override(caller, first.override, first.offerings)
    require_payment(caller, first.service, first.offerings)
    is_managed = manages(caller, first.offerings)
    if first.activate and first.patient is not None and is_managed:
        activate(first.patient, now=now)
    lock_patients(first.patients)
    asks = first.asks or (first.service.on_request and not is_managed)
    visits = _place(request, Status.PENDING if asks else Status.BOOKED, caller=caller, now=now)
    _fulfil_requirements(request, visits, now)
    tell = notifications.series_requested if asks else notifications.series_booked
    tell(visits, now=now, tell=first.tell)
    return visits


@_judged(BookingStep.HOLD)
@use_case
def hold_series(
    request: SeriesRequest,
    *,
    caller: Caller,
    now: datetime,
    instead_of: str | None = None,
    once: Once | None = None,
) -> tuple[Appointment, ...]:
    """Hold the time of all visits of a series until one instant: see `hold`. A series counts as one hold."""
    request = _with_patient(request)
    former = FormerHold.lock(instead_of, caller)
    is_bound = not (caller.is_system or manages(caller, request.first.offerings))
    if is_bound:
        lock_holder(caller)
    lock_patients(request.first.patients)
    if is_bound:
        require_few_holds(caller, request.first.patient, now, besides=former.held)
    former.end(request.first.offerings, caller=caller, now=now)
    visits = _place(request, Status.PENDING, caller=caller, now=now, expires=now + settings.HOLD_FOR)
    former.hand_over(visits[0], now=now)
    return visits


def confirm_series(
    appointment_id: str,
    occurrences: Occurrences,
    request: ConfirmRequest = AS_IT_IS,
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> tuple[Appointment, ...]:
    """Confirm the holds of a series, all or nothing: see `confirm`. Visits that are not held stay as they are."""
    requests: defaultdict[str, ConfirmRequest] = defaultdict(lambda: request)
    if is_judged(BookingStep.CONFIRM):
        _, members = members_of(appointment_id, occurrences, caller)
        for number, fhir_id in enumerate(members):
            requests[fhir_id] = with_judgement(
                BookingStep.CONFIRM,
                request,
                caller=caller,
                now=now,
                appointment_id=fhir_id,
                by_services=number == 0,
            )
    return _confirm_members(appointment_id, occurrences, requests, caller=caller, now=now, once=once)


@use_case
def _confirm_members(
    appointment_id: str,
    occurrences: Occurrences,
    requests: Mapping[str, ConfirmRequest],
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> tuple[Appointment, ...]:
    """Confirm the holds of a series, each by its own request."""
    named, members = locked_members(appointment_id, occurrences, caller, requests[appointment_id].version)
    held = [visit for visit in members if visit.status in (Status.PENDING, Status.PROPOSED)]
    if not held:
        raise_if_expired(named)
        raise IllegalTransition(named.status, "booked")
    zone = zone_of_place(named)
    survivors = (survivor_of(visit.patient) for visit in held if visit.patient is not None)
    lock_patients({patient.pk: patient for patient in survivors}.values())
    slots = Slot.objects.filter(appointment__in=held, deleted_at=None)
    own_bookables(slots.order_by().values_list("bookable_id", flat=True))
    visits = []
    for visit in held:
        with numbered(visit, zone):
            one = replace(requests[visit.fhir_id], tell=False)
            visits.append(confirm_locked(visit, one, caller=caller, now=now))
    notifications.combined_agreed(visits, now=now)
    return tuple(visits)


@use_case
def cancel_series(
    appointment_id: str,
    occurrences: Occurrences,
    request: StatusRequest = WITHOUT_REASON,
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> tuple[Appointment, ...]:
    """Cancel the visits of a series, all or nothing: see `cancel`. Visits that have begun or ended stay as they are,
    and those whose ids are not among `request.only`.
    """
    named, members = locked_members(appointment_id, occurrences, caller, request.version)
    ending = [visit for visit in members if _can_be_cancelled(visit) and (visit == named or _is_to_come(visit, now))]
    ending = [visit for visit in ending if request.only is None or visit.fhir_id in request.only]
    if not ending:
        raise IllegalTransition(named.status, "cancelled")
    zone = zone_of_place(named)
    agreed = [visit for visit in ending if visit.status == Status.BOOKED or visit.is_request]
    for visit in ending:
        with numbered(visit, zone):
            if visit.status == Status.BOOKED:
                require_notice(visit, caller, now, "cancelled")
            end_visit(visit, Status.CANCELLED, replace(request, tell=False), caller=caller, now=now)
    if agreed and request.tell:
        notifications.series_cancelled(agreed, now=now, undoable=can_be_undone(named, caller))
    return tuple(ending)


def _place(
    request: SeriesRequest,
    status: Appointment.Status,
    *,
    caller: Caller,
    now: datetime,
    expires: datetime | None = None,
) -> tuple[Appointment, ...]:
    """Create all visits of a series: see `place`. The number of statements does not depend on how many they are."""
    first = request.first
    if referrals.lock_ticket(first.extra, first.service, first.patients, now=now) is not None:
        raise RuleBroken(_("A referral gives one visit and no series."), expression=referrals.TICKET_EXPRESSION)
    require_may_book(caller, first.service, [first.requested_patient or first.patient], first.offerings)
    availability.require_complete(first.service, first.offerings)
    availability.require_combinable(first.offerings)
    _require_apart(request)
    _require_patient_free(request, now)
    lock_bookables = own_bookables if shares_or_counts(first.offerings) else share_bookables
    lock_bookables([offering.bookable for offering in first.offerings])
    lock_counted(first.service)
    if not first.override:
        _require_within_limits(request, now)
    patients = first.patients
    checked = availability.check_occurrences(first.service, first.offerings, request.starts, now=now, patients=patients)
    for number, (start, occurrence) in enumerate(zip(request.starts, checked, strict=True), 1):
        if not occurrence.is_offered:
            with numbering(request, number):
                with against_the_rules(first.override):
                    require_offered(first.service, first.offerings, start, now=now, patients=patients)
                if not first.override:  # by itself it could be booked, but not with the others
                    raise TimeNotOffered(_("That day or week has no room for so many visits of the series."))
    visits = _new_visits(request, status, caller, now, expires)
    for number, (visit, judgement) in enumerate(zip(visits, request.judgements, strict=False), 1):
        with numbering(request, number):
            visit.warnings = judgement.warnings_unless_refused(first.override)
            visit.cards = judgement.cards
    slot_status = TENTATIVE if status == Status.PENDING else BUSY
    slots = [
        slots_of(first.offerings, start, slot_status, occurrence.seats, now=now)
        for start, occurrence in zip(request.starts, checked, strict=True)
    ]
    try:
        create_together(visits, slots)
    except TimeTaken as taken:
        with numbering(request, taken.occurrence or 1):
            raise
    done = "request" if visits[0].is_request else "hold" if expires else "book"
    lines = (audit_lines(done, visit, caller=caller, now=now, reason=first.override) for visit in visits)
    insert(list(chain.from_iterable(lines)))
    return visits


def _new_visits(
    request: SeriesRequest, status: Appointment.Status, caller: Caller, now: datetime, expires: datetime | None
) -> tuple[Appointment, ...]:
    """The unsaved visits. Only the first keeps its reserved id, the window that was searched, and R5's template."""
    series, first = uuid4(), request.first
    extensions = [each for each in first.extra.get("extension", ()) if each["url"] != RECURRENCE_TEMPLATE]
    others = {name: value for name, value in first.extra.items() if name not in ("extension", "requestedPeriod")}
    rest = replace(
        first, fhir_id="", requested=None, extra={**others, **({"extension": extensions} if extensions else {})}
    )
    visits = []
    for number, start in enumerate(request.starts, 1):
        one = replace(first if number == 1 else rest, start=start)
        visit = new_appointment(one, status, caller, now, expires)
        visit.series, visit.occurrence, visit.occurrences = series, number, len(request.starts)
        visit.identifier = with_series(visit.identifier, series)
        if number in request.changed:
            visit.extra = as_changed(visit.extra)
        visits.append(visit)
    return tuple(visits)


def _with_patient(request: SeriesRequest) -> SeriesRequest:
    """The request with its new patient, or with the record into which the patient's was merged.

    Raises RuleBroken for several patients.
    """
    first = with_survivors(request.first.with_registered_patient())
    if first.others:
        raise RuleBroken(_("A series is for one patient."), expression=PARTICIPANT)
    return replace(request, first=first)


def _require_apart(request: SeriesRequest) -> None:
    """Raise Invalid unless each visit begins after the one before it has ended."""
    for number, (start, after) in enumerate(pairwise(request.starts), 2):
        if after < start + request.duration:
            with numbering(request, number):
                raise Invalid(_("It begins before the previous one has ended."), expression="Appointment.start")


def _require_patient_free(request: SeriesRequest, now: datetime) -> None:
    """Raise PatientElsewhere if the patient has another visit at the time of one. Needs `lock_patients`. One query."""
    patient, starts = request.first.patient, request.starts
    if patient is None:
        return
    elsewhere = engagements_of(patient, starts[0], starts[-1] + request.duration, now=now)
    for number, start in enumerate(starts, 1):
        first, last = start.timestamp(), (start + request.duration).timestamp()
        if any(begins < last and first < ends for begins, ends in elsewhere):
            with numbering(request, number):
                raise PatientElsewhere(expression="Appointment.participant")


def _require_within_limits(request: SeriesRequest, now: datetime) -> None:
    """Raise RuleBroken if the patient would have more visits than the service allows. Needs `lock_counted`."""
    first = request.first
    if first.patient is None:
        return
    found = availability.series_limit_issues(first.service, first.patient, request.starts, now=now)
    for number, issues in enumerate(found, 1):
        if issues:
            with numbering(request, number):
                raise RuleBroken(issues=issues)


def _fulfil_requirements(request: SeriesRequest, visits: Sequence[Appointment], now: datetime) -> None:
    """Raise RuleBroken with the requirements that the patient does not meet at one of the visits: see
    `fulfil_requirements`. The patient's answers are attached to the first visit and count for all.
    """
    for number, visit in enumerate(visits, 1):
        issues = requirements.unmet(visit, now=now, just_made=True)
        if issues and not request.first.override:
            with numbering(request, number):
                raise RuleBroken(issues=issues)
    requirements.attach_answers(visits[0], now=now)


def _can_be_cancelled(visit: Appointment) -> bool:
    return Status.CANCELLED in TRANSITIONS[visit.status]


def _is_to_come(visit: Appointment, now: datetime) -> bool:
    return visit.start is not None and visit.start > now
