"""Times that can be offered: opening hours, minus closures, minus taken time, on the grid.

The same functions find times and check a single time, so that every time found can be booked. All times are UTC
seconds, all lengths seconds. Nothing here reads a clock or a database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce
from heapq import merge as merge_sorted
from itertools import chain
from typing import NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from scheduling.core.grid import Grid, is_on_grid, points
from scheduling.core.hours import DAY, HOUR, ClosedTime, Window, closed_spans, open_spans, spells
from scheduling.core.intervals import Span, clip, covers, intersect, merge, subtract
from scheduling.core.kept_time import KeptTime
from scheduling.core.limits import UNLIMITED, Limits

SHORTEST_WINDOW = 3 * HOUR


class Reason(StrEnum):
    """A reason why a time is not offered."""

    OFF_GRID = "off-grid"
    OUTSIDE_HOURS = "outside-hours"
    CLOSED = "closed"
    AWAY = "away"
    KEPT = "kept"
    OUTSIDE_PLANNING_HORIZON = "outside-planning-horizon"
    TAKEN = "taken"
    BLOCKED = "blocked"
    TOO_SOON = "too-soon"
    TOO_FAR = "too-far"
    DAY_FULL = "day-full"
    WEEK_FULL = "week-full"
    SESSION_FULL = "session-full"
    NEW_PATIENTS_FULL = "new-patients-full"


@dataclass(frozen=True, slots=True)
class Rules:
    """The scheduling rules of one service on one schedule.

    Closures are the service's, absences the actor's, closed times those of the actor, its place or the clinic for all
    services; all of them close time. `limits` count the visits of the service on the schedule, `schedule_limits` all
    visits on it. `kept_for_others` is kept for other services on the schedule, `kept` for this one.
    """

    duration: int
    buffer_before: int
    buffer_after: int
    capacity: int
    grid: Grid
    zone: ZoneInfo
    hours: tuple[Window, ...]
    closures: tuple[Span, ...] = ()
    absences: tuple[Span, ...] = ()
    closed_times: tuple[ClosedTime, ...] = ()
    limits: Limits = UNLIMITED
    schedule_limits: Limits = UNLIMITED
    kept_for_others: tuple[KeptTime, ...] = ()
    kept: tuple[KeptTime, ...] = ()


class Taken(NamedTuple):
    """Taken time of a bookable: one of its seats, or all of them."""

    start: int
    end: int
    seat: int | None = None
    is_block: bool = False


@dataclass(slots=True)
class Diary:
    """The rules, extra time and taken time of one schedule for one service.

    `extra` is one-off time beyond the hours, `planned` the planning horizon (None without limits). `full_days`,
    `full_weeks` and `full_sessions` have all the visits that limits allow; `full_for_new` are the sessions that are so
    for a patient who counts as new. `kept` is kept for other services. Two diaries of one `bookable` share its time.
    """

    schedule: int
    bookable: int
    rules: Rules
    planned: Span | None = None
    extra: list[Span] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    full_days: list[Span] = field(default_factory=list)
    full_weeks: list[Span] = field(default_factory=list)
    full_sessions: list[Span] = field(default_factory=list)
    full_for_new: list[Span] = field(default_factory=list)
    kept: list[Span] = field(default_factory=list)


class Offer(NamedTuple):
    """A possible visit: one schedule of each pool, and for each pool all schedules that could serve, in the given
    order.
    """

    start: int
    end: int
    schedules: tuple[int, ...]
    choices: tuple[tuple[int, ...], ...]


def offers(
    pools: Sequence[Sequence[Diary]], start: int, end: int, within: Sequence[Span] | None = None
) -> Iterator[Offer]:
    """The visits within [start, end) that one schedule of every pool can take together, in order of time.

    Schedules that differ in duration are never combined. Buffers may reach beyond the window. With `within`, a normal
    list, a visit has to start in one of these spans.
    """
    durations = sorted({diary.rules.duration for pool in pools for diary in pool})
    ways = []
    for duration in durations:
        alike = [[diary for diary in pool if diary.rules.duration == duration] for pool in pools]
        if all(alike):
            ways.append(_offers_of(alike, duration, start, end, within))
    yield from in_order(ways)


class Timed(Protocol):
    """A visit with its time."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


TimedT = TypeVar("TimedT", bound=Timed)


def in_order(ways: Sequence[Iterator[TimedT]]) -> Iterator[TimedT]:
    """The offers of several arrangements in order of time. They are computed lazily, since the first few are often
    enough.
    """
    return merge_sorted(*ways, key=lambda offer: (offer.start, offer.end)) if len(ways) > 1 else chain(*ways)


