"""Series: visits at one local time, every week or every few weeks, on the same schedules.

Each visit of a series is an offer of `scheduling.core.offers`, so that every series found can be booked. A local time
that the clocks skip is a conflict; of a repeated one, the first is meant.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from scheduling.core.hours import DAY, clock_difference, days_later, instant, local_date, local_time, whole_days
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary, Offer, Taken, distinct, offers

WEEK = 7  # days
AROUND = 3 * DAY  # an alternative is nearer to its own visit than to the next one
ALTERNATIVES = 3

Pools: TypeAlias = Sequence[Sequence[Diary]]
Choices: TypeAlias = tuple[tuple[int, ...], ...]  # for each pool, the schedules that can serve


class PlannedStart(NamedTuple):
    """A start that is planned. If the clocks skip its local time that day, it is not kept."""

    start: int
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The pattern of a series: `count` visits, one every `weeks` weeks, at one time by the clocks of `zone`."""

    count: int
    weeks: int
    zone: ZoneInfo

    def start(self, first: int, number: int) -> int:
        """The start of a visit (0 is the first). Where the clocks skip the local time, it is not at that time."""
        return days_later(first, WEEK * self.weeks * number, self.zone)

    def starts(self, first: int) -> tuple[int, ...]:
        """The starts of all visits."""
        return tuple(self.start(first, number) for number in range(self.count))

    def planned_starts(self, first: int) -> list[PlannedStart]:
        """The starts of all visits."""
        return [
            PlannedStart(start, self.is_kept(first, number, start)) for number, start in enumerate(self.starts(first))
        ]

    def is_kept(self, first: int, number: int, start: int) -> bool:
        """True if the start of this visit (0 is the first) is at the local time, so that the clocks do not skip it."""
        return clock_difference(first, start, self.zone) == timedelta(weeks=self.weeks * number)


def moved_starts(starts: Iterable[int], old: int, new: int, zone: ZoneInfo) -> list[PlannedStart]:
    """The starts after a move of one of these visits from `old` to `new`: as many days later, at the same local time
    as that one.
    """
    days = local_date(new, zone) - local_date(old, zone)
    clock = local_time(new, zone).time()
    moved = [instant(local_date(start, zone) + days, clock, zone) for start in starts]
    return [PlannedStart(start, local_time(start, zone).time() == clock) for start in moved]


class Conflict(NamedTuple):
    """A visit of a series that is not free: its number, its start, and the nearest free starts."""

    number: int
    start: int
    alternatives: tuple[int, ...]


class SeriesOffer(NamedTuple):
    """A possible series: its first visit [start, end), the starts of all visits, the schedules that take each of them,
    and its conflicts.
    """

    start: int
    end: int
    starts: tuple[int, ...]
    schedules: tuple[int, ...]
    conflicts: tuple[Conflict, ...]


def series_offers(
    pools: Pools, window: Span, bookable: Span, recurrence: Recurrence, most_conflicts: int = 0
) -> Iterator[SeriesOffer]:
    """The series whose first visit lies within the window, and every visit within the bookable time, in order of time.

    One schedule of each pool takes all visits. Up to `most_conflicts` of the later ones may be in conflict. A series is
    looked at no further than to the conflict that is one too many.
    """
    agendas = {diary.schedule: Agenda(diary) for pool in pools for diary in pool}
    first = offers(pools, max(window[0], bookable[0]), min(window[1], bookable[1]))
    candidates = [_Candidate(offer) for offer in first]
    for number in range(1, recurrence.count):
        choices = _choices(candidates, agendas, pools, bookable, recurrence, number)
        for candidate, each in zip(candidates, choices, strict=True):
            candidate.add(each, most_conflicts)
        candidates = [candidate for candidate in candidates if candidate.is_possible]
    for candidate in candidates:
        schedules = _chosen(pools, candidate.served)
        missing = [number for number, choices in enumerate(candidate.served) if not _serve(schedules, choices)]
        if len(missing) <= most_conflicts:
            chosen = [agendas[schedule] for schedule in schedules]
            starts = recurrence.starts(candidate.offer.start)
            conflicts = tuple(
                Conflict(number + 1, starts[number], _alternatives(chosen, starts[number], bookable))
                for number in missing
            )
            yield SeriesOffer(candidate.offer.start, candidate.offer.end, starts, schedules, conflicts)


