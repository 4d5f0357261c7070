"""A patient's record as staff read it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import BooleanField, Count, Prefetch, Q, QuerySet
from django.db.models.expressions import RawSQL

from clinic import ages
from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import (
    Appointment,
    AuditEvent,
    CardPhoto,
    Coverage,
    DeskPayment,
    DuplicatePair,
    Patient,
    PatientMerge,
    PatientNote,
    Payment,
    QuestionnaireResponse,
    RelatedPerson,
)
from portal.appointments import visits
from portal.appointments.statuses import Status
from portal.appointments.visits import Visit
from portal.details.summary import address_lines
from portal.staff.patients.lists import FIRST_FIRST, LATEST_FIRST, PatientLists
from portal.staff.visits.record import ACTIONS
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.cancellations import was_late
from scheduling.interactions import duplicates, patient_notes
from scheduling.notifications import TimelineEntry
from scheduling.payments import Account, accounts_of

Row = TypeVar("Row")

COUNTED = timedelta(days=365)  # of missed and late visits
SIZE = 20  # rows of one page of a list
MOST_TO_COME = 50
MOST_NOTES = 200
# The lists that have several pages, by the parameters of the address that number them.
LISTS = ("past", "messages", "audit")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """One page of a list, with the addresses of the pages before and after it; empty if there is none."""

    rows: Sequence[Row]
    newer: str
    older: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line of the audit log: who did what, when, and about which row."""

    when: datetime
    what: Any
    who: str
    about: str
    why: str


@dataclass(frozen=True, kw_only=True)
class PatientRecord:
    """Everything about a patient that a member of staff sees: of visits, messages and payments those of visits that
    they work with.
    """

    patient: Patient
    age: int | None
    address: list[str]
    carers: list[RelatedPerson]
    dependants: list[Patient]
    coverages: list[Coverage]
    to_come: list[Visit]
    past: ListPage[Visit]
    missed: int
    cancelled_late: int
    notes: list[PatientNote]
    responses: list[QuestionnaireResponse]
    messages: ListPage[TimelineEntry]
    payments: list[Payment]
    at_desk: list[DeskPayment]
    accounts: list[Account]
    audit: ListPage[AuditLine] | None
    duplicates: list[DuplicatePair]
    merges: list[PatientMerge]

    @property
    def current_notes(self) -> list[PatientNote]:
        return [note for note in self.notes if note.ended is None]

    @property
    def former_notes(self) -> list[PatientNote]:
        """The notes that were changed or removed."""
        return [note for note in self.notes if note.ended is not None]

    @property
    def last_visit(self) -> Visit | None:
        """The visit from which another one of the same kind is booked: the next one, else the last one."""
        return next(iter([*self.to_come, *self.past.rows]), None)


def read(caller: Caller, patient_id: str, *, now: datetime, pages: Mapping[str, int]) -> PatientRecord | None:
    """Return the record if the caller sees the patient as staff, else None. A constant number of queries.

    `pages` are the numbers of the pages of LISTS.
    """
    patient = access.staff_patients(caller).filter(fhir_id=patient_id).first()
    if patient is None:
        return None
    lists = PatientLists(patient, caller, now)
    missed, cancelled_late = _missed(lists.booked, now)
    return PatientRecord(
        patient=patient,
        age=ages.age_on(patient.birth_date, in_zone(now, clinic_zone()).date()) if patient.birth_date else None,
        address=address_lines(patient),
        carers=list(_carers(patient)),
        dependants=_dependants(patient, caller),
        coverages=list(_coverages(patient, caller)),
        to_come=_visits(lists.to_come[:MOST_TO_COME], FIRST_FIRST, now),
        past=_page(lists.past, "past", pages, lambda rows: _visits(rows, LATEST_FIRST, now)),
        missed=missed,
        cancelled_late=cancelled_late,
        notes=list(patient_notes.notes_of(patient)[:MOST_NOTES]),
        responses=list(lists.responses[:SIZE]),
        messages=_page(lists.messages, "messages", pages, lambda rows: list(map(notifications.timeline_entry, rows))),
        payments=list(lists.payments[:SIZE]),
        at_desk=list(lists.at_desk[:SIZE]),
        accounts=accounts_of(patient, lists.booked),
        audit=None if lists.audit is None else _page(lists.audit, "audit", pages, audit_lines),
        duplicates=list(duplicates.open_pairs(caller).filter(Q(first=patient) | Q(second=patient))),
        merges=list(_merges(patient)),
    )


