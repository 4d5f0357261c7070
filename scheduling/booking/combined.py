"""Use cases of combined visits: several services, or several patients, one after another. All are booked, or none.

Each is an Appointment of its own, without a number: they have `series` and an identifier in common. They are confirmed,
moved and cancelled together like the visits of a series, or singly.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.models import Appointment
from scheduling import notifications
from scheduling.access import Caller
from scheduling.booking import referrals
from scheduling.booking.former_holds import FormerHold
from scheduling.booking.holds import require_few_holds
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.judging import is_judged, with_judgement
from scheduling.booking.patients import PARTICIPANT, lock_patients, with_survivors
from scheduling.booking.request import BookingRequest
from scheduling.booking.series_members import describing
from scheduling.booking.slots import lock_counted, lock_holder, own_bookables
from scheduling.booking.transitions import fulfil_requirements
from scheduling.booking.visits import manages, place, require_may_override, require_payment
from scheduling.errors import Invalid, RuleBroken
from scheduling.plugins import BookingStep

Status = Appointment.Status
FEWEST, MOST = 2, 6


def hold_combined(
    requests: Sequence[BookingRequest],
    *,
    caller: Caller,
    now: datetime,
    instead_of: str | None = None,
    once: Once | None = None,
) -> tuple[Appointment, ...]:
    """Hold the time of all these visits until one instant: see `hold`. They count as one hold."""
    judged = _judged(BookingStep.HOLD, requests, caller, now)
    return _hold(judged, caller=caller, now=now, instead_of=instead_of, once=once)


def book_combined(
    requests: Sequence[BookingRequest], *, caller: Caller, now: datetime, once: Once | None = None
) -> tuple[Appointment, ...]:
    """Book all these visits, or none: see `book`. A refusal names the service that it is about."""
    return _book(_judged(BookingStep.BOOK, requests, caller, now), caller=caller, now=now, once=once)


@use_case
def _hold(
    requests: Sequence[BookingRequest],
    *,
    caller: Caller,
    now: datetime,
    instead_of: str | None,
    once: Once | None = None,
) -> tuple[Appointment, ...]:
    requests = _prepared(requests)
    former = FormerHold.lock(instead_of, caller)
    offerings = [offering for request in requests for offering in request.offerings]
    is_bound = not (caller.is_system or manages(caller, tuple(offerings)))
    if is_bound:
        lock_holder(caller)
    _lock_patients(requests)
    if is_bound:
        for patient in dict.fromkeys(request.patient for request in requests):
            require_few_holds(caller, patient, now, besides=former.held)
    former.end(offerings, caller=caller, now=now)
    visits = _place(requests, caller, now, expires=now + settings.HOLD_FOR)
    former.hand_over(visits[0], now=now)
    return visits


@use_case
def _book(
    requests: Sequence[BookingRequest], *, caller: Caller, now: datetime, once: Once | None = None
) -> tuple[Appointment, ...]:
    requests = _prepared(requests)
    for request in requests:
        require_may_override(caller, request.override, request.offerings)
        require_payment(caller, request.service, request.offerings)
    _lock_patients(requests)
    visits = _place(requests, caller, now)
    for request, visit in zip(requests, visits, strict=True):
        with describing(visit.service, visit.start, request.offerings[0].zone):
            fulfil_requirements(visit, now=now, override=request.override, just_made=True)
        referrals.follow(visit, now=now)
    notifications.combined_agreed(visits, now=now, tell=requests[0].tell)
    return visits


def _judged(
    step: BookingStep, requests: Sequence[BookingRequest], caller: Caller, now: datetime
) -> Sequence[BookingRequest]:
    """The requests with the findings of plug-ins, which are asked before the transaction."""
    if not is_judged(step):
        return requests
    return [with_judgement(step, request, caller=caller, now=now) for request in requests]


def _prepared(requests: Sequence[BookingRequest]) -> list[BookingRequest]:
    """The requests in order of time, tied together. Raises Invalid for too few or too many, RuleBroken for a group."""
    if not FEWEST <= len(requests) <= MOST:
        text = _("From %(fewest)d to %(most)d visits can be booked together.")
        raise Invalid(text % {"fewest": FEWEST, "most": MOST})
    together = uuid4()
    prepared = [replace(with_survivors(each.with_registered_patient()), combined=together) for each in requests]
    if any(request.others for request in prepared):
        raise RuleBroken(_("Each of these visits is for one patient."), expression=PARTICIPANT)
    return sorted(prepared, key=lambda request: request.start)


def _lock_patients(requests: Sequence[BookingRequest]) -> None:
    lock_patients({request.patient.pk: request.patient for request in requests if request.patient}.values())


def _place(
    requests: Sequence[BookingRequest], caller: Caller, now: datetime, *, expires: datetime | None = None
) -> tuple[Appointment, ...]:
    """Create the visits, one after another: each sees the ones before it. Their bookables are owned first, and their
    services locked, so that no two bookings of several visits wait for each other.
    """
    own_bookables(offering.bookable for request in requests for offering in request.offerings)
    for _pk, service in sorted({request.service.pk: request.service for request in requests}.items()):
        lock_counted(service)
    visits = []
    for request in requests:
        asks = request.service.on_request and not manages(caller, request.offerings)
        status = Status.PENDING if expires or asks else Status.BOOKED
        with describing(request.service, request.start, request.offerings[0].zone):
            visits.append(place(request, status, caller=caller, now=now, expires=expires))
    return tuple(visits)
