"""Calendars as the people who work by them read them: what takes the time of people, rooms and devices."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import words
from clinic.models import OCCUPYING, HealthcareService, Location, Schedule, Slot
from portal import disclosures
from portal.visits import SCHEDULE, Status, StatusWord, status_of, zone_of_schedule
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import all_offerings_of, as_datetime, open_spans
from scheduling.core.intervals import Span, intersect, merge, subtract

COLOURS = 8
DAY = timedelta(days=1)
FIRST_FEW = 8  # calendars that are shown to someone who has not chosen any
PEOPLE, ROOMS, DEVICES = "people", "rooms", "devices"
KINDS = {PEOPLE: gettext_lazy("People"), ROOMS: gettext_lazy("Rooms"), DEVICES: gettext_lazy("Devices")}
SESSION = "calendar"


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


@dataclass(frozen=True, slots=True)
class Day:
    """One local day: its entries in order, before which of them it is now, and when any of the calendars is open.

    `share` is how many hundredths of their open time are taken.
    """

    date: date
    entries: list[Entry]
    is_today: bool
    now: datetime
    opening: list[tuple[datetime, datetime]] = field(default_factory=list)
    share: int = 0

    @property
    def visits(self) -> int:
        return sum(entry.is_visit for entry in self.entries)

    @property
    def rows(self) -> list[Entry | None]:
        """What an agenda lists: all but buffers, with None where the line of now goes."""
        shown = [entry for entry in self.entries if entry.kind != "buffer"]
        if not self.is_today:
            return list(shown)
        passed = [entry for entry in shown if entry.start <= self.now]
        return [*passed, None, *shown[len(passed) :]]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The calendars that somebody looks at, all of one site, of `every` one that they work by."""

    every: Sequence[Schedule]
    site: Location | None
    shown: Sequence[Schedule]

    @property
    def zone(self) -> ZoneInfo:
        """A site's calendar is in the site's time; without a site, in that of the first."""
        return zone_of(self.shown[0])

    @property
    def sites(self) -> list[Location]:
        return list({each.site.pk: each.site for each in self.every if each.site}.values())

    @property
    def groups(self) -> list[tuple[str, Any, list[Schedule]]]:
        """The calendars of the site by kind, those that are there."""
        here = [each for each in self.every if each.site == self.site]
        groups = [(kind, word, [each for each in here if kind_of(each) == kind]) for kind, word in KINDS.items()]
        return [group for group in groups if group[2]]

    @property
    def ids(self) -> list[str]:
        return [each.fhir_id for each in self.shown]

    @property
    def bookables(self) -> list[int]:
        return sorted({each.bookable_id for each in self.shown})

    @property
    def names(self) -> str:
        """Whose they are; a number where a line would not hold them."""
        if len(self.shown) > 3:
            return _("%(count)d calendars") % {"count": len(self.shown)}
        return ", ".join(str(each.bookable.actor) for each in self.shown)

    def one(self, fhir_id: str) -> Schedule | None:
        """The calendar with this id, if the caller works by it, shown or not."""
        return next((each for each in self.every if each.fhir_id == fhir_id), None)


def calendars(caller: Caller) -> list[Schedule]:
    """The calendars that the caller works by, their own first."""
    rows = access.calendars(caller).select_related(*SCHEDULE).prefetch_related("scheduling_parameters")
    own = caller.practitioner.pk if caller.practitioner else None
    return sorted(
        rows,
        key=lambda each: (kind_of(each) != PEOPLE, own is None or each.bookable.practitioner_id != own, name(each)),
    )


def select(every: Sequence[Schedule], caller: Caller, remembered: Mapping[str, Any]) -> Selection:
    """What was chosen before, as far as it is still there; else the caller's own, else the people of their site."""
    chosen = [each for each in every if each.fhir_id in remembered.get("calendars", ())]
    wanted = remembered.get("site")
    first = next((each for each in every if wanted and each.site and each.site.fhir_id == wanted), None)
    site = (chosen or [first or every[0]])[0].site
    here = [each for each in every if each.site == site]
    shown = (
        [each for each in chosen if each.site == site] or _of_kind(here, remembered.get("kind")) or _own(here, caller)
    )
    return Selection(every=every, site=site, shown=shown or here[:FIRST_FEW])


def _of_kind(here: Sequence[Schedule], kind: str | None) -> list[Schedule]:
    return [each for each in here if kind and kind_of(each) == kind]


