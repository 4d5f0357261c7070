"""Series of visits: search for them, and the check of all their visits. One statement each, however many weeks."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic.local_time import later
from clinic.models import HealthcareService, Patient
from scheduling.availability.free_times import TimeQuery, as_datetime, bookable_window, empty_diary, fill
from scheduling.availability.offerings import Offering
from scheduling.availability.released_time import release
from scheduling.availability.ways import Way
from scheduling.core import offers as core
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary
from scheduling.core.series import (
    AROUND,
    WEEK,
    Agenda,
    Conflict,
    PlannedVisit,
    Recurrence,
    SeriesOffer,
    closest_visits,
    moved_starts,
    planned_visits,
    reach,
    series_offers,
)

LONGEST_SERIES = timedelta(weeks=104)
FIRST_WITHIN = timedelta(days=7, hours=1)  # an hour more, for a week in which the clocks go back
MOST_SERIES_SCHEDULES = 50
SPARE_WEEKS = 26  # that are searched for visits as close together as possible
REST = timedelta(seconds=AROUND) + timedelta(days=1)  # after the last visit's day: its alternatives, a clock change


@dataclass(frozen=True, kw_only=True)
class SeriesQuery:
    """A query for series of `count` visits, one every `weeks` weeks; `first` is the query for their first visits.

    Up to `most_conflicts` of the later visits may be in conflict.
    """

    first: TimeQuery
    count: int
    weeks: int = 1
    most_conflicts: int = 0


class FoundSeries(NamedTuple):
    """A possible series: its first visit [start, end) in UTC seconds, the starts of all, its zone, its offerings, and
    its conflicts.
    """

    start: int
    end: int
    starts: tuple[int, ...]
    zone: ZoneInfo
    offerings: tuple[Offering, ...]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """Several visits that a patient books at once: `count` of them, one every `weeks` weeks at one local time.

    Without `weeks` they are as close together as possible, but so many local `days` apart.
    """

    count: int
    weeks: int | None
    days: int = 1


class Occurrence(NamedTuple):
    """A visit of a series: if it is offered, and the seats that it would take on each schedule, as by `seats`."""

    is_offered: bool
    seats: dict[int, list[int | None]]


def find_series(query: SeriesQuery, *, now: datetime) -> list[FoundSeries]:
    """The series in which every visit can be booked, in order of time; those in conflict too, if the query says so.

    All visits of a series are at one local time, on the same schedules, which share one zone.
    """
    first = query.first
    days = timedelta(weeks=query.weeks * (query.count - 1))
    last = later(first.end, days + REST)
    ways = [(way, zone) for way in first.ways for zone in _zones_of(way)]
    bookable = {way.service: bookable_window(way.service, first.start, last, now) for way in first.ways}
    window = int(-(-first.start.timestamp() // 1)), int(first.end.timestamp())
    if query.most_conflicts == 0:  # no series without its last visit, which the horizon may be too near for
        least = window[0] + int((days - timedelta(days=1)).total_seconds())
        ways = [(way, zone) for way, zone in ways if least < bookable[way.service][1]]
    diaries: dict[HealthcareService, dict[int, Diary]] = {}
    for way, _ in ways:
        mine = diaries.setdefault(way.service, {})
        mine |= {each.schedule: empty_diary(each) for pool in way.pools for each in pool if each.schedule not in mine}
    if not diaries:
        return []
    start, end = min(begin for begin, _ in bookable.values()), max(finish for _, finish in bookable.values())
    fill(list(diaries.items()), start, end, now=now, without=first.without, patients=first.patients)
    found = [_found(way, zone, diaries[way.service], window, bookable[way.service], query) for way, zone in ways]
    return list(islice(core.in_order(found), first.limit))


def _zones_of(way: Way) -> list[ZoneInfo]:
    """The zones in which each pool of the way has a schedule, in their order."""
    zones = [dict.fromkeys(offering.zone for offering in pool) for pool in way.pools]
    return [zone for zone in zones[0] if all(zone in others for others in zones)]


def plan_course(
    service: HealthcareService,
    offerings: Sequence[Offering],
    course: Course,
    first: datetime,
    *,
    now: datetime,
    engaged: Sequence[Span] = (),
    without: Collection[int] = (),
    patients: Sequence[Patient] = (),
) -> list[PlannedVisit]:
    """Return the visits of a course on these schedules, whose first begins at `first`, also those that are not free.

    Fewer if no more are free close together. `engaged` is the own time of the `patients`, if they are known, and the
    time of the visits `without`, by their primary keys, counts as free. One query, and another one if there are such
    visits.
    """
    weeks = course.weeks or -(-course.days * course.count // WEEK)
    until = later(first, min(timedelta(weeks=weeks * course.count + SPARE_WEEKS), LONGEST_SERIES) + REST)
    agendas, window = _agendas(service, offerings, until, now, without, patients)
    zone, begin = offerings[0].zone, int(first.timestamp())
    if course.weeks is None:
        return list(closest_visits(agendas, course.count, course.days, zone, begin, window, engaged))
    starts = Recurrence(course.count, course.weeks, zone).planned_starts(begin)
    return list(planned_visits(agendas, starts, window, engaged))


def plan_move(
    service: HealthcareService,
    offerings: Sequence[Offering],
    starts: Sequence[datetime],
    old: datetime,
    new: datetime,
    *,
    now: datetime,
    engaged: Sequence[Span] = (),
    without: Collection[int] = (),
    patients: Sequence[Patient] = (),
) -> list[PlannedVisit]:
    """The visits at `starts` after a move of one of them from `old` to `new`: see `moved_starts` and `plan_course`."""
    zone = offerings[0].zone
    seconds = [int(start.timestamp()) for start in starts]
    moved = moved_starts(seconds, int(old.timestamp()), int(new.timestamp()), zone)
    until = later(as_datetime(max(each.start for each in moved)), REST)
    agendas, window = _agendas(service, offerings, until, now, without, patients)
    return list(planned_visits(agendas, moved, window, engaged))


def _agendas(
    service: HealthcareService,
    offerings: Sequence[Offering],
    until: datetime,
    now: datetime,
    without: Collection[int],
    patients: Sequence[Patient],
) -> tuple[list[Agenda], Span]:
    """The agendas of the schedules, and the time in which the service can be booked, until then."""
    window = bookable_window(service, now, until, now)
    diaries = {each.schedule: empty_diary(each) for each in offerings}
    fill([(service, diaries)], *window, now=now, patients=patients)
    release(diaries.values(), without)
    return [Agenda(diary) for diary in diaries.values()], window


def check_occurrences(
    service: HealthcareService,
    offerings: Sequence[Offering],
    starts: Sequence[datetime],
    *,
    now: datetime,
    patients: Sequence[Patient] = (),
) -> list[Occurrence]:
    """The visits of a series at these starts, in order, as `is_offered` and `seats` say of each. One query."""
    seconds = [int(start.timestamp()) for start in starts]
    diaries = [empty_diary(offering) for offering in offerings]
    before, after = reach(diaries)
    length = diaries[0].rules.duration
    calendars = {each.schedule: each for each in diaries}
    fill([(service, calendars)], seconds[0], seconds[-1] + length, now=now, series=seconds, patients=patients)
    agendas = [Agenda(diary) for diary in diaries]
    parts = [[agenda.part(at - before, at + after) for agenda in agendas] for at in seconds]
    return [
        Occurrence(
            _is_offered(part, bookable_window(service, start, later(start, timedelta(seconds=length)), now)),
            {each.schedule: [core.free_seat(each, at) if each.rules.capacity > 1 else None] for each in part},
        )
        for start, at, part in zip(starts, seconds, parts, strict=True)
    ]


def _is_offered(diaries: Sequence[Diary], window: Span) -> bool:
    return any(core.offers([[diary] for diary in diaries], *window))


def _found(
    way: Way, zone: ZoneInfo, diaries: dict[int, Diary], window: Span, bookable: Span, query: SeriesQuery
) -> Iterator[FoundSeries]:
    offerings = {each.schedule: each for pool in way.pools for each in pool if each.zone == zone}
    pools = [[diaries[each.schedule] for each in pool if each.zone == zone] for pool in way.pools]
    recurrence = Recurrence(query.count, query.weeks, zone)
    for offer in series_offers(pools, window, bookable, recurrence, query.most_conflicts):
        yield _with_offerings(offer, zone, offerings)


def _with_offerings(offer: SeriesOffer, zone: ZoneInfo, offerings: dict[int, Offering]) -> FoundSeries:
    chosen = tuple(offerings[schedule] for schedule in offer.schedules)
    return FoundSeries(offer.start, offer.end, offer.starts, zone, chosen, offer.conflicts)
