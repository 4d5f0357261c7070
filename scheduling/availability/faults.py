"""Faults of schedules: everything that keeps a schedule from offering a service, regardless of bookings."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import islice
from math import gcd
from typing import NamedTuple, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import time_text
from clinic.local_time import in_zone
from clinic.models import Schedule
from clinic.models.base import Resource
from scheduling.availability.offerings import Offering
from scheduling.availability.schedule_rows import ScheduleRow
from scheduling.core import hours
from scheduling.core import offers as core
from scheduling.core.grid import points
from scheduling.core.hours import DAY
from scheduling.core.intervals import Span, merge
from scheduling.core.offers import Diary, Offer

LONGEST_WINDOW = 32 * DAY
SAMPLE = 10  # spans of open time examined to estimate how much of it can be booked
MUCH = Fraction(1, 3)
LENGTHS = ("duration", "buffer_before", "buffer_after", "alignment_interval", "alignment_offset")


class Fault(StrEnum):
    """A reason why a service cannot be booked, or is booked differently than intended."""

    SERVICE_INACTIVE = "service-inactive"
    NOT_OFFERED = "not-offered"
    NO_DAYS_AHEAD = "no-days-ahead"
    NOTICE_TOO_LONG = "notice-too-long"
    NOTHING_SO_SOON = "nothing-so-soon"
    MISSING_KIND = "missing-kind"
    MISSING_AT_SITE = "missing-at-site"
    NEVER_TOGETHER = "never-together"
    ALL_TAKEN = "all-taken"
    SCHEDULE_INACTIVE = "schedule-inactive"
    CLOSED = "closed"
    NO_ZONE = "no-zone"
    NO_DURATION = "no-duration"
    NO_HOURS = "no-hours"
    HOURS_OVER = "hours-over"
    ALWAYS_CLOSED = "always-closed"
    TOO_LONG = "too-long"
    OFF_GRID = "off-grid"
    PLAN_OVER = "plan-over"
    PLAN_FAR = "plan-far"
    WASTE = "waste"
    NO_SITE = "no-site"
    NO_ROOM_LINK = "no-room-link"
    NO_ADDRESS = "no-address"
    NO_PHONE = "no-phone"
    SITE_WITHOUT_ZONE = "site-without-zone"
    SITE_CLOSED = "site-closed"
    QUESTIONS_NOT_ASKED = "questions-not-asked"
    NOBODY_ACCEPTS = "nobody-accepts"

    @property
    def is_doubt(self) -> bool:
        """True if the service can be booked despite the fault."""
        return self in DOUBTS

    @property
    def is_deliberate(self) -> bool:
        """True if a schedule with this fault was probably closed on purpose."""
        return self in (Fault.SCHEDULE_INACTIVE, Fault.CLOSED)


DOUBTS = frozenset(
    {
        Fault.WASTE,
        Fault.NO_SITE,
        Fault.NO_ROOM_LINK,
        Fault.NO_ADDRESS,
        Fault.NO_PHONE,
        Fault.SITE_WITHOUT_ZONE,
        Fault.SITE_CLOSED,
        Fault.QUESTIONS_NOT_ASKED,
        Fault.NOBODY_ACCEPTS,
    }
)


class FoundFault(NamedTuple):
    """A fault, and the row on whose page it is corrected; None for the page with the service's length and hours."""

    fault: Fault
    text: str
    mend: Resource | None = None


@dataclass(frozen=True)
class Calendar:
    """A schedule that should offer a service: the row that the engine reads, and the rows that staff edit.

    `diary` covers the examined window; None if the schedule cannot be evaluated.
    """

    row: ScheduleRow
    schedule: Schedule
    offering: Offering | None = None
    diary: Diary | None = None

    @property
    def name(self) -> str:
        """The names of the schedule's actor and site."""
        return ", ".join(filter(None, (self.row.actor_name or str(self.schedule), self.row.site_name)))

    def has_own(self, fault: Fault) -> bool:
        """True if the setting behind the fault is set for this schedule, not for the service."""
        rows = [each for each in self.schedule.scheduling_parameters.all() if each.service_id == self.row.service]
        names = LENGTHS if fault in (Fault.WASTE, Fault.NO_DURATION) else (*LENGTHS, "availability", "not_available")
        return any(getattr(row, name) not in (None, []) for row in rows for name in names)


