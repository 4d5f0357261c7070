"""What takes the time of people, rooms and devices, as those who work by their calendars read it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clinic import words
from clinic.local_time import in_zone
from clinic.models import OCCUPYING, HealthcareService, Location, Slot
from clinic.texts import text_of
from portal.appointments.visits import Status, StatusWord, status_of
from portal.common import disclosures
from portal.staff.calendar.selection import Selection
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.core.intervals import Span, merge

COLOURS = 8


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A stretch of taken time. `kind` is visit, hold, buffer, block or elsewhere; times are local to the page's zone.

    `id` is that of the Appointment, or of the Slot where there is none, or of the calendar where neither may be known;
    `calendars` are the FHIR ids of the calendars shown that it stands on, and `whose` their names.
    """

    kind: str
    id: str
    start: datetime
    end: datetime
    title: str
    service: str = ""
    status: StatusWord | None = None
    colour: int = 0
    place: str = ""
    expires: datetime | None = None
    is_movable: bool = False
    version: int = 0
    calendars: list[str] = field(default_factory=list)
    whose: list[str] = field(default_factory=list)

    @property
    def hours(self) -> str:
        """09:20 to 09:50; an hour that comes twice says which one."""
        text = words.hours(self.start, self.end)
        return _("%(hours)s, after the clocks go back") % {"hours": text} if self.start.fold else text

    @property
    def is_visit(self) -> bool:
        return self.kind in ("visit", "hold")


def span_of(start: datetime, end: datetime) -> Span:
    return int(start.timestamp()), int(end.timestamp())


def read_entries(caller: Caller, selection: Selection, start: datetime, end: datetime, *, now: datetime) -> list[Entry]:
    """What takes the time of the actors shown, whichever schedule it was booked on: two queries.

    A visit that takes the time of several of them is one entry. Of what the caller may not see there is only when.
    """
    zone = selection.zone
    entries: dict[tuple[Any, ...], Entry] = {}
    rows = _taken(access.visible(Slot, caller), selection, start, end, now)
    rows = rows.select_related("schedule__site", "appointment__patient", "appointment__service")
    disclosures.listed(caller, (slot.appointment for slot in rows if slot.appointment), "calendar", now=now)
    for slot in rows:
        entry = _entry(slot, selection.site, zone)
        key = (slot.start, slot.end, entry.kind, entry.id)
        entry = entries.setdefault(key, entry)
        for schedule in selection.shown:
            if schedule.bookable_id == slot.bookable_id and schedule.fhir_id not in entry.calendars:
                entry.calendars.append(schedule.fhir_id)
                entry.whose.append(str(schedule.bookable.actor))
    every = [*entries.values(), *_elsewhere(caller, selection, start, end, now)]
    return sorted(every, key=lambda each: (each.start, each.end))


def _elsewhere(caller: Caller, selection: Selection, start: datetime, end: datetime, now: datetime) -> list[Entry]:
    """When the people shown are busy at a site where the caller does not work."""
    taken: dict[int, list[Span]] = {}
    rows = _taken(access.taken_out_of_sight(caller), selection, start, end, now)
    for bookable, first, last in rows.values_list("bookable", "start", "end"):
        taken.setdefault(bookable, []).append(span_of(first, last))
    return [
        Entry(
            kind="elsewhere",
            id=schedule.fhir_id,
            start=as_datetime(first).astimezone(selection.zone),
            end=as_datetime(last).astimezone(selection.zone),
            title=_("Busy elsewhere"),
            calendars=[schedule.fhir_id],
            whose=[str(schedule.bookable.actor)],
        )
        for schedule in selection.shown
        for first, last in merge(taken.get(schedule.bookable_id, []))
    ]


def _taken(
    slots: QuerySet[Slot], selection: Selection, start: datetime, end: datetime, now: datetime
) -> QuerySet[Slot]:
    """Those that take the time of the actors shown between two moments, in order."""
    standing = Q(hold_expires_at=None) | Q(hold_expires_at__gt=now)
    slots = slots.filter(standing, bookable__in=selection.bookables, status__in=OCCUPYING, deleted_at=None)
    return slots.filter(end__gt=start, start__lt=end).order_by("start", "end", "pk")


def _entry(slot: Slot, site: Location | None, zone: ZoneInfo) -> Entry:
    start, end = in_zone(slot.start, zone), in_zone(slot.end, zone)
    visit = slot.appointment
    if visit is None:
        return Entry(kind="block", id=slot.fhir_id, start=start, end=end, title=slot.comment or _("Not available"))
    if slot.status == Slot.Status.BUSY_UNAVAILABLE:
        return Entry(kind="buffer", id=visit.fhir_id, start=start, end=end, title=_("Buffer"))
    return Entry(
        kind="hold" if visit.status == Status.PENDING else "visit",
        id=visit.fhir_id,
        start=start,
        end=end,
        title=words.with_note(visit.patient) if visit.patient else _("No patient yet"),
        service=text_of(visit.service, "name"),
        status=status_of(visit),
        colour=colour_of(visit.service) if visit.service else 0,
        place=str(slot.schedule.site) if slot.schedule.site and slot.schedule.site != site else "",
        expires=in_zone(slot.hold_expires_at, zone) if slot.hold_expires_at else None,
        is_movable=visit.status == Status.BOOKED,
        version=visit.version,
    )


def colour_of(service: HealthcareService) -> int:
    return service.pk % COLOURS + 1
