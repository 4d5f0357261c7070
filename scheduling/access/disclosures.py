"""Audit of disclosures, that is of which patients' data a caller received: https://hl7.org/fhir/R4/auditevent.html

One AuditEvent is written for each patient in a response, before the response is sent: if it cannot be recorded, nothing
is disclosed. What people read about themselves and those they care for is not recorded, unless an app reads it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from clinic.models import Appointment, AppointmentPatient, AuditEvent, Resource
from scheduling.access.audit import audit_event
from scheduling.access.callers import Caller
from scheduling.access.compartments import patient_of
from scheduling.participants import is_group

QUERY_KEPT = 2000  # characters


_withheld: ContextVar[bool] = ContextVar("withheld", default=False)


@contextmanager
def withheld() -> Iterator[None]:
    """Context manager within which no disclosure is recorded, for an answer that is prepared and never sent."""
    token = _withheld.set(True)
    try:
        yield
    finally:
        _withheld.reset(token)


def record_disclosure(
    rows: Iterable[Resource],
    subtype: str,
    *,
    caller: Caller,
    now: datetime,
    version: str = "",
    query: str = "",
    once_in: timedelta | None = None,
) -> None:
    """Record that the caller received data about the patients of these rows: one INSERT, or none without patients.

    With `query` there is one line for each patient, else one for each row; `version` is the suffix of an earlier
    version's reference. A disclosure that repeats an equal one within `once_in` is not recorded again.
    """
    query = query[:QUERY_KEPT]
    rows = list(rows)
    others = _others_of(rows)
    disclosed = {
        (pk, "" if query else f"{row.reference}{version}")
        for row in rows
        for pk in (patient_of(row), *others.get(row.reference, ()))
        if pk
    }
    _record(disclosed, subtype, caller=caller, now=now, query=query, once_in=once_in)


def _others_of(rows: Iterable[Resource]) -> dict[str, list[int]]:
    """The other patients of visits of several, by the visit's reference. One statement if there are such visits."""
    groups = {row.pk: row.reference for row in rows if isinstance(row, Appointment) and is_group(row)}
    found: dict[str, list[int]] = {}
    if groups:
        keys = AppointmentPatient.objects.filter(appointment__in=groups).values_list("appointment", "patient")
        for visit, patient in keys:
            found.setdefault(groups[visit], []).append(patient)
    return found


def record_listing(patients: Iterable[int], page: str, *, caller: Caller, now: datetime, once_in: timedelta) -> None:
    """Record that the caller saw these patients (primary keys) on a page with a list, once within `once_in`."""
    _record({(patient, "") for patient in patients}, "search", caller=caller, now=now, query=page, once_in=once_in)


def _record(
    disclosed: set[tuple[int, str]],
    subtype: str,
    *,
    caller: Caller,
    now: datetime,
    query: str,
    once_in: timedelta | None,
) -> None:
    if _withheld.get():
        return
    if disclosed and not caller.client:
        disclosed = {(pk, target) for pk, target in disclosed if caller.user and pk not in caller.patients}
    if disclosed and once_in:
        before = AuditEvent.objects.filter(patient__in={pk for pk, _ in disclosed}, recorded__gt=now - once_in)
        disclosed -= set(before.filter(user=caller.user, subtype=subtype, query=query).values_list("patient", "target"))
    AuditEvent.objects.bulk_create(
        audit_event(
            subtype,
            AuditEvent.Action.EXECUTE if query else AuditEvent.Action.READ,
            caller=caller,
            now=now,
            patient_id=patient,
            target=target,
            query=query,
        )
        for patient, target in sorted(disclosed)
    )