def search_windows(
    ways: Sequence[Sequence[Sequence[Diary]]],
    start: int,
    end: int,
    limit: int,
    within: Sequence[Span] | None = None,
) -> Iterator[Span]:
    """Consecutive windows that cover [start, end), for a search that needs only the first `limit` times.

    The first window has half as many start times again as the limit, if none were taken, and each further one twice as
    many. Windows are extended over nights and weekends, which have no start times.
    """
    limit += limit // 2
    ways = [[_unlike(pool) for pool in pools] for pools in ways]
    first, last, length = start, start, SHORTEST_WINDOW
    while first < end:
        last = min(last + length, end)
        length *= 2
        starts = sorted(set[int]().union(*(_possible(pools, first, last, within) for pools in ways)))
        if len(starts) >= limit:
            last = starts[limit - 1] + 1
        elif last < end:
            continue
        yield first, last
        first = last
        limit *= 2


def why_not(diary: Diary, start: int) -> list[Reason]:
    """Return all reasons why a visit cannot start at `start` on one schedule; empty if it can."""
    rules = diary.rules
    first, last = start - rules.buffer_before, start + rules.duration + rules.buffer_after
    reasons = []
    if not is_on_grid(rules.grid, start):
        reasons.append(Reason.OFF_GRID)
    if diary.planned and not covers([diary.planned], first, last):
        reasons.append(Reason.OUTSIDE_PLANNING_HORIZON)
    opening = open_spans(rules.hours, rules.zone, first - DAY, last + DAY)
    if not covers(merge(opening + diary.extra), first, last):
        reasons.append(Reason.OUTSIDE_HOURS)
    else:
        closures = [*rules.closures, *closed_spans(rules.closed_times, rules.zone, first, last)]
        for closed, reason in (
            (closures, Reason.CLOSED),
            (rules.absences, Reason.AWAY),
            (diary.kept, Reason.KEPT),
        ):
            if not covers(subtract([(first, last)], merge(closed)), first, last):
                reasons.append(reason)
    if not _has_seat(diary, first, last):
        visits = [each for each in diary.taken if not each.is_block]
        if any(each.start < last and first < each.end for each in diary.taken if each.is_block):
            reasons.append(Reason.BLOCKED)
        if not _has_seat(replace(diary, taken=visits), first, last):
            reasons.append(Reason.TAKEN)
    for full, reason in (
        (diary.full_days, Reason.DAY_FULL),
        (diary.full_weeks, Reason.WEEK_FULL),
        (diary.full_sessions, Reason.SESSION_FULL),
        (diary.full_for_new, Reason.NEW_PATIENTS_FULL),
    ):
        if any(begin <= start < end for begin, end in full):
            reasons.append(reason)
    return reasons


def _has_seat(diary: Diary, first: int, last: int) -> bool:
    return any(covers(lane, first, last) for lane in _lanes([(first, last)], diary))


def free_seat(diary: Diary, start: int) -> int | None:
    """The lowest seat that is free for a visit at `start` with its buffers; None if all are taken."""
    return next(free_seats(diary, start), None)


def free_seats(diary: Diary, start: int) -> Iterator[int]:
    """The seats that are free for a visit at `start` with its buffers, the lowest first."""
    rules = diary.rules
    visit = start - rules.buffer_before, start + rules.duration + rules.buffer_after
    return (seat for seat, lane in enumerate(_lanes([visit], diary)) if covers(lane, *visit))


def places_left(diary: Diary, start: int) -> int:
    """The number of further visits that could start at `start`, each on its own seat."""
    return sum(1 for _seat in free_seats(diary, start))


def _offers_of(
    pools: Sequence[Sequence[Diary]], duration: int, start: int, end: int, within: Sequence[Span] | None
) -> Iterator[Offer]:
    if all(len(pool) == 1 for pool in pools):
        yield from _offers_without_choice([pool[0] for pool in pools], duration, start, end, within)
        return
    serving = _serving(pools, duration, start, end, within)
    for at in sorted(set(serving[0]).intersection(*serving[1:])):
        choices = [by_start[at] for by_start in serving]
        chosen = distinct(choices)
        if chosen:
            yield Offer(
                at,
                at + duration,
                tuple(diary.schedule for diary in chosen),
                tuple(tuple(diary.schedule for diary in pool) for pool in choices),
            )


def _offers_without_choice(
    diaries: Sequence[Diary], duration: int, start: int, end: int, within: Sequence[Span] | None
) -> Iterator[Offer]:
    """The offers of pools of one schedule each: all offers have the same schedules, which takes half the time."""
    if len({diary.bookable for diary in diaries}) < len(diaries):
        return
    window = _start_window(duration, start, end, within)
    spans = reduce(intersect, (_start_spans(diary, start, end) for diary in diaries), window)
    starts = [set(points(grid, spans)) for grid in {diary.rules.grid for diary in diaries}]
    schedules = tuple(diary.schedule for diary in diaries)
    choices = tuple((schedule,) for schedule in schedules)
    for at in sorted(starts[0].intersection(*starts[1:])):
        yield Offer(at, at + duration, schedules, choices)


def _possible(pools: Sequence[Sequence[Diary]], start: int, end: int, within: Sequence[Span] | None = None) -> set[int]:
    """The start times in [start, end) if nothing were taken; a visit may end later."""
    longest = max((diary.rules.duration for pool in pools for diary in pool), default=0)
    serving = _serving(pools, longest, start, end + longest - 1, within)
    return set(serving[0]).intersection(*serving[1:])


