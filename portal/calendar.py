"""A calendar as the people who work by it read it: what takes the time of one person, room or device."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import OCCUPYING, Schedule, Slot
from portal.visits import SCHEDULE, STATUS_WORDS, Status, StatusWord, zone_of_schedule
from scheduling import access
from scheduling.access import Caller

COLOURS = 8
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A stretch of taken time. `kind` is visit, hold, buffer or block; times are local to the calendar."""

    kind: str
    start: datetime
    end: datetime
    title: str
    service: str = ""
    status: StatusWord | None = None
    colour: int = 0
    place: str = ""
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """One local day: its entries in order, and before which of them it is now."""

    date: date
    entries: list[Entry]
    is_today: bool
    now: datetime

    @property
    def visits(self) -> int:
        return sum(entry.kind == "visit" for entry in self.entries)

    @property
    def rows(self) -> list[Entry | None]:
        """The entries, with None where the line of now goes."""
        if not self.is_today:
            return list(self.entries)
        passed = [entry for entry in self.entries if entry.start <= self.now]
        return [*passed, None, *self.entries[len(passed) :]]


def calendars(caller: Caller) -> list[Schedule]:
    """The calendars that the caller works by, their own first."""
    rows = access.calendars(caller).select_related(*SCHEDULE).prefetch_related("scheduling_parameters")
    own = caller.practitioner.pk if caller.practitioner else None
    return sorted(
        rows, key=lambda each: (each.bookable.practitioner_id != own, each.bookable.practitioner_id is None, name(each))
    )


def name(schedule: Schedule) -> str:
    """Whose calendar, and where."""
    actor = str(schedule.bookable.actor)
    return f"{actor}, {schedule.site}" if schedule.site else actor


def zone_of(schedule: Schedule) -> ZoneInfo:
    return zone_of_schedule(schedule)


def read_days(caller: Caller, schedule: Schedule, first: date, days: int, *, now: datetime) -> list[Day]:
    """That many days from `first` on: one query for all of them."""
    zone = zone_of(schedule)
    entries = [_entry(slot, schedule, zone) for slot in _slots(caller, schedule, first, days, zone, now)]
    today = now.astimezone(zone).date()
    dates = (first + n * DAY for n in range(days))
    return [Day(each, _on(entries, each), each == today, now.astimezone(zone)) for each in dates]


def _slots(caller: Caller, schedule: Schedule, first: date, days: int, zone: ZoneInfo, now: datetime) -> Iterable[Slot]:
    """What takes the time of the schedule's actor and the caller may see, whichever schedule it was booked on."""
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(first + days * DAY, time(), zone).astimezone(UTC)
    standing = Q(hold_expires_at=None) | Q(hold_expires_at__gt=now)
    slots = access.visible(Slot, caller).filter(standing, bookable=schedule.bookable_id, status__in=OCCUPYING)
    return (
        slots.filter(deleted_at=None, start__gte=start, start__lt=end)
        .select_related("schedule__site", "appointment__patient", "appointment__service")
        .order_by("start", "end", "pk")
    )


def _entry(slot: Slot, shown: Schedule, zone: ZoneInfo) -> Entry:
    start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
    visit = slot.appointment
    if visit is None:
        return Entry("block", start, end, slot.comment or _("Not available"))
    if slot.status == Slot.Status.BUSY_UNAVAILABLE:
        return Entry("buffer", start, end, _("Buffer"))
    return Entry(
        kind="hold" if visit.status == Status.PENDING else "visit",
        start=start,
        end=end,
        title=str(visit.patient) if visit.patient else _("No patient yet"),
        service=visit.service.name if visit.service else "",
        status=STATUS_WORDS[Status(visit.status)],
        colour=(visit.service_id or 0) % COLOURS + 1,
        place=str(slot.schedule.site) if slot.schedule.site_id != shown.site_id and slot.schedule.site else "",
        expires=slot.hold_expires_at.astimezone(zone) if slot.hold_expires_at else None,
    )


def _on(entries: Iterable[Entry], day: date) -> list[Entry]:
    return [entry for entry in entries if entry.start.date() == day]
