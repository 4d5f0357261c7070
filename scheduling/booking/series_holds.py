"""Use cases of the holds of a series, which are named, extended and supported together, as they are held together."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from clinic.models import Appointment, Patient, Slot
from scheduling.access import Caller
from scheduling.booking.holds import (
    extend_locked,
    lock_free_patients,
    name_locked,
    raise_if_expired,
    require_held,
    support_locked,
)
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.series_members import Occurrences, locked_members, numbered
from scheduling.booking.slots import own_bookables
from scheduling.errors import IllegalTransition
from scheduling.visit_zone import zone_of_place

PENDING = Appointment.Status.PENDING


@use_case
def extend_series(
    appointment_id: str, *, caller: Caller, now: datetime, once: Once | None = None
) -> tuple[Appointment, ...]:
    """Extend all holds of a series by HOLD_FOR, once: see `extend_hold`."""
    held = _held_members(appointment_id, caller)
    for visit in held:
        require_held(visit, now)
    for visit in held:
        lock_free_patients(visit, now)
    own_bookables(Slot.objects.filter(appointment__in=held, deleted_at=None).values_list("bookable", flat=True))
    return tuple(extend_locked(visit, caller=caller, now=now) for visit in held)


@use_case
def name_series(
    appointment_id: str,
    patient: Patient | Callable[[], Patient],
    *,
    caller: Caller,
    now: datetime,
    once: Once | None = None,
) -> tuple[Appointment, ...]:
    """Set the patient of all holds of a series that have the same patient as this one: see `name_patient`."""
    named = patient() if callable(patient) else patient  # first: other writers lock names before rows
    held = _held_members(appointment_id, caller)
    former = next(visit.patient_id for visit in held if visit.fhir_id == appointment_id)
    theirs = [visit for visit in held if visit.patient_id == former]
    return tuple(_apply_numbered(theirs, lambda visit: name_locked(visit, named, caller=caller, now=now)))


@use_case
def support_series(
    appointment_id: str, references: Collection[str], *, caller: Caller, now: datetime, once: Once | None = None
) -> tuple[Appointment, ...]:
    """Record what all holds of a series with the same patient as this one rely on: see `support`."""
    held = _held_members(appointment_id, caller)
    patient = next(visit.patient_id for visit in held if visit.fhir_id == appointment_id)
    theirs = [visit for visit in held if visit.patient_id == patient]
    return tuple(support_locked(visit, references, caller=caller, now=now) for visit in theirs)


def _held_members(appointment_id: str, caller: Caller) -> list[Appointment]:
    """The visits that are held together with this one, and itself, locked."""
    named, members = locked_members(appointment_id, Occurrences.ALL, caller, None)
    if named.status != PENDING:
        raise_if_expired(named)
        raise IllegalTransition(named.status, PENDING)
    return [visit for visit in members if visit.status == PENDING]


def _apply_numbered(
    visits: Collection[Appointment], act: Callable[[Appointment], Appointment]
) -> Iterator[Appointment]:
    """Call `act` with each visit. A refusal names the number of its visit in the series."""
    for visit in visits:
        with numbered(visit, zone_of_place(visit)):
            yield act(visit)