# The faults of times that depend on rules alone, by `_times_of`; None if no visit ever fits.
Examined: TypeAlias = dict[Hashable, list[FoundFault] | None]


def untaken(diary: Diary) -> Diary:
    return replace(diary, taken=[])


def first_offer(choices: Collection[Sequence[Sequence[Diary]]], start: int, end: int) -> Offer | None:
    """The first visit within [start, end) by any of several choices of pools, searched in windows of growing length."""
    length = DAY
    while start < end:
        window = start, min(start + length, end)
        found = min(_first_offers(choices, window, end), key=lambda offer: offer.start, default=None)
        if found is not None:
            return found
        start, length = window[1], min(2 * length, LONGEST_WINDOW)
    return None


def _first_offers(choices: Iterable[Sequence[Sequence[Diary]]], window: Span, end: int) -> Iterator[Offer]:
    """The first visits that start within the window and are over by `end`, each earlier than those before."""
    start, last = window
    for pools in choices:
        longest = max((diary.rules.duration for pool in pools for diary in pool), default=0)
        found = next(core.offers(pools, start, min(last - 1 + longest, end)), None)
        if found is not None and found.start < last:
            last = found.start
            yield found


def faults_of(calendar: Calendar, window: Span, examined: Examined) -> list[FoundFault]:
    """Return all faults of a schedule by itself. Its times are examined only if the engine can evaluate it.

    Schedules with the same rules and hours are examined once: `examined` keeps what was found.
    """
    found = [*_closed(calendar), *_missing(calendar)]
    if found or calendar.diary is None or calendar.offering is None:
        return found
    diary = untaken(calendar.diary)
    times = _times_of(diary)
    if times not in examined:
        examined[times] = None if first_offer([[[diary]]], *window) is None else list(_wasted(diary, window))
    wasted = examined[times]
    return [_never(calendar, diary, calendar.offering, window)] if wasted is None else wasted


def _times_of(diary: Diary) -> Hashable:
    """All that decides when a diary without taken time is open."""
    full = (diary.full_days, diary.full_weeks, diary.full_sessions, diary.full_for_new)
    return diary.rules, diary.planned, *map(tuple, (diary.extra, diary.kept, *full))


def _closed(calendar: Calendar) -> Iterator[FoundFault]:
    row, schedule = calendar.row, calendar.schedule
    if not row.active:
        yield FoundFault(Fault.SCHEDULE_INACTIVE, _("The schedule is inactive. Make it active."), schedule)
    if not row.closed:
        return
    texts = {
        "Practitioner": _("The practitioner is inactive. Make the record active."),
        "PractitionerRole": _("The practitioner\u2019s role is inactive. Make it active."),
        "Device": _("The device is not active. Change its status."),
        "HealthcareService": _("The service that has this schedule is inactive. Make it active."),
        "Location": _("The site or the room is not active. Change its status."),
    }
    for kind in row.closed.split(","):
        yield FoundFault(Fault.CLOSED, texts[kind], _closed_row(kind, schedule))


def _closed_row(kind: str, schedule: Schedule) -> Resource:
    bookable = schedule.bookable
    match kind:
        case "Practitioner" | "PractitionerRole":  # roles are edited on the page of their practitioner
            return bookable.practitioner or schedule
        case "Device":
            return bookable.device or schedule
        case "HealthcareService":
            return bookable.healthcare_service or schedule
        case _:
            place = bookable.location or (bookable.device and bookable.device.location)
            places = (place, place and place.part_of, schedule.site)
            return next((each for each in places if each is not None and each.status != each.Status.ACTIVE), schedule)


def _missing(calendar: Calendar) -> Iterator[FoundFault]:
    row, schedule = calendar.row, calendar.schedule
    if not (row.parameters.timezone or row.actor_zone):
        if schedule.site is None:
            text = _("It has no site, and so no time zone. Choose the site of the schedule.")
            yield FoundFault(Fault.NO_ZONE, text, schedule)
        else:
            text = _("The time zone is not known. Set the site\u2019s time zone.")
            yield FoundFault(Fault.NO_ZONE, text, schedule.site)
    if row.parameters.duration is None:
        yield FoundFault(Fault.NO_DURATION, _("No length is set. Enter it in minutes."))