def _unlike(pool: Sequence[Diary]) -> list[Diary]:
    """Return one diary for each set of rules and planning horizon in a pool."""
    return list({(id(diary.rules), diary.planned): diary for diary in pool}.values())


def _serving(
    pools: Sequence[Sequence[Diary]], duration: int, start: int, end: int, within: Sequence[Span] | None
) -> list[dict[int, list[Diary]]]:
    """Return for each pool the start times at which the others may be free too, and the diaries that can serve then."""
    window = _start_window(duration, start, end, within)
    possible = [[(diary, _start_spans(diary, start, end)) for diary in pool] for pool in pools]
    common = reduce(intersect, (merge(span for _, spans in pool for span in spans) for pool in possible), window)
    return [_by_start(pool, common) for pool in possible]


def _start_window(duration: int, start: int, end: int, within: Sequence[Span] | None) -> list[Span]:
    """The seconds at which a visit of this duration can start within [start, end) and, if given, in these spans."""
    window = [(start, end - duration + 1)] if end - start >= duration else []
    return window if within is None else intersect(window, within)


def _by_start(pool: list[tuple[Diary, list[Span]]], within: list[Span]) -> dict[int, list[Diary]]:
    serving: dict[int, list[Diary]] = {}
    for diary, spans in pool:
        for at in points(diary.rules.grid, intersect(spans, within)):
            serving.setdefault(at, []).append(diary)
    return serving


def distinct(choices: Sequence[list[Diary]]) -> list[Diary] | None:
    """Return one diary of each pool, the first if possible, and no two of one bookable; None if there is none."""
    chosen: dict[int, Diary] = {}
    for pool in choices:
        first = next((diary for diary in pool if diary.bookable not in chosen), None)
        if first is None:
            return _rearranged(choices)
        chosen[first.bookable] = first
    return list(chosen.values())


def _rearranged(choices: Sequence[list[Diary]]) -> list[Diary] | None:
    """Return one diary of each pool where the first diary of one pool is needed by another; None if there is none.

    It uses augmenting paths (https://en.wikipedia.org/wiki/Maximum_cardinality_matching): trying all combinations of a
    few long pools would take too long.
    """
    pool_of: dict[int, int] = {}
    chosen: dict[int, Diary] = {}

    def choose(pool: int, tried: set[int]) -> bool:
        for diary in choices[pool]:
            if diary.bookable not in tried:
                tried.add(diary.bookable)
                if diary.bookable not in pool_of or choose(pool_of[diary.bookable], tried):
                    pool_of[diary.bookable], chosen[pool] = pool, diary
                    return True
        return False

    if all(choose(pool, set()) for pool in range(len(choices))):
        return [chosen[pool] for pool in range(len(choices))]
    return None


def _start_spans(diary: Diary, start: int, end: int) -> list[Span]:
    """The seconds at which a visit fits with its buffers, regardless of the grid."""
    rules = diary.rules
    opening = open_time(diary, start - rules.buffer_before, end + rules.buffer_after)
    before, after = rules.buffer_before, rules.duration + rules.buffer_after - 1
    spans = merge((first + before, last - after) for lane in _lanes(opening, diary) for first, last in lane)
    full = diary.full_days + diary.full_weeks + diary.full_sessions + diary.full_for_new
    return subtract(spans, merge(full)) if full else spans


def sessions(diary: Diary, start: int, end: int) -> list[Span]:
    """The sessions that overlap [start, end), each in full: single spells of the hours, and extra time."""
    return [*spells(diary.rules.hours, diary.rules.zone, start, end), *diary.extra]


def open_time(diary: Diary, start: int, end: int, *, within_plan: bool = True) -> list[Span]:
    """Hours and extra time, minus closures, within the planning horizon and [start, end)."""
    if within_plan and diary.planned:
        start, end = max(start, diary.planned[0]), min(end, diary.planned[1])
    opening = open_spans(diary.rules.hours, diary.rules.zone, start, end)
    if diary.extra:
        opening = clip(merge(opening + diary.extra), start, end)
    closed = [
        *diary.rules.closures,
        *diary.rules.absences,
        *diary.kept,
        *closed_spans(diary.rules.closed_times, diary.rules.zone, start, end),
    ]
    return subtract(opening, merge(closed)) if closed else opening


def _lanes(opening: list[Span], diary: Diary) -> Iterator[list[Span]]:
    """The free parts of `opening` for each seat. Taken time without a seat takes all seats."""
    if diary.rules.capacity == 1:
        # A visit for one patient does not share the bookable with a group of any size.
        yield subtract(opening, merge((each.start, each.end) for each in diary.taken))
        return
    for seat in range(diary.rules.capacity):
        yield subtract(opening, merge((each.start, each.end) for each in diary.taken if each.seat in (None, seat)))
