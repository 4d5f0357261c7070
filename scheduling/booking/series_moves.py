"""Use case of a move of several visits that were booked together."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any

from clinic.models import Appointment, Rebooking
from scheduling import notifications
from scheduling.access import Caller
from scheduling.booking.cancellation import end_suggestions, lock_suggestions
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.judging import is_judged, with_judgement
from scheduling.booking.moves import leave_time, own_slots, seats_for, take_time
from scheduling.booking.patients import follow_merge, lock_patients
from scheduling.booking.request import RescheduleRequest
from scheduling.booking.series_members import Occurrences, locked_members, numbered
from scheduling.booking.slots import (
    bookables_of,
    lock_counted,
    own_bookables,
    patients_are_free,
    patients_are_within_limits,
)
from scheduling.booking.transitions import audit
from scheduling.booking.visits import against_the_rules, require_may_move, require_offered, write_notes
from scheduling.errors import IllegalTransition, VersionConflict
from scheduling.participants import attending, patients_of
from scheduling.plugins import BookingStep
from scheduling.versions import has_version
from scheduling.visit_zone import zone_of_place

Moves = Mapping[str, RescheduleRequest]  # by the ids of the visits


def _judged(act: Callable[..., tuple[Appointment, ...]]) -> Callable[..., tuple[Appointment, ...]]:
    """Decorator: asks the plug-ins about each move before the transaction, and decision services about the first."""

    @wraps(act)
    def run(
        appointment_id: str, moves: Moves, *, caller: Caller, now: datetime, **named: Any
    ) -> tuple[Appointment, ...]:
        if is_judged(BookingStep.RESCHEDULE):
            moves = {
                fhir_id: with_judgement(
                    BookingStep.RESCHEDULE,
                    request,
                    caller=caller,
                    now=now,
                    appointment_id=fhir_id,
                    by_services=number == 0,
                )
                for number, (fhir_id, request) in enumerate(moves.items())
            }
        return act(appointment_id, moves, caller=caller, now=now, **named)

    return run


@_judged
@use_case
def reschedule_series(
    appointment_id: str, moves: Moves, *, caller: Caller, now: datetime, tell: bool = True, once: Once | None = None
) -> tuple[Appointment, ...]:
    """Move these visits of the series of one visit, all or nothing: see `reschedule`. The patient is told once.

    All of them release their time before one takes another, so that a visit can take the time of its neighbour.
    """
    named, members = locked_members(appointment_id, Occurrences.ALL, caller, None)
    moving = [(visit, moves[visit.fhir_id]) for visit in members if visit.fhir_id in moves]
    if not moving:
        raise IllegalTransition(named.status, "rescheduled")
    zone = zone_of_place(named)
    for visit, request in moving:
        with numbered(visit, zone):
            if not has_version(visit, request.version):
                raise VersionConflict
            require_may_move(visit, request, caller=caller, now=now)
            follow_merge(visit)
    lock_patients({patient.pk: patient for visit, _ in moving for patient in patients_of(visit)}.values())
    _leave(moving, caller=caller, now=now)
    for visit, request in moving:
        with numbered(visit, zone):
            _arrive(visit, request, now=now)
            audit("reschedule", visit, caller=caller, now=now, reason=request.override)
    moved = tuple(visit for visit, _ in moving)
    agreed = [visit for visit in moved if visit.status == Appointment.Status.BOOKED or visit.is_request]
    if agreed:
        notifications.series_moved(agreed, now=now, tell=tell)
    return moved


def _leave(moving: list[tuple[Appointment, RescheduleRequest]], *, caller: Caller, now: datetime) -> None:
    """Save the visits at their new times, and release their old time."""
    old = {visit.pk: own_slots(visit) for visit, _ in moving}
    suggestions = {visit.pk: lock_suggestions(visit) for visit, _ in moving}
    own_bookables(
        [
            *(slot.bookable_id for slots in old.values() for slot in slots),
            *(offering.bookable for _, request in moving for offering in request.offerings),
            *(bookable for held in suggestions.values() for each in held for bookable in bookables_of(each)),
        ]
    )
    for service in {visit.service_id: visit.service for visit, _ in sorted(moving, key=_service)}.values():
        lock_counted(service)
    for visit, request in moving:
        end_suggestions(visit, suggestions[visit.pk], caller=caller, now=now, outcome=Rebooking.State.MOVED)
        visit.sequence += visit.status == Appointment.Status.BOOKED
        visit.attendance_confirmed = None
        write_notes(visit, request.notes)
        leave_time(visit, old[visit.pk], request, now=now)


def _arrive(visit: Appointment, request: RescheduleRequest, *, now: datetime) -> None:
    """Take the new time of a visit, if it is offered and the patients are free then."""
    assert visit.service is not None  # require_may_move
    patients = patients_of(visit)
    patients_are_free(patients, request.start, request.end, now=now, besides=visit)
    if not request.override:
        patients_are_within_limits(visit.service, patients, request.start, now=now, besides=visit)
    with against_the_rules(request.override):
        require_offered(visit.service, request.offerings, request.start, now=now, patients=patients)
    places = len(attending(visit.participant))
    visit.warnings = request.judgement.warnings_unless_refused(request.override)
    visit.cards = request.judgement.cards
    take_time(visit, request, seats_for(visit.service, request.offerings, request.start, places, now=now), now=now)


def _service(moving: tuple[Appointment, RescheduleRequest]) -> int:
    return moving[0].service_id or 0