def _never(calendar: Calendar, diary: Diary, offering: Offering, window: Span) -> FoundFault:
    """The fault that leaves no start time in the window."""
    rules, (start, end) = diary.rules, window
    if diary.planned and diary.planned[1] <= start:
        text = _("Its planning horizon ended on %(day)s. Enter a later end, or none.")
        return FoundFault(Fault.PLAN_OVER, text % {"day": _day(diary.planned[1], offering)}, calendar.schedule)
    if diary.planned and diary.planned[0] >= end:
        text = _("Its planning horizon begins only on %(day)s. Enter an earlier start, or none.")
        return FoundFault(Fault.PLAN_FAR, text % {"day": _day(diary.planned[0], offering)}, calendar.schedule)
    if not rules.hours and not diary.extra:
        return FoundFault(Fault.NO_HOURS, _("No hours are set. Enter weekly hours."))
    opening = merge(hours.open_spans(rules.hours, rules.zone, start, end) + diary.extra)
    if not opening:
        text = _("It has no open hours in the next 12 months. Enter weekly hours that are valid now.")
        return FoundFault(Fault.HOURS_OVER, text)
    left = core.open_time(diary, start, end)
    if not left:
        text = _("It is closed whenever it would be open. Change its closures, the leave or the role\u2019s period.")
        return FoundFault(
            Fault.ALWAYS_CLOSED, text, calendar.schedule.bookable.practitioner if rules.absences else None
        )
    needed, longest = _needed(diary), max(last - first for first, last in left)
    if longest < needed:
        text = _(
            "A visit takes %(needed)s, including the time kept free around it, but the longest opening is %(longest)s."
            " Set longer hours or a shorter visit."
        )
        return FoundFault(Fault.TOO_LONG, text % {"needed": _length(needed), "longest": _length(longest)})
    text = ngettext(
        "A visit can start every minute, but never fits into the hours. Change the hours.",
        "A visit can start every %(interval)s minutes, but never fits into the hours. Change its starts or the hours.",
        rules.grid.interval,
    )
    return FoundFault(Fault.OFF_GRID, text % {"interval": rules.grid.interval})


def _wasted(diary: Diary, window: Span) -> Iterator[FoundFault]:
    """A fault if much of the open time cannot be booked because start times are too far apart."""
    spans = list(islice(_long_enough(diary, window), SAMPLE))
    needed = _needed(diary)
    possible = sum((last - first) // needed for first, last in spans)
    fitting = sum(_fitting(diary, span) for span in spans)
    share = 1 - Fraction(fitting, possible) if possible else Fraction(0)
    if share < MUCH or diary.rules.capacity > 1:
        return
    interval = diary.rules.grid.interval
    step = -(-needed // (interval * 60)) * interval
    percent = round(100 - needed / 60 / step * 100)
    facts = {"percent": percent, "length": _length(needed), "step": step, "better": gcd(interval, needed // 60)}
    if percent == 50:
        text = _(
            "Half of the time cannot be booked: a visit takes %(length)s, but the next can start only %(step)s minutes"
            " after it starts. Let visits start every %(better)s minutes."
        )
    else:
        text = _(
            "%(percent)s%% of the time cannot be booked: a visit takes %(length)s, but the next can start only"
            " %(step)s minutes after it starts. Let visits start every %(better)s minutes."
        )
    yield FoundFault(Fault.WASTE, text % facts)


def _long_enough(diary: Diary, window: Span) -> Iterable[Span]:
    """Spans of open time that a visit fits into, without the first day, which is partly over."""
    start, end = window[0] + DAY, window[1]
    while start < end:
        last = min(start + LONGEST_WINDOW, end)
        spans = core.open_time(diary, start, last)
        yield from (
            each for each in spans if start < each[0] and each[1] < last and each[1] - each[0] >= _needed(diary)
        )
        start = last


def _fitting(diary: Diary, span: Span) -> int:
    """The number of consecutive visits that fit into a span."""
    rules, (start, end) = diary.rules, span
    count, free_from = 0, start
    for at in points(rules.grid, [span]):
        first, last = at - rules.buffer_before, at + rules.duration + rules.buffer_after
        if first >= free_from and last <= end:
            count, free_from = count + 1, last
    return count


def _needed(diary: Diary) -> int:
    return diary.rules.buffer_before + diary.rules.duration + diary.rules.buffer_after


def _length(seconds: int) -> str:
    return time_text.length(timedelta(seconds=seconds))


def _day(at: int, offering: Offering) -> str:
    return time_text.plain_day(in_zone(datetime.fromtimestamp(at, UTC), offering.zone).date())
