"""Visits of a patient whose record is merged into another one, and of one whose merge is undone."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic.models import Appointment, AuditEvent, Patient
from scheduling.access import Caller
from scheduling.booking.patients import hand_back, hand_over
from scheduling.booking.slots import ATTENDED
from scheduling.booking.transitions import audit_lines

BATCH = 500
COLUMNS = ("patient", "participant", "extra", "version", "last_updated")


def lock_records(patients: Iterable[Patient]) -> dict[int, Patient]:
    """Lock the visits of these patients and then their records, each in the order of their keys.

    Returns the records that are not deleted, by primary key. A visit that was booked between the two is waited for by
    nobody: ScheduleBusy if somebody else has locked it.
    """
    patients = list(patients)
    before = set(_locked(patients).values_list("pk", flat=True))
    rows = Patient.objects.filter(pk__in=[each.pk for each in patients], deleted_at=None)
    locked = {row.pk: row for row in rows.select_for_update(no_key=True).order_by("pk")}
    list(_locked(patients, nowait=True).exclude(pk__in=before).values_list("pk"))
    return locked


def clashes(source: Patient, target: Patient, *, now: datetime) -> QuerySet[Appointment]:
    """The visits of the source that are still to end and that the target could not have besides its own: they are at
    the same time, or both patients come to them.
    """
    attended = Appointment.objects.filter(
        Q(hold_expires_at=None) | Q(hold_expires_at__gt=now), status__in=ATTENDED, deleted_at=None, end__gt=now
    )
    others = attended.filter(naming_patients([target]), start__lt=OuterRef("end"), end__gt=OuterRef("start"))
    return attended.filter(naming_patients([source])).filter(Exists(others)).order_by("start", "pk")


def move_visits(source: Patient, target: Patient, *, caller: Caller, now: datetime) -> list[int]:
    """Give the source's locked visits to the target. Returns their primary keys."""
    visits = list(Appointment.objects.filter(naming_patients([source])).order_by("pk"))
    _rewrite(visits, lambda visit: hand_over(visit, source, target), now)
    _audit("merge", visits, caller, now)
    return [visit.pk for visit in visits]


def return_visits(
    keys: Collection[int], source: Patient, target: Patient, *, caller: Caller, now: datetime
) -> list[Appointment]:
    """Give these visits back to the source, as far as they are still the target's. They must be locked."""
    visits = list(Appointment.objects.filter(naming_patients([target]), pk__in=keys).order_by("pk"))
    _rewrite(visits, lambda visit: hand_back(visit, source, target), now)
    _audit("unmerge", visits, caller, now)
    return visits


def _locked(patients: Collection[Patient], *, nowait: bool = False) -> QuerySet[Appointment]:
    rows = Appointment.objects.filter(naming_patients(patients))
    return rows.select_for_update(no_key=True, nowait=nowait, of=("self",)).order_by("pk")


def naming_patients(patients: Collection[Patient]) -> Q:
    """The condition for the visits of these patients, and those in which they take part with others."""
    found = Q(patient__in=[patient.pk for patient in patients])
    for patient in patients:
        found |= Q(participant__contains=[{"actor": {"reference": patient.reference}}])
    return found


def _rewrite(visits: Collection[Appointment], change: Callable[[Appointment], None], now: datetime) -> None:
    for visit in visits:
        change(visit)
        visit.version += 1
        visit.last_updated = now
    Appointment.objects.bulk_update(visits, COLUMNS, batch_size=BATCH)


def _audit(use_case: str, visits: Iterable[Appointment], caller: Caller, now: datetime) -> None:
    AuditEvent.objects.bulk_create(
        (line for visit in visits for line in audit_lines(use_case, visit, caller=caller, now=now)), batch_size=BATCH
    )
