"""Entries of the calendars: visits, groups, holds, buffers and blocks."""

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
from clinic.translations import actor_name, text_of
from portal.appointments.statuses import Status, StatusWord, status_word
from portal.common import disclosures
from portal.staff.calendar.selection import Selection, run_by
from portal.staff.groups import Capacities, Seats, capacities, capacity_of
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.core.intervals import Span, merge

COLOURS = 8


@dataclass(frozen=True, kw_only=True)
class CalendarEntry:
    """An entry of the calendar, with times in the page's zone.

    `kind` is visit, group, hold, buffer, block or elsewhere. `id` is that of the Appointment; without one, of the Slot;
    if the caller may see neither, of the calendar. `calendars` are the FHIR ids of its selected calendars, and `whose`
    their names. A group has `seats` and its visits as `members`. `places` is the number of seats that a visit takes:
    one for each of its patients.
    """

    kind: str
    id: str
    start: datetime
    end: datetime
    title: str
    clock: str  # 09:20
    end_clock: str
    hours: str  # 09:20 to 09:50; says which one if a local hour comes twice
    service: str = ""
    service_types: Sequence[dict[str, Any]] = ()
    service_pk: int | None = None
    service_id: str = ""
    patient: Patient | None = None
    status: StatusWord | None = None
    colour: int = 0
    place: str = ""
    expires: datetime | None = None
    is_movable: bool = False
    is_referred: bool = False
    version: int = 0
    seat: int | None = None
    places: int = 1
    schedule: int = 0
    calendars: list[str] = field(default_factory=list)
    whose: list[str] = field(default_factory=list)
    seats: Seats | None = None
    members: Sequence["CalendarEntry"] = ()

    @property
    def is_visit(self) -> bool:
        return self.kind in ("visit", "group", "hold")

    @property
    def note(self) -> str:
        """The words for an extra visit, for the end of a hold, and for a referred patient."""
        extra = _("Extra visit") if self.is_extra else ""
        held = _("until %(time)s") % {"time": time_text.clock(self.expires)} if self.expires else ""
        return " \u00b7 ".join(filter(None, (extra, held, _("Referred") if self.is_referred else "")))

    @property
    def others(self) -> int:
        """The number of patients who come besides the one who is named."""
        return self.places - 1

    @property
    def born(self) -> str:
        """The patient's birth date, to tell patients of the same name apart."""
        return patient_text.birth_date_text(self.patient) if self.patient else ""

    @property
    def needs(self) -> str:
        """The patient's needs, such as an interpreter."""
        return ", ".join(patient_text.needs_of(self.patient))

    @property
    def is_in_group(self) -> bool:
        return self.seat is not None and not self.is_extra and self.service_pk is not None and bool(self.calendars)

    @property
    def is_extra(self) -> bool:
        """True if it was booked at a time that was taken."""
        return self.seat is not None and self.seat < 0

    @property
    def href(self) -> str:
        """The address of the entry's dialog; empty for time that is busy elsewhere."""
        if self.kind == "elsewhere":
            return ""
        if self.kind == "group":
            query = urlencode({"schedule": self.calendars[0], "start": self.start.isoformat()})
            return f"{reverse('portal:staff-group', args=[self.id])}?{query}"
        return reverse("portal:staff-block" if self.kind == "block" else "portal:staff-peek", args=[self.id])


class _SlotRow(NamedTuple):
    """A row of the database: a Slot with the columns of its visit that a calendar shows."""

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
    suggested_for: int | None
    referral: int | None


_COLUMNS = (
    "fhir_id", "bookable_id", "schedule_id", "status", "start", "end", "seat", "hold_expires_at", "comment",
    "schedule__site_id", "schedule__site__name", "appointment__fhir_id", "appointment__status",
    "appointment__hold_expires_at", "appointment__version", "appointment__service_id",
    "appointment__service__fhir_id", "appointment__patient_id",
    "appointment__suggested_for_id", "appointment__referral_id",
)  # fmt: skip


def span_of(start: datetime, end: datetime) -> Span:
    return int(start.timestamp()), int(end.timestamp())


