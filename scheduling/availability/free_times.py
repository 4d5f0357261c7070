"""Search for free times of a service, check of one time, and reasons why a time is not offered."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, NamedTuple, TypeAlias

from django.db import connection
from django.utils.translation import gettext_lazy as _

from clinic.local_time import later
from clinic.models import OCCUPYING, Appointment, HealthcareService, Patient, Slot
from scheduling.availability.limits import fill_limits
from scheduling.availability.new_patient_limits import fill_full_for_new
from scheduling.availability.offerings import Offering
from scheduling.availability.released_time import release
from scheduling.availability.ways import Way, ways_of
from scheduling.core import offers as core
from scheduling.core.intervals import Span, merge, subtract
from scheduling.core.kept_time import closed_to_others
from scheduling.core.offers import Diary, Offer, Reason, Rules, Taken

SearchWindows: TypeAlias = Callable[[int, int], Iterator[Span]]

TIME_CONFLICTS = frozenset({Reason.TAKEN, Reason.BLOCKED})
LONGEST_VISIT = 24 * 3600  # seconds, so that a window covers the end of each visit
MAX_WINDOW = timedelta(days=31)
# The arithmetic of local days works only between these.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

REASONS = {
    Reason.OFF_GRID: _("This visit does not start at that time of day."),
    Reason.OUTSIDE_HOURS: _("It is outside the hours."),
    Reason.CLOSED: _("It falls in a closure."),
    Reason.AWAY: _("They do not work there at that time."),
    Reason.KEPT: _("That time is kept for other visits."),
    Reason.OUTSIDE_PLANNING_HORIZON: _("It is outside the planning horizon of the schedule."),
    Reason.TAKEN: _("It is taken."),
    Reason.BLOCKED: _("That time is blocked."),
    Reason.TOO_SOON: _("It is too soon: this visit needs more notice."),
    Reason.TOO_FAR: _("It is further ahead than this visit can be booked."),
    Reason.DAY_FULL: _("No more visits are booked on that day."),
    Reason.WEEK_FULL: _("No more visits are booked in that week."),
    Reason.SESSION_FULL: _("No more visits of this kind are booked in that session."),
    Reason.NEW_PATIENTS_FULL: _("No more new patients are booked in that session."),
}


@dataclass(frozen=True, kw_only=True)
class TimeQuery:
    """A query for free times within [start, end): one schedule of every pool of one of the ways.

    With `within` a visit has to start in one of these spans. `windows` divides the search; by default it is made at
    once, or in growing windows if there is a `limit`. Slots of `without` are ignored, as when it is moved, and those
    of the visits `besides`, by their primary keys, that are moved with it. `patients` are those who are to come, by
    default those of `without`; somebody unknown counts as new.
    """

    ways: Sequence[Way]
    start: datetime
    end: datetime
    within: tuple[Span, ...] | None = None
    limit: int | None = None
    windows: SearchWindows | None = None
    without: Appointment | None = None
    besides: Collection[int] = ()
    patients: Sequence[Patient] | None = None


class FoundTime(NamedTuple):
    """A possible visit: [start, end) in UTC seconds, its offerings, and for each pool all offerings that could
    serve.
    """

    start: int
    end: int
    offerings: tuple[Offering, ...]
    choices: tuple[tuple[Offering, ...], ...]


def find_times(query: TimeQuery, *, now: datetime) -> list[FoundTime]:
    """The times at which one of the services can be booked, in order; every time found can be booked.

    A visit lies within the window, but its buffers may reach beyond. No time is before `now` plus the service's minimum
    notice.
    """
    found: list[FoundTime] = []
    for offers in search(query, now=now):
        times = core.in_order([_found_times(way, each) for way, each in offers])
        found += islice(times, None if query.limit is None else query.limit - len(found))
        if query.limit is not None and len(found) >= query.limit:
            break
    return found


def search(query: TimeQuery, *, now: datetime) -> Iterator[list[tuple[Way, Iterator[Offer]]]]:
    """Return the offers of each way in order of time, for each window of the search. One statement for each window.

    It finds the times of every search: of `find_times` and of `openings`.
    """
    bookable = {way.service: bookable_window(way.service, query.start, query.end, now) for way in query.ways}
    first = min((begin for begin, _ in bookable.values()), default=0)
    last = max((finish for _, finish in bookable.values()), default=0)
    for window in _search_windows(query, first, last):
        diaries = _diaries_in(query, window, last, now)
        yield [
            (way, _offers_of(way, diaries[way.service], window, bookable[way.service], query.within))
            for way in query.ways
        ]


def is_offered(
    service: HealthcareService,
    offerings: Sequence[Offering],
    start: datetime,
    *,
    now: datetime,
    without: Appointment | None = None,
    patients: Sequence[Patient] | None = None,
) -> bool:
    """True if these schedules can take the service together at `start`, that is if `find_times` would find it."""
    end = later(start, timedelta(seconds=offerings[0].rules.duration))
    arrangement = tuple((offering,) for offering in offerings)
    ways = ways_of(service, [arrangement])
    query = TimeQuery(ways=ways, start=start, end=end, without=without, patients=patients)
    return bool(find_times(query, now=now))


def explain(
    service: HealthcareService,
    offerings: Sequence[Offering],
    start: datetime,
    *,
    now: datetime,
    without: Appointment | None = None,
    patients: Sequence[Patient] | None = None,
) -> dict[Offering, list[Reason]]:
    """Return the reasons why the service cannot start at `start`, for each schedule; empty if it can."""
    at = _seconds(start)
    window = at - LONGEST_VISIT, at + 2 * LONGEST_VISIT
    diaries = {each.schedule: empty_diary(each) for each in offerings}
    fill([(service, diaries)], *window, now=now, without=without, patients=patients)
    notice: list[Reason] = []
    if start < later(now, service.minimum_notice):
        notice.append(Reason.TOO_SOON)
    if _too_far(service, later(start, timedelta(seconds=offerings[0].rules.duration)), now):
        notice.append(Reason.TOO_FAR)
    if start.microsecond:
        notice.append(Reason.OFF_GRID)
    return {offering: notice + core.why_not(diaries[offering.schedule], at) for offering in offerings}


def seats(
    service: HealthcareService,
    offerings: Sequence[Offering],
    start: datetime,
    *,
    now: datetime,
    without: Appointment | None = None,
    places: int = 1,
) -> dict[int, list[int | None]]:
    """The seats that a visit with so many patients would take on each schedule; None, which means all seats, if it is
    not shared. There are fewer if not so many are free.
    """
    shared = [offering for offering in offerings if offering.rules.capacity > 1]
    if not shared:
        return {offering.schedule: [None] for offering in offerings}
    at = _seconds(start)
    diaries = diaries_of(service, shared, at - LONGEST_VISIT, at + 2 * LONGEST_VISIT, now=now, without=without)
    return {
        offering.schedule: list(islice(core.free_seats(diaries[offering.schedule], at), places))
        if offering in shared
        else [None]
        for offering in offerings
    }


def places_left(
    service: HealthcareService,
    requests: Sequence[tuple[tuple[Offering, ...], int]],
    *,
    now: datetime,
    without: Appointment | None = None,
) -> list[int | None]:
    """The number of further visits possible at each of these starts (UTC seconds) on these schedules. One query.

    None if no schedule takes more than one patient at a time.
    """
    shared = {each.schedule: each for offerings, _ in requests for each in offerings if each.rules.capacity > 1}
    if not shared:
        return [None] * len(requests)
    first, last = min(at for _, at in requests), max(at for _, at in requests)
    window = first - LONGEST_VISIT, last + 2 * LONGEST_VISIT
    diaries = diaries_of(service, list(shared.values()), *window, now=now, without=without)
    left = [
        [core.places_left(diaries[each.schedule], at) for each in ways if each.schedule in shared]
        for ways, at in requests
    ]
    return [min(places, default=None) for places in left]


def open_spans(offerings: Sequence[Offering], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """The spans within [start, end) in which each schedule is open for any of its services, taken or not. One query."""
    first, last = _seconds(start), _seconds(end)
    extra: dict[int, list[Span]] = {each.schedule: [] for each in offerings}
    once = Slot.objects.filter(schedule__in=list(extra), status=Slot.Status.FREE, deleted_at=None)
    for schedule, begins, ends in once.filter(start__lt=end, end__gt=start).values_list("schedule_id", "start", "end"):
        extra[schedule].append((_seconds(begins), _seconds(ends)))
    spans: dict[int, list[Span]] = {schedule: [] for schedule in extra}
    for offering in offerings:
        diary = Diary(offering.schedule, offering.bookable, offering.rules, offering.planned, extra[offering.schedule])
        spans[offering.schedule] += core.open_time(diary, first, last)
    return {schedule: merge(each) for schedule, each in spans.items()}


def _search_windows(query: TimeQuery, start: int, end: int) -> Iterator[Span]:
    """The windows of the query: its own, or the whole window, or growing ones for a few times of many schedules."""
    if query.windows is not None:
        yield from query.windows(start, end)
        return
    members = sum(len(pool) for way in query.ways for pool in way.pools)
    if query.limit is None or members <= sum(len(way.pools) for way in query.ways):
        if start < end:
            yield start, end
        return
    ways = [[[empty_diary(each) for each in pool] for pool in way.pools] for way in query.ways]
    yield from core.search_windows(ways, start, end, query.limit, query.within)


def _diaries_in(query: TimeQuery, window: Span, end: int, now: datetime) -> dict[HealthcareService, dict[int, Diary]]:
    """A diary for each service and schedule, for visits that start in the window and end by `end`. One query."""
    diaries: dict[HealthcareService, dict[int, Diary]] = {}
    for way in query.ways:
        mine = diaries.setdefault(way.service, {})
        mine |= {each.schedule: empty_diary(each) for pool in way.pools for each in pool if each.schedule not in mine}
    visits_end = min(window[1] + _longest(diaries), end)
    fill(list(diaries.items()), window[0], visits_end, now=now, without=query.without, patients=query.patients)
    if query.besides:
        release((diary for calendars in diaries.values() for diary in calendars.values()), query.besides)
    return diaries


def _longest(diaries: dict[HealthcareService, dict[int, Diary]]) -> int:
    return max((diary.rules.duration for each in diaries.values() for diary in each.values()), default=0)


def _offers_of(
    way: Way, diaries: dict[int, Diary], window: Span, bookable: Span, within: Sequence[Span] | None
) -> Iterator[Offer]:
    """The visits that start in the window; they may end later, within the bookable time of the service."""
    pools = [[diaries[each.schedule] for each in pool] for pool in way.pools]
    longest = max((diary.rules.duration for pool in pools for diary in pool), default=0)
    offers = core.offers(pools, max(window[0], bookable[0]), min(window[1] + longest, bookable[1]), within)
    return takewhile(lambda offer: offer.start < window[1], offers)


def _found_times(way: Way, offers: Iterable[Offer]) -> Iterator[FoundTime]:
    """The offers with their offerings. Offers of the same schedules and choices share their tuples."""
    offerings = {each.schedule: each for pool in way.pools for each in pool}
    known: dict[Any, tuple[tuple[Offering, ...], tuple[tuple[Offering, ...], ...]]] = {}
    for offer in offers:
        found = known.get(offer[2:])
        if found is None:
            choices = tuple(tuple(offerings[schedule] for schedule in pool) for pool in offer.choices)
            found = known[offer[2:]] = tuple(offerings[each] for each in offer.schedules), choices
        yield FoundTime(offer.start, offer.end, *found)


def empty_diary(offering: Offering) -> Diary:
    return Diary(offering.schedule, offering.bookable, offering.rules, offering.planned)


def bookable_window(service: HealthcareService, start: datetime, end: datetime, now: datetime) -> Span:
    first = max(start, later(now, service.minimum_notice))
    last = end
    if service.booking_horizon_days is not None:
        last = min(end, later(now, timedelta(days=service.booking_horizon_days)))
    return -int(-first.timestamp() // 1), int(last.timestamp() // 1)


def bookable_until(ways: Sequence[Way], end: int, now: datetime) -> int:
    """The last moment, at most `end` (UTC seconds), at which one of the ways can be booked at all.

    It follows from the booking horizons of the services and the planning horizons of the schedules.
    """
    latest = as_datetime(end)
    horizons = {way.service: bookable_window(way.service, now, latest, now)[1] for way in ways}
    plans = (
        min(horizons[way.service], choice.planned[1] if choice.planned else end)
        for way in ways
        for choice in way.choices
    )
    return max(plans, default=0)


def _too_far(service: HealthcareService, end: datetime, now: datetime) -> bool:
    days = service.booking_horizon_days
    return days is not None and end > later(now, timedelta(days=days))


# The values are in subqueries, so that PostgreSQL plans the statement once for each connection: without knowing them, a
# plan for these values cannot look cheaper than the plan for any, and making one took longer than reading the rows.
_EXTRA = """
    SELECT schedule_id, NULL, NULL, ceil(extract(epoch FROM start))::bigint,
        floor(extract(epoch FROM "end"))::bigint, service_type::text, NULL, NULL
    FROM clinic_slot
    WHERE schedule_id = ANY((SELECT %s)::bigint[])
        AND "end" > (SELECT to_timestamp(%s)) AND start < (SELECT to_timestamp(%s))
        AND {} AND deleted_at IS NULL
