"""What takes the time of people, rooms and devices, as those who work by their calendars read it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from clinic import patient_text, time_text
from clinic.local_time import in_zone
from clinic.models import OCCUPYING, HealthcareService, Patient, Schedule, Slot
from clinic.translations import text_of
from portal.appointments.visits import Status, StatusWord, status_word
from portal.common import disclosures
from portal.staff.calendar.selection import Selection
from portal.staff.groups import Capacities, Seats, capacities, capacity_of
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.core.intervals import Span, merge

COLOURS = 8


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A stretch of taken time. `kind` is visit, group, hold, buffer, block or elsewhere; times are local to the page's
    zone.

    `id` is that of the Appointment, or of the Slot where there is none, or of the calendar where neither may be known;
    `calendars` are the FHIR ids of the calendars shown that it stands on, and `whose` their names. A group has `seats`
    and the visits in it.
    """

    kind: str
    id: str
    start: datetime
    end: datetime
    title: str
    clock: str  # 09:20
    end_clock: str
    hours: str  # 09:20 to 09:50; an hour that comes twice says which one
    service: str = ""
    service_pk: int | None = None
    service_id: str = ""
    patient: Patient | None = None
    status: StatusWord | None = None
    colour: int = 0
    place: str = ""
    expires: datetime | None = None
    is_movable: bool = False
    version: int = 0
    seat: int | None = None
    schedule: int = 0
    calendars: list[str] = field(default_factory=list)
    whose: list[str] = field(default_factory=list)
    seats: Seats | None = None
    members: Sequence["Entry"] = ()

    @property
    def is_visit(self) -> bool:
        return self.kind in ("visit", "group", "hold")

    @property
    def born(self) -> str:
        """The patient's birth date, which tells those of one name apart."""
        return patient_text.birth_date_text(self.patient) if self.patient else ""

    @property
    def is_in_group(self) -> bool:
        return self.seat is not None and self.service_pk is not None and bool(self.calendars)

    @property
    def href(self) -> str:
        """The address at which the entry is seen and changed; empty for one that only takes time."""
        if self.kind == "elsewhere":
            return ""
        if self.kind == "group":
            asked = urlencode({"schedule": self.calendars[0], "start": self.start.isoformat()})
            return f"{reverse('portal:staff-group', args=[self.id])}?{asked}"
        return reverse("portal:staff-block" if self.kind == "block" else "portal:staff-peek", args=[self.id])


class _Row(NamedTuple):
    """A Slot with what a calendar shows of its visit, as the database gives it."""

    id: str
    bookable: int
    schedule: int
    status: str
    start: datetime
    end: datetime
    seat: int | None
    expires: datetime | None
    comment: str
    site: int | None
    site_name: str | None
    visit: str | None
    visit_status: str
    visit_expires: datetime | None
    version: int
    service: int | None
    service_id: str | None
    patient: int | None


_COLUMNS = (
    "fhir_id", "bookable_id", "schedule_id", "status", "start", "end", "seat", "hold_expires_at", "comment",
    "schedule__site_id", "schedule__site__name", "appointment__fhir_id", "appointment__status",
    "appointment__hold_expires_at", "appointment__version", "appointment__service_id",
    "appointment__service__fhir_id", "appointment__patient_id",
)  # fmt: skip


def span_of(start: datetime, end: datetime) -> Span:
    return int(start.timestamp()), int(end.timestamp())


def read_entries(caller: Caller, selection: Selection, start: datetime, end: datetime, *, now: datetime) -> list[Entry]:
    """The entries that take the time of the actors shown, whichever schedule they were booked on: four queries.

    A visit that takes the time of several of them is one entry. Of what the caller may not see there is only when.
    """
    found = _taken(access.visible(Slot, caller), selection, start, end, now)
    rows = [_Row._make(row) for row in found.values_list(*_COLUMNS)]
    patients = Patient.objects.in_bulk({row.patient for row in rows if row.patient})
    disclosures.listed_patients(caller, patients, "calendar", now=now)
    shown = _by_bookable(selection)
    services = HealthcareService.objects.in_bulk({row.service for row in rows if row.service})
    make = _Maker(selection, patients, services)
    entries: dict[tuple[Any, ...], Entry] = {}
    for row in rows:
        key = (row.start, row.end, row.status == Slot.Status.BUSY_UNAVAILABLE, row.visit or row.id)
        entry = entries.get(key) or entries.setdefault(key, make.entry(row))
        for schedule, name in shown.get(row.bookable, ()):
            if schedule.fhir_id not in entry.calendars:
                entry.calendars.append(schedule.fhir_id)
                entry.whose.append(name)
    every = [*entries.values(), *_elsewhere(caller, selection, make, start, end, now)]
    return sorted(every, key=lambda each: (each.start, each.end))


def times_of_visits(
    caller: Caller, selection: Selection, start: datetime, end: datetime, *, now: datetime
) -> list[tuple[datetime, datetime]]:
    """When the actors shown have visits, each time once: one query."""
    visits = _taken(access.visible(Slot, caller), selection, start, end, now).filter(appointment__isnull=False)
    return list(visits.order_by().values_list("start", "end").distinct())