def read_entries(
    caller: Caller, selection: Selection, start: datetime, end: datetime, *, now: datetime
) -> list[CalendarEntry]:
    """Return the entries of the selected actors, on whichever of their schedules they were booked. Four queries.

    A visit with several of the actors is one entry. Of what the caller may not see, only the time is included.
    """
    found = _taken(access.visible(Slot, caller), selection, start, end, now)
    rows = _joined(_SlotRow._make(row) for row in found.values_list(*_COLUMNS))
    patients = Patient.objects.in_bulk({row.patient for row in rows if row.patient})
    disclosures.listed_patients(caller, patients, "calendar", now=now)
    schedules = _by_bookable(selection)
    services = HealthcareService.objects.in_bulk({row.service for row in rows if row.service})
    make = _EntryFactory(selection, patients, services, run_by(caller, selection.shown))
    entries: dict[tuple[Any, ...], CalendarEntry] = {}
    for row in rows:
        key = (row.start, row.end, row.status == Slot.Status.BUSY_UNAVAILABLE, row.visit or row.id)
        if key in entries and row.seat is not None and row.schedule == entries[key].schedule:
            entries[key] = replace(entries[key], places=entries[key].places + 1)
        entry = entries.get(key) or entries.setdefault(key, make.entry(row))
        for schedule, name in schedules.get(row.bookable, ()):
            if schedule.fhir_id not in entry.calendars:
                entry.calendars.append(schedule.fhir_id)
                entry.whose.append(name)
    every = [*entries.values(), *_elsewhere(caller, selection, make, start, end, now)]
    return sorted(every, key=lambda each: (each.start, each.end))


def _joined(rows: Iterable[_SlotRow]) -> list[_SlotRow]:
    """Return the rows, in order of time, with consecutive Slots of one visit as one: it may have taken stored ones."""
    joined: list[_SlotRow] = []
    last: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = row.visit, row.bookable, row.status
        at = last.get(key) if row.visit and row.status != Slot.Status.BUSY_UNAVAILABLE else None
        if at is not None and joined[at].end == row.start:
            joined[at] = joined[at]._replace(end=row.end)
        else:
            last[key] = len(joined)
            joined.append(row)
    return joined