class PlannedVisit(NamedTuple):
    """A visit of a planned series: its number, its start, whether it is free, and if not the nearest free starts."""

    number: int
    start: int
    is_free: bool
    alternatives: tuple[int, ...]


def planned_visits(
    agendas: "Sequence[Agenda]", starts: Iterable[PlannedStart], bookable: Span, engaged: Sequence[Span] = ()
) -> Iterator[PlannedVisit]:
    """Return the visits at these starts on these schedules, also those that are not free.

    `engaged` is the patient's own time.
    """
    for number, (start, is_kept) in enumerate(starts, 1):
        is_free = is_kept and bool(_starts(agendas, start, start + 1, bookable, engaged))
        alternatives = () if is_free else _alternatives(agendas, start, bookable, engaged)
        yield PlannedVisit(number, start, is_free, alternatives)


def closest_visits(
    agendas: "Sequence[Agenda]",
    count: int,
    days: int,
    zone: ZoneInfo,
    first: int,
    bookable: Span,
    engaged: Sequence[Span] = (),
) -> Iterator[PlannedVisit]:
    """The visits of a series on these schedules that are as close together as possible: each is the first that can be
    had so many local days after the one before. There are fewer if no more can be had.
    """
    starts = _starts(agendas, first, first + 1, bookable, engaged)
    yield PlannedVisit(1, first, bool(starts), () if starts else _alternatives(agendas, first, bookable, engaged))
    start: int | None = first
    for number in range(2, count + 1):
        assert start is not None  # the loop ends without one
        start = _first_start(agendas, _day_later(start, days, zone), bookable, engaged)
        if start is None:
            return
        yield PlannedVisit(number, start, True, ())


def _day_later(start: int, days: int, zone: ZoneInfo) -> int:
    """The beginning of the local day that is so many days after that of `start`."""
    day = local_date(start, zone) + timedelta(days=days)
    return whole_days(day, day, zone)[0]


def _first_start(agendas: "Sequence[Agenda]", begin: int, bookable: Span, engaged: Sequence[Span]) -> int | None:
    """Return the first start from `begin` on at which all these schedules are free, looking at a week at once."""
    while begin < bookable[1]:
        if starts := _starts(agendas, begin, begin + WEEK * DAY, bookable, engaged):
            return starts[0]
        begin += WEEK * DAY
    return None


def reach(diaries: Iterable[Diary]) -> Span:
    """The seconds before and after its start that a visit can take, with its buffers."""
    rules = [diary.rules for diary in diaries]
    return max(each.buffer_before for each in rules), max(each.duration + each.buffer_after for each in rules)


class Agenda:
    """A diary of a long time, from which parts are taken, so that each week does not search what is taken in a year."""

    def __init__(self, diary: Diary) -> None:
        self.diary = diary
        self._taken = sorted(diary.taken, key=_start)
        self._longest = max((each.end - each.start for each in diary.taken), default=0)

    def part(self, start: int, end: int) -> Diary:
        """The diary with what is taken in [start, end) alone."""
        first = bisect_left(self._taken, start - self._longest, key=_start)
        last = bisect_left(self._taken, end, key=_start)
        return replace(self.diary, taken=[each for each in self._taken[first:last] if each.end > start])


