"""Obstacles to a booking: every rule by which `book` refuses a request, found without writing anything."""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db import transaction

from clinic.models import Appointment, Location
from scheduling import availability
from scheduling.access import Caller
from scheduling.availability import Offering
from scheduling.booking import referrals
from scheduling.booking.judging import is_judged, with_judgement
from scheduling.booking.moves import seats_for
from scheduling.booking.patients import with_survivors
from scheduling.booking.request import BookingRequest
from scheduling.booking.slots import patients_are_free, patients_are_within_limits
from scheduling.booking.transitions import unmet_requirements
from scheduling.booking.visits import new_appointment, require_may_book, require_payment, require_places
from scheduling.errors import SchedulingError
from scheduling.plugins import BookingStep


class Rule(StrEnum):
    """A rule of bookings besides those of times, which are availability.Reason."""

    PERMISSION = "permission"
    REFERRAL = "referral"
    PAYMENT = "payment"
    INCOMPLETE = "incomplete"
    NOT_COMBINABLE = "not-combinable"
    ONE_PATIENT = "one-patient"
    NO_SEAT = "no-seat"
    PATIENT_ELSEWHERE = "patient-elsewhere"
    PATIENT_LIMIT = "patient-limit"
    REQUIREMENT = "requirement"
    PLUGIN = "plug-in"


class Obstacle(NamedTuple):
    """A rule that keeps a visit from being booked, in words, and the offering whose rule it is, if it is of one."""

    rule: availability.Reason | Rule
    text: str
    offering: Offering | None = None


def obstacles_to(request: BookingRequest, *, caller: Caller, now: datetime) -> list[Obstacle]:
    """Return an obstacle for each rule that `book` would refuse the request by; none if it would book it.

    The patient has to be registered. It is true for the moment only: somebody else may take the time next.
    """
    request = with_survivors(request)
    return [*_of_time(request, now), *_of_visit(request, caller, now)]


def _of_time(request: BookingRequest, now: datetime) -> Iterator[Obstacle]:
    reasons = availability.explain(
        request.service, request.offerings, request.start, now=now, patients=request.patients
    )
    for offering, found in reasons.items():
        for reason in found:
            yield Obstacle(reason, str(availability.REASONS[reason]), offering)
    # Several patients of one visit may find a free seat, but not one for each.
    if len(request.patients) > 1 and not any(reasons.values()):
        yield from _refused(Rule.NO_SEAT, lambda: _require_seats(request, now))


def _of_visit(request: BookingRequest, caller: Caller, now: datetime) -> Iterator[Obstacle]:
    service, offerings, patients = request.service, request.offerings, request.patients
    yield from _refused(Rule.PAYMENT, lambda: require_payment(caller, service, offerings))
    yield from _of_permission(request, caller, now)
    yield from _refused(Rule.INCOMPLETE, lambda: availability.require_complete(service, offerings))
    yield from _refused(Rule.NOT_COMBINABLE, lambda: availability.require_combinable(offerings))
    yield from _refused(Rule.ONE_PATIENT, lambda: require_places(request, now))
    yield from _refused(
        Rule.PATIENT_ELSEWHERE, lambda: patients_are_free(patients, request.start, request.end, now=now)
    )
    yield from _refused(
        Rule.PATIENT_LIMIT, lambda: patients_are_within_limits(service, patients, request.start, now=now)
    )
    visit = _visit_of(request, caller, now)
    yield from (Obstacle(Rule.REQUIREMENT, issue.text) for issue in unmet_requirements(visit, now=now, just_made=True))
    if is_judged(BookingStep.BOOK):
        yield from _refused(Rule.PLUGIN, lambda: _require_judgement(request, caller, now))


def _of_permission(request: BookingRequest, caller: Caller, now: datetime) -> Iterator[Obstacle]:
    ticket = None
    try:
        with transaction.atomic():  # for the lock on the referral, which it holds only while it is read
            ticket = referrals.lock_ticket(request.extra, request.service, request.patients, now=now)
    except SchedulingError as refusal:
        yield from _named(Rule.REFERRAL, refusal)
    patients = [request.requested_patient or request.patient, *request.others]
    yield from _refused(
        Rule.PERMISSION, lambda: require_may_book(caller, request.service, patients, request.offerings, referral=ticket)
    )


def _visit_of(request: BookingRequest, caller: Caller, now: datetime) -> Appointment:
    """Return the visit that would be booked, unsaved, with the people of roles among its participants."""
    visit = new_appointment(request, Appointment.Status.BOOKED, caller, now, None)
    visit.participant = [*visit.participant, *({"actor": {"reference": each.person}} for each in request.offerings)]
    site = Location.objects.filter(pk=visit.site_id).first() if visit.site_id is not None else None
    if site is not None:
        site.timezone = site.timezone or request.offerings[0].zone.key
        visit.site = site
    return visit


def _require_seats(request: BookingRequest, now: datetime) -> None:
    seats_for(request.service, request.offerings, request.start, len(request.patients), now=now)


def _require_judgement(request: BookingRequest, caller: Caller, now: datetime) -> None:
    with_judgement(BookingStep.BOOK, request, caller=caller, now=now).judgement.warnings_unless_refused()


def _refused(rule: Rule, check: Callable[[], None]) -> Iterator[Obstacle]:
    try:
        check()
    except SchedulingError as refusal:
        yield from _named(rule, refusal)


def _named(rule: Rule, refusal: SchedulingError) -> Iterator[Obstacle]:
    return (Obstacle(rule, issue.text) for issue in refusal.issues)
