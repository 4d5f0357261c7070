"""The desk's worklist: requests to answer, failed messages, and upcoming visits that are not confirmed.

Each part lists upcoming visits that the caller works with, the next one first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from clinic.models import Appointment, User
from portal.appointments import visits
from portal.appointments.visits import Status, Visit
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.notifications import TimelineEntry

CONFIRMED_BEFORE = timedelta(days=2)  # when the desk begins to call patients who have not answered the reminder


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that could not be sent, and its visit."""

    message: TimelineEntry
    visit: Visit


@dataclass(frozen=True, kw_only=True)
class Worklist:
    """All tasks that wait for the desk. `recorded` is the visit whose patient was just recorded as coming."""

    requests: list[Visit]
    failures: list[Failure]
    unconfirmed: list[Visit]
    recorded: Visit | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.requests or self.failures or self.unconfirmed)

    @property
    def visits(self) -> list[Visit]:
        recorded = [self.recorded] if self.recorded else []
        return [*self.requests, *(failure.visit for failure in self.failures), *self.unconfirmed, *recorded]


def read_worklist(caller: Caller, *, now: datetime, recorded: str = "") -> Worklist:
    """Return the caller's worklist, with the visit of the id `recorded` if its patient will come.

    A constant number of queries.
    """
    failed = list(notifications.failures(None, now=now).filter(appointment__in=access.staff_appointments(caller)))
    about = Appointment.objects.filter(pk__in=[message.appointment_id for message in failed])
    by_pk = {visit.appointment.pk: visit for visit in visits.at_their_sites(about, now=now)}
    return Worklist(
        requests=visits.at_their_sites(_requests(caller, now), now=now),
        failures=[
            Failure(notifications.timeline_entry(message), by_pk[message.appointment_id])
            for message in failed
            if message.appointment_id is not None and message.appointment_id in by_pk
        ],
        unconfirmed=visits.at_their_sites(_unconfirmed(caller, now), now=now),
        recorded=_recorded(caller, recorded, now) if recorded else None,
    )


def _recorded(caller: Caller, appointment_id: str, now: datetime) -> Visit | None:
    booked = _upcoming(caller, now).filter(status=Status.BOOKED, fhir_id=appointment_id)
    return next(iter(visits.at_their_sites(booked.exclude(attendance_confirmed=None), now=now)), None)


def count_worklist(caller: Caller, *, now: datetime) -> int:
    """Return the number of tasks of a member of staff. One query."""
    assert caller.user is not None  # staff have signed in
    failures = notifications.failures(None, now=now).filter(appointment__in=access.staff_appointments(caller))
    parts = (_requests(caller, now), failures, _unconfirmed(caller, now))
    counts = [Coalesce(Subquery(_counted(rows)), 0) for rows in parts]
    return sum(User.objects.filter(pk=caller.user.pk).values_list(*counts).get())


def _counted(rows: QuerySet[Any]) -> Any:
    """Return a subquery with the number of rows; it is empty if there are none."""
    return rows.order_by().annotate(group=Value(1)).values("group").annotate(rows=Count("pk")).values("rows")


def _requests(caller: Caller, now: datetime) -> QuerySet[Appointment]:
    pending = _upcoming(caller, now).filter(status=Status.PENDING, hold_expires_at=None)
    return pending.order_by("start", "pk")


def _unconfirmed(caller: Caller, now: datetime) -> QuerySet[Appointment]:
    booked = _upcoming(caller, now).filter(status=Status.BOOKED, attendance_confirmed=None)
    return booked.filter(start__lt=now + CONFIRMED_BEFORE).order_by("start", "pk")


def _upcoming(caller: Caller, now: datetime) -> QuerySet[Appointment]:
    return access.staff_appointments(caller).filter(start__gt=now, deleted_at=None)
