"""The parts of the worklist: for each kind of item, the rows that call for somebody at the clinic.

Each row has `visit_key`, the primary key of the visit that it is about, or None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast

from clinic.country import clinic_zone
from clinic.models import Appointment, Coverage, DetailsChange, WorkItem
from scheduling import absences, access, booking, notifications, recalls, requirements
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

    `site` is the lookup of their site; empty for what belongs to no site.
    """

    rows: Callable[[Caller, datetime], QuerySet[Any]]
    action: Action = Action.RUN
    site: str = "site"

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
    waiting = DetailsChange.objects.filter(status=DetailsChange.Status.WAITING).select_related("patient")
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
    """Visits that need an insurance, of patients of whom none is checked and in force on that day.

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


def _visits(caller: Caller, now: datetime, **conditions: Any) -> QuerySet[Any]:
    """The visits to come that the caller sees and that meet these conditions, in order of time."""
    upcoming = access.staff_appointments(caller).filter(start__gt=now, deleted_at=None, **conditions)
    return upcoming.annotate(visit_key=F("pk")).order_by("start", "pk")


def _about_no_visit(rows: QuerySet[Any]) -> QuerySet[Any]:
    annotated: QuerySet[Any] = rows.annotate(visit_key=Cast(Value(None), BigIntegerField()))
    return annotated


# The parts in the order in which they are read.
PARTS: Mapping[WorkItem.Kind, Part] = {
    Kind.REQUEST: Part(_requests),
    Kind.REBOOK: Part(_to_rebook),
    Kind.TEXT: Part(_texts, site=OF_VISIT),
    Kind.FAILURE: Part(_failures, site=OF_VISIT),
    Kind.UNCONFIRMED: Part(_unconfirmed),
    Kind.FORMS: Part(_unanswered),
    Kind.COVERAGE: Part(_uncovered, Action.COVERAGE),
    Kind.PAYMENT: Part(_refused_payments, Action.PAYMENTS, "visit_site"),
    Kind.CHANGE: Part(_changes, Action.RECORDS, ""),
    Kind.RECALL: Part(_recalls, site=OF_VISIT),
    Kind.DUPLICATE: Part(_duplicates, Action.RECORDS, ""),
}