"""
_SLOTS = f"""
    SELECT NULL::bigint, bookable_id, seat, floor(extract(epoch FROM start))::bigint,
        ceil(extract(epoch FROM "end"))::bigint, NULL::text, lies_under, appointment_id
    FROM clinic_slot
    WHERE bookable_id = ANY((SELECT %s)::bigint[])
        AND "end" > (SELECT to_timestamp(%s)) AND start < (SELECT to_timestamp(%s))
        AND status IN {OCCUPYING} AND deleted_at IS NULL
        AND (hold_expires_at IS NULL OR hold_expires_at > (SELECT %s))
    UNION ALL {_EXTRA.format("status = 'free'")}
    UNION ALL {_EXTRA.format("was_free AND hold_expires_at <= (SELECT %s)")}
"""


def diaries_of(
    service: HealthcareService,
    offerings: Iterable[Offering],
    start: int,
    end: int,
    *,
    now: datetime,
    without: Appointment | None,
) -> dict[int, Diary]:
    """A diary for each schedule with the Slots that overlap [start, end), buffers included. One query."""
    diaries = {each.schedule: empty_diary(each) for each in offerings}
    fill([(service, diaries)], start, end, now=now, without=without)
    return diaries


def fill(
    diaries: Sequence[tuple[HealthcareService, dict[int, Diary]]],
    start: int,
    end: int,
    *,
    now: datetime,
    without: Appointment | None = None,
    series: Sequence[int] = (),
    patients: Sequence[Patient] | None = None,
) -> None:
    """Write the Slots that touch [start, end), buffers included, into diaries by service and schedule: one query.

    A second one counts visits, if there are limits; those on new patients count for `patients`. The time of `without`
    is its own, also where a block lies under it: a visit can be made shorter inside a block. `series` are the starts of
    visits that are to be booked together.
    """
    every = [diary for _, each in diaries for diary in each.values()]
    start -= max((diary.rules.buffer_before for diary in every), default=0)
    end += max((diary.rules.buffer_after for diary in every), default=0)
    taken: dict[int, list[Taken]] = {}
    own: dict[int, list[Span]] = {}
    blocks: list[tuple[int, Span]] = []
    for diary in every:
        diary.taken = taken.setdefault(diary.bookable, [])
        if diary.rules.kept_for_others:
            diary.kept = kept_for_others(diary.rules, start, end, now=now)
    schedules = list({diary.schedule for diary in every})
    kinds = [(_codes(service.type), each) for service, each in diaries]
    with connection.cursor() as cursor:
        cursor.execute(
            _SLOTS,
            [list(taken), start, end, now, *2 * (schedules, start, end), now],
        )
        for schedule, bookable, seat, first, last, service_type, lies_under, appointment in cursor.fetchall():
            if bookable is None:
                for codes, calendars in kinds:
                    if schedule in calendars and _is_for(service_type, codes):
                        calendars[schedule].extra.append((first, last))
            elif without is not None and appointment == without.pk:
                own.setdefault(bookable, []).append((first, last))
            elif without is not None and lies_under:
                blocks.append((bookable, (first, last)))
            else:
                taken[bookable].append(Taken(first, last, seat, is_block=bool(lies_under)))
    for bookable, block in blocks:
        closed = subtract([block], merge(own.get(bookable, [])))
        taken[bookable] += [Taken(first, last, is_block=True) for first, last in closed]
    fill_limits(diaries, start, end, now=now, without=without, series=series)
    fill_full_for_new(diaries, (start, end), now=now, without=without, series=series, patients=patients)


def kept_for_others(rules: Rules, start: int, end: int, *, now: datetime) -> list[Span]:
    """The spans within [start, end) that are kept for other services at `now`."""
    return closed_to_others(rules.kept_for_others, rules.kept, rules.zone, start, end, now=_seconds(now))


def _codes(concepts: Iterable[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (coding.get("system", ""), coding.get("code", ""))
        for concept in concepts
        for coding in concept.get("coding", [])
    )


def _is_for(service_type: str | None, kinds: frozenset[tuple[str, str]]) -> bool:
    """True if the free time has no service type, or one of these."""
    concepts = json.loads(service_type or "[]")
    return not concepts or bool(_codes(concepts) & kinds)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def as_datetime(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