def times_of_visits(
    caller: Caller, selection: Selection, start: datetime, end: datetime, *, now: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the times of visits of the selected actors, each once. One query."""
    visits = _taken(access.visible(Slot, caller), selection, start, end, now).filter(appointment__isnull=False)
    times = visits.order_by().values_list("appointment__start", "appointment__end").distinct()
    return [(begins, ends) for begins, ends in times if begins and ends]


def merge_groups(entries: Iterable[CalendarEntry]) -> list[CalendarEntry]:
    """Return the entries with the visits of each group merged into one. One query if there are groups."""
    entries = list(entries)
    groups: dict[tuple[Any, ...], list[CalendarEntry]] = {}
    for entry in entries:
        if entry.is_in_group:
            groups.setdefault(_group(entry), []).append(entry)
    known = capacities({each.service_pk for each in entries if each.is_in_group and each.service_pk})
    gathered: list[CalendarEntry] = []
    for entry in entries:
        if not entry.is_in_group:
            gathered.append(entry)
        elif members := groups.pop(_group(entry), None):
            gathered.append(_group_entry(members, known))
    return gathered


def _group(entry: CalendarEntry) -> tuple[Any, ...]:
    return entry.start, entry.end, entry.service_pk, entry.schedule


def _group_entry(members: Sequence[CalendarEntry], known: Capacities) -> CalendarEntry:
    first = members[0]
    assert first.service_pk is not None  # is_in_group
    of = capacity_of(known, first.service_pk, first.schedule)
    taken = sum(member.places for member in members)
    return replace(
        first,
        kind="group",
        places=taken,
        id=first.service_id,
        title=first.service,
        service=_("%(taken)d of %(of)d") % {"taken": taken, "of": of},
        patient=None,
        status=None,
        expires=None,
        is_movable=False,
        seats=Seats(taken, of),
        members=members,
    )


def _by_bookable(selection: Selection) -> dict[int, list[tuple[Schedule, str]]]:
    schedules: dict[int, list[tuple[Schedule, str]]] = {}
    for schedule in selection.shown:
        schedules.setdefault(schedule.bookable_id, []).append((schedule, actor_name(schedule.bookable.actor)))
    return schedules


def _elsewhere(
    caller: Caller, selection: Selection, make: "_EntryFactory", start: datetime, end: datetime, now: datetime
) -> list[CalendarEntry]:
    """Return when the selected people are busy at sites where the caller does not work."""
    taken: dict[int, list[Span]] = {}
    rows = _taken(access.hidden_busy_slots(caller), selection, start, end, now)
    for bookable, first, last in rows.values_list("bookable", "start", "end"):
        taken.setdefault(bookable, []).append(span_of(first, last))
    return [
        CalendarEntry(
            kind="elsewhere",
            id=schedule.fhir_id,
            title=_("Busy elsewhere"),
            calendars=[schedule.fhir_id],
            whose=[actor_name(schedule.bookable.actor)],
            **make.times(as_datetime(first), as_datetime(last)),
        )
        for schedule in selection.shown
        for first, last in merge(taken.get(schedule.bookable_id, []))
    ]


def standing(now: datetime) -> Q:
    """Return the filter for Slots that take time: an expired hold does not."""
    return Q(hold_expires_at=None) | Q(hold_expires_at__gt=now)


def _taken(
    slots: QuerySet[Slot], selection: Selection, start: datetime, end: datetime, now: datetime
) -> QuerySet[Slot]:
    """Return the Slots that take time of the selected actors between two moments, in order."""
    slots = slots.filter(standing(now), bookable__in=selection.bookables, status__in=OCCUPYING, deleted_at=None)
    return slots.filter(end__gt=start, start__lt=end).order_by("start", "end", "pk")


class _EntryFactory:
    """Makes entries from rows. Texts that many rows share, such as a time in words, are made once."""

    def __init__(
        self,
        selection: Selection,
        patients: dict[int, Patient],
        services: dict[int, HealthcareService],
        run: Iterable[Schedule],
    ) -> None:
        self.site = selection.site.pk if selection.site else None
        self.zone = selection.zone
        self.names_zone = selection.names_zone
        self.patients = patients
        self.services = services
        self.run = {each.bookable_id for each in run}
        self.times = cache(self._times)

    def entry(self, row: _SlotRow) -> CalendarEntry:
        times = self.times(row.start, row.end)
        if row.visit is None:
            return CalendarEntry(kind="block", id=row.id, title=row.comment or _("Not available"), **times)
        if row.status == Slot.Status.BUSY_UNAVAILABLE:
            return CalendarEntry(kind="buffer", id=row.visit, title=_("Buffer"), **times)
        patient = self.patients.get(row.patient or 0)
        service = self.services.get(row.service or 0)
        is_request = row.visit_status == Status.PENDING and row.visit_expires is None
        return CalendarEntry(
            kind="hold" if row.visit_status == Status.PENDING else "visit",
            id=row.visit,
            title=patient_text.with_note(patient) if patient else _("No patient yet"),
            patient=patient,
            service=text_of(service, "name"),
            service_types=service.type if service else (),
            service_pk=row.service,
            service_id=row.service_id or "",
            status=status_word(row.visit_status, is_request=is_request, is_suggestion=row.suggested_for is not None),
            colour=colour_of(row.service) if row.service else 0,
            place=self._place(row),
            expires=in_zone(row.expires, self.zone) if row.expires else None,
            is_movable=row.visit_status == Status.BOOKED and row.bookable in self.run,
            is_referred=row.referral is not None,
            version=row.version,
            seat=row.seat,
            schedule=row.schedule,
            **times,
        )

    def _place(self, row: _SlotRow) -> str:
        """The site of a visit if it is not the one that the page is about, with its zone if others are shown too."""
        if not row.site_name or row.site == self.site:
            return ""
        return f"{row.site_name} ({time_text.zone_name(self.zone)})" if self.names_zone else row.site_name

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
    """Return "09:20 to 09:50"; says which one if a local hour comes twice."""
    text = time_text.hours(start, end)
    return _("%(hours)s, after the clocks go back") % {"hours": text} if start.fold else text


def colour_of(service: int) -> int:
    """Return the number of a service's colour, by its primary key."""
    return service % COLOURS + 1
