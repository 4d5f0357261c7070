"""Who was told what of which patient: https://hl7.org/fhir/R4/auditevent.html

An AuditEvent for each patient whom an answer tells of, written before the answer is given: what cannot be recorded is
not told. What people see of themselves and of those they care for is not recorded, unless an app asks for them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from clinic.models import AuditEvent, Resource
from scheduling.access.callers import Caller

QUERY_KEPT = 2000  # characters

# Whom a row is about, by its type. No other type of resource tells of a patient; a Slot does not say whose it is.
ABOUT: Mapping[str, Callable[[Any], int | None]] = {
    "Patient": attrgetter("pk"),
    "RelatedPerson": attrgetter("patient_id"),
    "Coverage": attrgetter("beneficiary_id"),
    "CareTeam": attrgetter("patient_id"),
    "Schedule": attrgetter("bookable.patient_id"),
    "Appointment": attrgetter("patient_id"),
    "AppointmentResponse": attrgetter("appointment.patient_id"),
    "QuestionnaireResponse": attrgetter("patient_id"),
    "Encounter": attrgetter("patient_id"),
    "Communication": attrgetter("patient_id"),
}

_withheld: ContextVar[bool] = ContextVar("withheld", default=False)


@contextmanager
def withheld() -> Iterator[None]:
    """Record no disclosure within the block, for an answer that is prepared and handed to nobody."""
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
    """Write down that the caller is told of the patients of these rows: one INSERT, none if there are none.

    A line for each patient and `query`, or where there was none, for each row; of a `version` if it is an earlier one.
    Of what is looked at over and over, `once_in` is how long the first time stands for the others.
    """
    query = query[:QUERY_KEPT]
    told = {(patient, "" if query else f"{row.reference}{version}") for row in rows if (patient := patient_of(row))}
    _record(told, subtype, caller=caller, now=now, query=query, once_in=once_in)


def record_listing(patients: Iterable[int], page: str, *, caller: Caller, now: datetime, once_in: timedelta) -> None:
    """Write down that the caller is shown these patients (primary keys) on a page of many, once in that time."""
    _record({(patient, "") for patient in patients}, "search", caller=caller, now=now, query=page, once_in=once_in)


def _record(
    told: set[tuple[int, str]],
    subtype: str,
    *,
    caller: Caller,
    now: datetime,
    query: str,
    once_in: timedelta | None,
) -> None:
    if _withheld.get():
        return
    if told and not caller.client:
        told = {each for each in told if caller.user and each[0] not in caller.patients}
    if told and once_in:
        before = AuditEvent.objects.filter(patient__in={patient for patient, _ in told}, recorded__gt=now - once_in)
        told -= set(before.filter(user=caller.user, subtype=subtype, query=query).values_list("patient", "target"))
    AuditEvent.objects.bulk_create(
        AuditEvent(
            recorded=now,
            last_updated=now,
            action=AuditEvent.Action.EXECUTE if query else AuditEvent.Action.READ,
            subtype=subtype,
            user=caller.user,
            client=caller.client[:100],
            patient_id=patient,
            target=target,
            query=query,
        )
        for patient, target in sorted(told)
    )


def patient_of(row: Resource) -> int | None:
    """The primary key of the patient whom a row is about, if it is about one."""
    return ABOUT[row.RESOURCE_TYPE](row) if row.RESOURCE_TYPE in ABOUT else None