def _visits(rows: QuerySet[Appointment], order: Sequence[str], now: datetime) -> list[Visit]:
    """Return the rows, a slice in this order, as visits."""
    return visits.at_their_sites(Appointment.objects.filter(pk__in=rows.values("pk")).order_by(*order), now=now)


def _page(
    rows: QuerySet[Any], name: str, pages: Mapping[str, int], read_rows: Callable[[QuerySet[Any]], list[Row]]
) -> ListPage[Row]:
    """Return one page of the list `name`, its rows as `read_rows` reads them. One row more says if there are others."""
    number = pages[name]
    first = (number - 1) * SIZE
    found = read_rows(rows[first : first + SIZE + 1])
    newer = _address(name, {**pages, name: number - 1}) if number > 1 else ""
    older = _address(name, {**pages, name: number + 1}) if len(found) > SIZE else ""
    return ListPage(found[:SIZE], newer, older)


def _address(name: str, pages: Mapping[str, int]) -> str:
    return f"?{urlencode(pages)}#{name}"


def _missed(booked: QuerySet[Appointment], now: datetime) -> tuple[int, int]:
    """Return the numbers of no-shows and of late cancellations of the last twelve months. One query."""
    is_late = RawSQL(was_late("clinic_appointment"), (), output_field=BooleanField())
    counted = booked.filter(start__gt=now - COUNTED, start__lte=now).aggregate(
        missed=Count("pk", filter=Q(status=Status.NOSHOW)),
        late=Count("pk", filter=is_late),
    )
    return counted["missed"], counted["late"]


def _merges(patient: Patient) -> QuerySet[PatientMerge]:
    """The merges of this record, and those of others into it, that were not undone."""
    rows = PatientMerge.objects.filter(Q(source=patient) | Q(target=patient), undone_at=None)
    return rows.select_related("source", "target")


def _carers(patient: Patient) -> QuerySet[RelatedPerson]:
    return RelatedPerson.objects.filter(patient=patient, active=True, deleted_at=None).order_by("pk")


def _dependants(patient: Patient, caller: Caller) -> list[Patient]:
    """The patients for whom this one cares, of those whom the caller sees."""
    if patient.user_id is None:
        return []
    rows = access.staff_patients(caller).filter(
        related_persons__user=patient.user_id, related_persons__active=True, related_persons__deleted_at=None
    )
    return list(rows.order_by("family", "given", "pk"))


def _coverages(patient: Patient, caller: Caller) -> QuerySet[Coverage]:
    active = access.visible(Coverage, caller).filter(status=Coverage.Status.ACTIVE, deleted_at=None)
    photos = Prefetch("photos", CardPhoto.objects.defer("image"))
    return active.filter(beneficiary=patient).prefetch_related(photos).order_by("-pk")


def audit_lines(events: Iterable[AuditEvent]) -> list[AuditLine]:
    """The lines of the audit log in words."""
    return list(map(_line, events))


def _line(event: AuditEvent) -> AuditLine:
    who = event.user.display_name if event.user else event.client
    about = str(event.appointment) if event.appointment else event.target.partition("/")[0]
    when = in_zone(event.recorded, clinic_zone())
    return AuditLine(when, ACTIONS.get(event.subtype, event.subtype), who, about, event.reason)