class _Candidate:
    """A first visit, and for each visit looked at so far the choices of each pool; none if it is not free.

    `misses` has the schedules of each pool that can still take the series, with how many visits they cannot serve.
    """

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.served: list[Choices] = [offer.choices]
        self.misses = [dict.fromkeys(choices, 0) for choices in offer.choices]

    def add(self, choices: Choices, most_conflicts: int) -> None:
        """Add the choices for the next visit, and leave out the schedules that have more misses than that."""
        self.served.append(choices)
        for at, misses in enumerate(self.misses):
            serving = choices[at] if choices else ()
            counts = {schedule: count + (schedule not in serving) for schedule, count in misses.items()}
            self.misses[at] = {schedule: count for schedule, count in counts.items() if count <= most_conflicts}

    @property
    def is_possible(self) -> bool:
        return all(self.misses)


def _choices(
    candidates: Sequence[_Candidate],
    agendas: Mapping[int, Agenda],
    pools: Pools,
    bookable: Span,
    recurrence: Recurrence,
    number: int,
) -> list[Choices]:
    """Return for each candidate the choices for one of its visits, among the schedules that can still take a series."""
    if not candidates:
        return []
    times = [recurrence.start(candidate.offer.start, number) for candidate in candidates]
    left = [set[int]().union(*(candidate.misses[at] for candidate in candidates)) for at in range(len(pools))]
    counting = [[diary for diary in pool if diary.schedule in left[at]] for at, pool in enumerate(pools)]
    before, after = reach(diary for pool in counting for diary in pool)
    first, last = min(times), max(times)
    parts = [[agendas[diary.schedule].part(first - before, last + after) for diary in pool] for pool in counting]
    within = [(at, at + 1) for at in sorted(set(times))]
    found = offers(parts, max(first, bookable[0]), min(last + after, bookable[1]), within)
    serving = {(offer.start, offer.end - offer.start): offer.choices for offer in found}
    return [
        serving.get((at, each.offer.end - each.offer.start), ())
        if recurrence.is_kept(each.offer.start, number, at)
        else ()
        for each, at in zip(candidates, times, strict=True)
    ]


def _chosen(pools: Pools, served: Sequence[Choices]) -> tuple[int, ...]:
    """Return a schedule of each pool that can serve at the first visit: if possible one that serves all, else most."""
    ranked, constant = [], []
    for at, pool in enumerate(pools):
        first = [diary for diary in pool if diary.schedule in served[0][at]]
        counts = {each.schedule: sum(each.schedule in choices[at] for choices in served if choices) for each in first}
        ranked.append(sorted(first, key=lambda each: -counts[each.schedule]))
        constant.append([each for each in first if counts[each.schedule] == len(served)])
    chosen = (distinct(constant) if all(constant) else None) or distinct(ranked) or []
    return tuple(diary.schedule for diary in chosen)


def _serve(schedules: Sequence[int], choices: Choices) -> bool:
    """True if each of the schedules is among the choices of its pool."""
    return bool(choices) and all(schedule in pool for schedule, pool in zip(schedules, choices, strict=True))


def _alternatives(chosen: Sequence[Agenda], at: int, bookable: Span, engaged: Sequence[Span] = ()) -> tuple[int, ...]:
    """Return the starts nearest to `at` at which all these schedules are free."""
    found = _starts(chosen, at - AROUND, at + AROUND + 1, bookable, engaged)
    return tuple(sorted(sorted(found, key=lambda start: abs(start - at))[:ALTERNATIVES]))


def _starts(chosen: Sequence[Agenda], begin: int, end: int, bookable: Span, engaged: Sequence[Span]) -> list[int]:
    """Return the starts in [begin, end) at which all these schedules and the patient are free."""
    before, after = reach(agenda.diary for agenda in chosen)
    longest = max(agenda.diary.rules.duration for agenda in chosen)
    parts = [[agenda.part(begin - before, end + after)] for agenda in chosen]
    found = offers(parts, max(begin, bookable[0]), min(end + longest - 1, bookable[1]))
    return [
        offer.start for offer in found if not any(first < offer.end and offer.start < last for first, last in engaged)
    ]


def _start(taken: Taken) -> int:
    return taken.start
