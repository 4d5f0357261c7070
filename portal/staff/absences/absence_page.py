"""The page of an absence: its visits, grouped by the state of finding another time for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from clinic import time_text
from clinic.local_time import in_zone
from clinic.models import Absence, Appointment, Rebooking
from clinic.translations import actor_name
from portal.staff.absences.people import Absentee
from scheduling import absences, access
from scheduling.absences import AbsenceVisit, Progress
from scheduling.access import Caller
from scheduling.facts import VisitFacts
from scheduling.visit_zone import zone_of_schedule, zone_or_clinics, zones_of_place

State = Rebooking.State
GROUPS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("call", _("To be called"), (State.CALL,)),
    ("affected", _("Affected visits"), ("",)),
    ("looking", _("Looking for times"), (State.WAITING, State.WITHDRAWN)),
    ("ready", _("Times are held, the patient is told next"), (State.READY,)),
    ("offered", _("Waiting for an answer"), (State.OFFERED,)),
    ("moved", _("Moved to another time"), (State.MOVED,)),
    ("cancelled", _("Cancelled"), (State.CANCELLED,)),
    ("kept", _("Stay as booked"), (State.KEPT, State.RETURNED)),
)


@dataclass(frozen=True, slots=True)
class AbsenceSpan:
    """An absence as lists and its page show it, with times in the zone of its actor's calendar."""

    absence: Absence
    zone: ZoneInfo

    @property
    def name(self) -> str:
        return actor_name(self.absence.bookable.actor)

    @property
    def when(self) -> str:
        """The time of the absence: days if it lasts whole days, else days and times."""
        start, end = in_zone(self.absence.start, self.zone), in_zone(self.absence.end, self.zone)
        if start.time() == end.time() == time():
            return time_text.days(start.date(), end.date() - timedelta(days=1))
        if start.date() == end.date():
            return time_text.when(start, end, self.zone)
        return f"{time_text.day_and_time(start)} – {time_text.day_and_time(end)}"


@dataclass(frozen=True, slots=True)
class AbsenceRow:
    """A visit of the absence, with the times that are held for it."""

    visit: VisitFacts
    rebooking: Rebooking | None
    times: Sequence[VisitFacts]

    @property
    def patient(self) -> Any:
        return self.visit.appointment.patient

    @property
    def why(self) -> str:
        """The reason why the patient must be called; empty for others."""
        row = self.rebooking
        return str(Rebooking.Why(row.why).label) if row is not None and row.state == State.CALL and row.why else ""

    @property
    def is_booked(self) -> bool:
        return self.visit.appointment.status == Appointment.Status.BOOKED

    @property
    def is_open(self) -> bool:
        """True if staff can still book another time or cancel."""
        return self.is_booked and (self.rebooking is None or self.rebooking.state not in (State.MOVED, State.KEPT))

    @property
    def answer_by(self) -> datetime | None:
        """Until when the patient can answer, while they are asked."""
        row = self.rebooking
        is_asked = row is not None and row.state == State.OFFERED and row.expires is not None
        return in_zone(row.expires, self.visit.zone) if row is not None and is_asked and row.expires else None


@dataclass(frozen=True, slots=True)
class AbsenceGroup:
    """The visits of an absence in one state of finding another time."""

    code: str
    heading: Any
    rows: Sequence[AbsenceRow]


@dataclass(frozen=True, slots=True)
class AbsencePage:
    """An absence with its visits in groups, and what can be done with all of them."""

    span: AbsenceSpan
    groups: Sequence[AbsenceGroup]
    progress: Progress
    now: datetime

    @property
    def absence(self) -> Absence:
        return self.span.absence

    @property
    def is_over(self) -> bool:
        return self.absence.ended is not None or self.absence.end <= self.now

    @property
    def can_offer(self) -> bool:
        return not self.is_over and self.absence.offered is None and self.progress.visits > 0

    @property
    def can_send(self) -> bool:
        """True while the messages wait, so that it can be undone."""
        return self.absence.send_from is not None and self.absence.send_from > self.now and not self.is_over

    @property
    def is_looking(self) -> bool:
        """True while a worker looks for times."""
        return self.absence.offered is not None and self.absence.send_from is None and not self.is_over

    @property
    def is_live(self) -> bool:
        """True while the page changes by itself from one moment to the next."""
        return self.is_looking or self.can_send

    @property
    def send_from(self) -> datetime | None:
        return in_zone(self.absence.send_from, self.span.zone) if self.absence.send_from else None

    @property
    def visits(self) -> list[Appointment]:
        """The visits of all groups, whose patients the page shows."""
        return [row.visit.appointment for group in self.groups for row in group.rows]


def absence_page(absence: Absence, *, caller: Caller, now: datetime) -> AbsencePage:
    """Return the page of an absence that the caller sees. A constant number of queries."""
    visits = absences.absence_visits(absence, caller=caller, now=now)
    zones = zones_of_place([visit.appointment for visit in visits])
    rows = [(visit.state, _row(visit, zones[visit.appointment.pk])) for visit in visits]
    groups = [
        AbsenceGroup(code, heading, found)
        for code, heading, states in GROUPS
        if (found := [row for state, row in rows if state in states])
    ]
    return AbsencePage(span_of(absence, caller), groups, absences.progress_of(visits), now)


def span_of(absence: Absence, caller: Caller) -> AbsenceSpan:
    """Return the absence with the zone of its site, or of its actor's first calendar that the caller sees."""
    if absence.site is not None:
        return AbsenceSpan(absence, zone_or_clinics(absence.site.timezone))
    schedules = access.calendars(caller).filter(bookable=absence.bookable_id).select_related("site").order_by("pk")
    return AbsenceSpan(absence, zone_of_schedule(schedules[0]))


def spans_of(rows: Iterable[Absence], people: Sequence[Absentee]) -> list[AbsenceSpan]:
    """Return several absences of sites and of these people, rooms and devices. No query for each."""
    zones = {each.bookable: each.zone for each in people}
    return [
        AbsenceSpan(row, zone_or_clinics(row.site.timezone) if row.site else zones[row.bookable_id])
        for row in rows
        if row.site or row.bookable_id in zones
    ]


def _row(visit: AbsenceVisit, zone: ZoneInfo) -> AbsenceRow:
    times = [VisitFacts(hold, zone) for hold in visit.alternatives]
    return AbsenceRow(VisitFacts(visit.appointment, zone), visit.rebooking, times)
