"""The parts of the worklist: for each kind of item, the rows that need action by the clinic.

Each row has `visit_key`, the primary key of the visit that it is about, or None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import mogrify
from django.db.models import BigIntegerField, CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast

from clinic.country import clinic_zone
from clinic.models import (
    Absence,
    Appointment,
    Communication,
    Coverage,
    DetailsChange,
    DuplicatePair,
    Erasure,
    Event,
    HealthcareService,
    PaymentOrder,
    Rebooking,
    Task,
    WorkItem,
)
from scheduling import absences, access, booking, notifications, personal_data, recalls, requirements
from scheduling.access import Action, Caller
from scheduling.interactions import duplicates
from scheduling.visit_zone import local_day

Kind = WorkItem.Kind
PREPARED_BEFORE = timedelta(days=14)  # when the desk begins to look after insurances and forms
CONFIRMED_BEFORE = timedelta(days=2)  # when the desk begins to call patients who have not answered the reminder
OF_VISIT = "appointment__site"


@dataclass(frozen=True, slots=True)
class Part:
    """The items of a kind: the rows that wait for a caller at a moment, and the permission of those who deal with them.

    `site` is the lookup of their site; empty for what belongs to no site. `source` is the rows without which nobody has
    such an item at any moment, found at once by an index or in a small table; None where there are no such rows.
    """

    rows: Callable[[Caller, datetime], QuerySet[Any]]
    action: Action = Action.RUN
    site: str = "site"
    source: QuerySet[Any] | None = None

    def at(self, caller: Caller, site: int | None, *, now: datetime) -> QuerySet[Any]:
        """The rows at one site (a primary key), or everywhere."""
        rows = self.rows(caller, now)
        if site is None:
            return rows
        return rows.filter(**{self.site: site}) if self.site else rows.none()


def _requests(caller: Caller, now: datetime) -> QuerySet[Any]:
    return _visits(caller, now, status=Appointment.Status.PENDING, hold_expires_at=None)


def _texts(caller: Caller, now: datetime) -> QuerySet[Any]:
    texts = access.replies_to_staff(caller).filter(read=None, part_of=None)
    return texts.annotate(visit_key=F("appointment")).order_by("due", "pk")


def _changes(caller: Caller, now: datetime) -> QuerySet[Any]:
    """Changes of a name or birth date that wait, for those who decide them."""
    waiting = WAITING.select_related("patient")
    rows = _about_no_visit(waiting).order_by("created", "pk")
    return rows if access.may_decide_details(caller) else rows.none()


def _to_rebook(caller: Caller, now: datetime) -> QuerySet[Any]:
    """Visits that an absence makes impossible: nobody has looked for another time, or the patient must be called."""
    return absences.visits_to_rebook(_visits(caller, now, status=Appointment.Status.BOOKED), now=now)


def _unconfirmed(caller: Caller, now: datetime) -> QuerySet[Any]:
    soon = {"start__lt": now + CONFIRMED_BEFORE}
    return _visits(caller, now, status=Appointment.Status.BOOKED, attendance_confirmed=None, **soon)


def _failures(caller: Caller, now: datetime) -> QuerySet[Any]:
    seen = access.staff_appointments(caller)
    failed = notifications.failures(None, now=now).filter(appointment__in=seen)
    return failed.annotate(visit_key=F("appointment"))


def _uncovered(caller: Caller, now: datetime) -> QuerySet[Any]:
    """Visits that need insurance, and whose patients have none that is checked and valid on that day.

    `is_declared` is False for those who have not named any.
    """
    in_force = Coverage.objects.filter(
        Q(start=None) | Q(start__lte=OuterRef("day")),
        Q(end=None) | Q(end__gte=OuterRef("day")),
        beneficiary=OuterRef("patient"),
        status=Coverage.Status.ACTIVE,
        deleted_at=None,
    ).order_by()
    verified = in_force.filter(verification=Coverage.Verification.VERIFIED)
    declared = in_force.filter(verification=Coverage.Verification.DECLARED)
    needs = Q(service__requires_coverage=True) | Q(service__requires_verified_coverage=True)
    soon = {"start__lt": now + PREPARED_BEFORE, "patient__isnull": False}
    visits = _visits(caller, now, status=Appointment.Status.BOOKED, **soon)
    visits = visits.annotate(day=local_day())
    rows: QuerySet[Any] = visits.filter(needs, ~Exists(verified)).annotate(is_declared=Exists(declared))
    return rows if access.may_verify_coverage(caller) else rows.none()


def _unanswered(caller: Caller, now: datetime) -> QuerySet[Any]:
    soon = {"start__lt": now + PREPARED_BEFORE}
    return requirements.visits_without_answers(_visits(caller, now, status=Appointment.Status.BOOKED, **soon))


def _refused_payments(caller: Caller, now: datetime) -> QuerySet[Any]:
    handled = access.visits_with_payments(caller)
    return booking.refused_orders().filter(visit_key__in=handled.values("pk")).order_by("done", "pk")


def _recalls(caller: Caller, now: datetime) -> QuerySet[Any]:
    """The open recalls that need a call: nobody is told any more, or the day has come."""
    today = now.astimezone(clinic_zone()).date()
    due = recalls.open_recalls(caller).filter(Q(next_message=None) | Q(due__lte=today))
    return due.annotate(visit_key=F("appointment")).order_by("due", "pk")


def _duplicates(caller: Caller, now: datetime) -> QuerySet[Any]:
    return _about_no_visit(duplicates.open_pairs(caller)).order_by("-score", "pk")


def _erasures(caller: Caller, now: datetime) -> QuerySet[Any]:
    """Requests to delete everything about a patient, for those who do that."""
    return _about_no_visit(personal_data.waiting_requests(caller)).order_by("created", "pk")


def _visits(caller: Caller, now: datetime, **conditions: Any) -> QuerySet[Any]:
    """The visits to come that the caller sees and that meet these conditions, in order of time."""
    upcoming = access.staff_appointments(caller).filter(start__gt=now, deleted_at=None, **conditions)
    return upcoming.annotate(visit_key=F("pk")).order_by("start", "pk")


def _about_no_visit(rows: QuerySet[Any]) -> QuerySet[Any]:
    annotated: QuerySet[Any] = rows.annotate(visit_key=Cast(Value(None), BigIntegerField()))
    return annotated


UNTENDED = Q(rebookings__state=Rebooking.State.CALL) | Q(ended=None, offered=None)
INSURED = Q(requires_coverage=True) | Q(requires_verified_coverage=True)
REPLIES = Communication.objects.filter(event=Event.REPLY, read=None)
LOST = Communication.objects.filter(status=Communication.Status.NOT_DONE, attempts__gt=0)
WITH_FORMS = HealthcareService.objects.filter(requires_questionnaires=True)
REFUSED = PaymentOrder.objects.filter(status=PaymentOrder.Status.FAILED)
WAITING = DetailsChange.objects.filter(status=DetailsChange.Status.WAITING)
PAIRS = DuplicatePair.objects.filter(rejected=None)
ASKED = Erasure.objects.filter(status=Erasure.Status.WAITING)
# The parts in the order in which they are read.
PARTS: Mapping[WorkItem.Kind, Part] = {
    Kind.REQUEST: Part(_requests),
    Kind.REBOOK: Part(_to_rebook, source=Absence.objects.filter(UNTENDED)),
    Kind.TEXT: Part(_texts, site=OF_VISIT, source=REPLIES),
    Kind.FAILURE: Part(_failures, site=OF_VISIT, source=LOST),
    Kind.UNCONFIRMED: Part(_unconfirmed),
    Kind.FORMS: Part(_unanswered, source=WITH_FORMS),
    Kind.COVERAGE: Part(_uncovered, Action.COVERAGE, source=HealthcareService.objects.filter(INSURED)),
    Kind.PAYMENT: Part(_refused_payments, Action.PAYMENTS, "visit_site", REFUSED),
    Kind.CHANGE: Part(_changes, Action.RECORDS, "", WAITING),
    Kind.RECALL: Part(_recalls, site=OF_VISIT, source=Task.objects.filter(Task.open())),
    Kind.DUPLICATE: Part(_duplicates, Action.RECORDS, "", PAIRS),
    Kind.ERASURE: Part(_erasures, Action.PERSONAL_DATA, "", ASKED),
}


def parts_with_rows() -> Mapping[WorkItem.Kind, Part]:
    """Return the parts that may have items. One statement, which is far quicker than to ask each part."""
    with connection.cursor() as cursor:
        cursor.execute(_sources())
        found = {kind for (kind,) in cursor.fetchall()}
    return {kind: part for kind, part in PARTS.items() if part.source is None or kind in found}


@cache
def _sources() -> str:
    """The statement for the kinds whose source has a row: the same for every caller at any moment, so composed once.

    It has values instead of parameters, as otherwise a plan for any value would use no index of some rows only.
    """
    sources = [
        part.source.order_by().values_list(Value(kind.value, CharField()))[:1]
        for kind, part in PARTS.items()
        if part.source is not None
    ]
    return mogrify(*sources[0].union(*sources[1:], all=True).query.sql_with_params(), connection)