def _own(here: Sequence[Schedule], caller: Caller) -> list[Schedule]:
    own = caller.practitioner.pk if caller.practitioner else None
    mine = [each for each in here if own is not None and each.bookable.practitioner_id == own]
    return mine or _of_kind(here, PEOPLE)[:FIRST_FEW]


def kind_of(schedule: Schedule) -> str:
    if schedule.bookable.location_id is not None:
        return ROOMS
    return DEVICES if schedule.bookable.device_id is not None else PEOPLE


def name(schedule: Schedule) -> str:
    """Whose calendar, and where."""
    actor = str(schedule.bookable.actor)
    return f"{actor}, {schedule.site}" if schedule.site else actor


def zone_of(schedule: Schedule) -> ZoneInfo:
    return zone_of_schedule(schedule)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day."""
    return datetime.combine(day, time(), zone)


def read_days(caller: Caller, selection: Selection, first: date, days: int, *, now: datetime) -> list[Day]:
    """That many days from `first` on: one query for all of them."""
    zone = selection.zone
    start, end = midnight(first, zone), midnight(first + days * DAY, zone)
    entries = read_entries(caller, selection, start, end, now=now)
    opening = opening_of(selection, start, end)
    today = now.astimezone(zone).date()
    return [
        _day(first + n * DAY, entries, opening, zone, now.astimezone(zone), is_today=first + n * DAY == today)
        for n in range(days)
    ]


def _day(
    day: date,
    entries: list[Entry],
    opening: Mapping[int, list[Span]],
    zone: ZoneInfo,
    now: datetime,
    *,
    is_today: bool,
) -> Day:
    start, end = midnight(day, zone), midnight(day + DAY, zone)
    here = [entry for entry in entries if entry.start < end and entry.end > start]
    within = [_span(start, end)]
    open_ = sum(_length(intersect(spans, within)) for spans in opening.values())
    taken = sum(_length(intersect([_span(each.start, each.end)], within)) * len(each.calendars) for each in here)
    spans = intersect(merge(span for each in opening.values() for span in each), within)
    return Day(
        day,
        here,
        is_today,
        now,
        [(as_datetime(first).astimezone(zone), as_datetime(last).astimezone(zone)) for first, last in spans],
        round(100 * min(taken / open_, 1)) if open_ else 0,
    )


def _span(start: datetime, end: datetime) -> Span:
    return int(start.timestamp()), int(end.timestamp())


def _length(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans)


def opening_of(selection: Selection, start: datetime, end: datetime) -> dict[int, list[Span]]:
    """When each of the calendars shown is open, by its primary key: two queries."""
    offerings = all_offerings_of([each.pk for each in selection.shown])
    return {each.pk: [] for each in selection.shown} | open_spans(offerings, start, end)


def closed(opening: Mapping[int, list[Span]], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """What lies outside the hours of each."""
    return {pk: subtract([_span(start, end)], spans) for pk, spans in opening.items()}


def closed_for_all(opening: Mapping[int, list[Span]], start: datetime, end: datetime) -> list[Span]:
    return subtract([_span(start, end)], merge(span for spans in opening.values() for span in spans))


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
        taken.setdefault(bookable, []).append(_span(first, last))
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
    start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
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
        title=str(visit.patient) if visit.patient else _("No patient yet"),
        service=visit.service.name if visit.service else "",
        status=status_of(visit),
        colour=colour_of(visit.service) if visit.service else 0,
        place=str(slot.schedule.site) if slot.schedule.site and slot.schedule.site != site else "",
        expires=slot.hold_expires_at.astimezone(zone) if slot.hold_expires_at else None,
        is_movable=visit.status == Status.BOOKED,
        version=visit.version,
    )


def colour_of(service: HealthcareService) -> int:
    return service.pk % COLOURS + 1


_CHANGES = """
    SELECT count(*), max(last_updated), sum(version) FROM (
        SELECT last_updated, version FROM clinic_slot
        WHERE last_updated > %(since)s AND bookable_id = ANY(%(bookables)s)
        UNION ALL
        SELECT appointment.last_updated, appointment.version
        FROM clinic_appointment appointment JOIN clinic_slot slot ON slot.appointment_id = appointment.id
        WHERE appointment.last_updated > %(since)s AND slot.bookable_id = ANY(%(bookables)s)
    ) changed
"""


def changes(selection: Selection, since: datetime) -> str:
    """What tells one state of these calendars from another, as far as it came about after `since`: one query.

    Not the latest moment alone: who began to write earlier may finish later.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {"since": since, "bookables": selection.bookables})
        count, latest, versions = cursor.fetchone()
    return f"{count}-{latest.timestamp() if latest else 0}-{versions or 0}"