def together(entries: Iterable[Entry]) -> list[Entry]:
    """The same, the visits of one group as one entry. One query where there are groups."""
    entries = list(entries)
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        if entry.is_in_group:
            groups.setdefault(_group(entry), []).append(entry)
    known = capacities({each.service_pk for each in entries if each.is_in_group and each.service_pk})
    gathered: list[Entry] = []
    for entry in entries:
        if not entry.is_in_group:
            gathered.append(entry)
        elif members := groups.pop(_group(entry), None):
            gathered.append(_gathered(members, known))
    return gathered


def _group(entry: Entry) -> tuple[Any, ...]:
    return entry.start, entry.end, entry.service_pk, entry.schedule


def _gathered(members: Sequence[Entry], known: Capacities) -> Entry:
    first = members[0]
    assert first.service_pk is not None  # is_in_group
    of = capacity_of(known, first.service_pk, first.schedule)
    return replace(
        first,
        kind="group",
        id=first.service_id,
        title=first.service,
        service=_("%(taken)d of %(of)d") % {"taken": len(members), "of": of},
        patient=None,
        status=None,
        expires=None,
        is_movable=False,
        seats=Seats(len(members), of),
        members=members,
    )


def _by_bookable(selection: Selection) -> dict[int, list[tuple[Schedule, str]]]:
    shown: dict[int, list[tuple[Schedule, str]]] = {}
    for schedule in selection.shown:
        shown.setdefault(schedule.bookable_id, []).append((schedule, str(schedule.bookable.actor)))
    return shown


def _elsewhere(
    caller: Caller, selection: Selection, make: "_Maker", start: datetime, end: datetime, now: datetime
) -> list[Entry]:
    """When the people shown are busy at a site where the caller does not work."""
    taken: dict[int, list[Span]] = {}
    rows = _taken(access.hidden_busy_slots(caller), selection, start, end, now)
    for bookable, first, last in rows.values_list("bookable", "start", "end"):
        taken.setdefault(bookable, []).append(span_of(first, last))
    return [
        Entry(
            kind="elsewhere",
            id=schedule.fhir_id,
            title=_("Busy elsewhere"),
            calendars=[schedule.fhir_id],
            whose=[str(schedule.bookable.actor)],
            **make.times(as_datetime(first), as_datetime(last)),
        )
        for schedule in selection.shown
        for first, last in merge(taken.get(schedule.bookable_id, []))
    ]


def standing(now: datetime) -> Q:
    """Slots that count: an expired hold does not."""
    return Q(hold_expires_at=None) | Q(hold_expires_at__gt=now)


def _taken(
    slots: QuerySet[Slot], selection: Selection, start: datetime, end: datetime, now: datetime
) -> QuerySet[Slot]:
    """Those that take the time of the actors shown between two moments, in order."""
    slots = slots.filter(standing(now), bookable__in=selection.bookables, status__in=OCCUPYING, deleted_at=None)
    return slots.filter(end__gt=start, start__lt=end).order_by("start", "end", "pk")


class _Maker:
    """Makes entries of rows. What many rows share, such as a time in words, is written once."""

    def __init__(
        self, selection: Selection, patients: dict[int, Patient], services: dict[int, HealthcareService]
    ) -> None:
        self.site = selection.site.pk if selection.site else None
        self.zone = selection.zone
        self.patients = patients
        self.services = services
        self.times = cache(self._times)

    def entry(self, row: _Row) -> Entry:
        times = self.times(row.start, row.end)
        if row.visit is None:
            return Entry(kind="block", id=row.id, title=row.comment or _("Not available"), **times)
        if row.status == Slot.Status.BUSY_UNAVAILABLE:
            return Entry(kind="buffer", id=row.visit, title=_("Buffer"), **times)
        patient = self.patients.get(row.patient or 0)
        is_request = row.visit_status == Status.PENDING and row.visit_expires is None
        return Entry(
            kind="hold" if row.visit_status == Status.PENDING else "visit",
            id=row.visit,
            title=patient_text.with_note(patient) if patient else _("No patient yet"),
            patient=patient,
            service=text_of(self.services.get(row.service or 0), "name"),
            service_pk=row.service,
            service_id=row.service_id or "",
            status=status_word(row.visit_status, is_request=is_request),
            colour=colour_of(row.service) if row.service else 0,
            place=row.site_name if row.site_name and row.site != self.site else "",
            expires=in_zone(row.expires, self.zone) if row.expires else None,
            is_movable=row.visit_status == Status.BOOKED,
            version=row.version,
            seat=row.seat,
            schedule=row.schedule,
            **times,
        )

    def _times(self, start: datetime, end: datetime) -> dict[str, Any]:
        start, end = in_zone(start, self.zone), in_zone(end, self.zone)
        return {
            "start": start,
            "end": end,
            "clock": time_text.clock(start),
            "end_clock": time_text.clock(end),
            "hours": hours_in_words(start, end),
        }


def hours_in_words(start: datetime, end: datetime) -> str:
    """09:20 to 09:50; an hour that comes twice says which one."""
    text = time_text.hours(start, end)
    return _("%(hours)s, after the clocks go back") % {"hours": text} if start.fold else text


def colour_of(service: int) -> int:
    """One of the eight colours, by the primary key of a service."""
    return service % COLOURS + 1
