"""Queries for the pages of absences: the absences, the visits that each affects, and the state of each visit."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clinic.models import OPEN_REBOOKING, Absence, Appointment, Rebooking, Slot
from scheduling import access, booking
from scheduling.access import Caller

State = Rebooking.State
ACTORS = ("practitioner", "location", "device", "healthcare_service", "patient")


@dataclass(frozen=True, slots=True)
class AbsenceVisit:
    """A visit that an absence concerns, with its Rebooking once other times are offered, and the times held for it."""

    appointment: Appointment
    rebooking: Rebooking | None
    alternatives: Sequence[Appointment]

    @property
    def state(self) -> str:
        """The state of its Rebooking; empty before other times are offered."""
        return self.rebooking.state if self.rebooking else ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The number of visits of an absence in each state."""

    visits: int
    looked_for: int
    told: int
    to_call: int
    moved: int
    cancelled: int
    kept: int
    ready: int

    @property
    def is_looking(self) -> bool:
        """True while times are being looked for."""
        return self.looked_for < self.visits


def absences_of(caller: Caller, *, now: datetime, past: bool = False) -> "QuerySet[Absence]":
    """The absences that the caller sees, to come or `past`, with the number `left` of visits that are still open."""
    over = Q(end__lte=now) | Q(ended__isnull=False)
    related = [f"bookable__{actor}" for actor in ACTORS]
    rows = access.absences(caller).filter(over if past else ~over).select_related(*related)
    is_open = Q(rebookings__state__in=OPEN_REBOOKING)
    return rows.annotate(left=Count("rebookings", filter=is_open)).order_by("-start" if past else "start", "pk")


def absence_visits(absence: Absence, *, caller: Caller, now: datetime) -> list[AbsenceVisit]:
    """The visits of an absence that the caller works with, in order of time. A constant number of statements."""
    concerned = Q(pk__in=absence.rebookings.order_by().values("appointment"))
    if absence.ended is None:
        concerned |= Q(pk__in=booking.affected_visits(absence, now=now).order_by().values("pk"))
    rows = access.staff_appointments(caller).filter(concerned).order_by("start", "pk")
    visits = list(rows.select_related("service", "patient", "site"))
    keys = [visit.pk for visit in visits]
    rebookings = {row.appointment_id: row for row in absence.rebookings.filter(appointment__in=keys).order_by("pk")}
    held = Appointment.objects.filter(
        suggested_for__in=keys, status=Appointment.Status.PENDING, hold_expires_at__gt=now
    ).select_related("service", "site", "patient")
    times: dict[int | None, list[Appointment]] = defaultdict(list)
    for hold in held.order_by("start", "pk"):
        times[hold.suggested_for_id].append(hold)
    return [AbsenceVisit(visit, rebookings.get(visit.pk), times[visit.pk]) for visit in visits]


def visits_to_rebook(visits: QuerySet[Appointment], *, now: datetime) -> QuerySet[Any]:
    """Return those of the visits that staff must find another time for, with the primary key of their `absence`.

    Their patient is to be called, or nobody has had other times looked for yet.
    """
    slots = Slot.objects.filter(status=Slot.Status.BUSY, deleted_at=None, appointment__isnull=False)
    under = [
        _rows_during(slots, "bookable__absences", "appointment", now),
        _rows_during(slots, "schedule__site__bookable__absences", "appointment", now),
        _rows_during(Appointment.objects.all(), "site__bookable__absences", "pk", now),
    ]
    of_visit = Rebooking.objects.filter(appointment=OuterRef("pk")).order_by("-pk")
    to_call = of_visit.filter(state=State.CALL)
    settled = of_visit.exclude(state__in=(State.WITHDRAWN, State.MOVED))
    is_under = reduce(or_, (Q(pk__in=rows.values("visit")) for rows in under))
    concerned = Q(pk__in=Rebooking.objects.filter(state=State.CALL).values("appointment")) | (
        is_under & ~Exists(settled)
    )
    absences = [Subquery(rows.filter(visit=OuterRef("pk")).values("absence")[:1]) for rows in under]
    return visits.filter(concerned).annotate(
        absence=Coalesce(Subquery(to_call.values("absence")[:1]), *absences, output_field=BigIntegerField())
    )


def _rows_during(rows: QuerySet[Any], absences: str, visit: str, now: datetime) -> QuerySet[Any]:
    """Return the rows during one of their `absences`, if other times have not been offered yet, annotated with the
    primary keys of the `visit` and the `absence`.
    """
    untended = {f"{absences}__ended": None, f"{absences}__offered": None, f"{absences}__end__gt": now}
    during = Q(start__lt=F(f"{absences}__end"), end__gt=F(f"{absences}__start"))
    # The filter comes first: the annotation then names the absence that it has found.
    found: QuerySet[Any] = rows.filter(during, **untended).order_by()
    named: QuerySet[Any] = found.annotate(visit=F(visit), absence=F(absences))
    return named


def progress_of(visits: Sequence[AbsenceVisit]) -> Progress:
    """The numbers of these visits by state."""
    states = Counter(visit.state for visit in visits)
    return Progress(
        visits=len(visits),
        looked_for=len(visits) - states[State.WAITING] - states[""],
        ready=states[State.READY],
        told=states[State.OFFERED],
        to_call=states[State.CALL],
        moved=states[State.MOVED],
        cancelled=states[State.CANCELLED],
        kept=states[State.KEPT] + states[State.RETURNED],
    )
