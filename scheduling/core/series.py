"""Series: visits at one local time, every week or every few weeks, on the same schedules.

Each visit of a series is an offer of `scheduling.core.offers`, so that every series found can be booked. A local time
that the clocks skip is a conflict; of a repeated one, the first is meant.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from scheduling.core.hours import DAY, clock_difference, days_later
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary, Taken, distinct, offers

WEEK = 7  # days
AROUND = 3 * DAY  # an alternative is nearer to its own visit than to the next one
ALTERNATIVES = 3

Pools: TypeAlias = Sequence[Sequence[Diary]]
Choices: TypeAlias = tuple[tuple[int, ...], ...]  # for each pool, the schedules that can serve
SpanT = TypeVar("SpanT", Span, Taken)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The pattern of a series: `count` visits, one every `weeks` weeks, at one time by the clocks of `zone`."""

    count: int
    weeks: int
    zone: ZoneInfo

    def starts(self, first: int) -> tuple[int, ...]:
        """The starts of all visits. Where the clocks skip the local time, the start is not at that time."""
        return tuple(days_later(first, WEEK * self.weeks * number, self.zone) for number in range(self.count))

    def is_kept(self, first: int, number: int, start: int) -> bool:
        """True if the start of this visit (0 is the first) is at the local time, so that the clocks do not skip it."""
        return clock_difference(first, start, self.zone) == timedelta(weeks=self.weeks * number)


class Conflict(NamedTuple):
    """A visit of a series that cannot be had: its number, its start, and the nearest starts that can be had instead."""

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

    One schedule of each pool takes all visits. Up to `most_conflicts` of the later ones may be in conflict.
    """
    first = list(offers(pools, max(window[0], bookable[0]), min(window[1], bookable[1])))
    starts = {offer.start: recurrence.starts(offer.start) for offer in first}
    later_weeks = _weeks(pools, list(zip(*starts.values(), strict=True))[1:], bookable)
    for offer in first:
        times, length = starts[offer.start], offer.end - offer.start
        served = [offer.choices]
        for number, week in enumerate(later_weeks, 1):
            is_kept = recurrence.is_kept(offer.start, number, times[number])
            served.append(week.serving.get((times[number], length), ()) if is_kept else ())
        schedules = _chosen(pools, served)
        missing = [number for number, choices in enumerate(served) if not _serve(schedules, choices)]
        if len(missing) <= most_conflicts:
            conflicts = tuple(
                Conflict(
                    number + 1,
                    times[number],
                    _alternatives(later_weeks[number - 1], schedules, times[number], bookable),
                )
                for number in missing
            )
            yield SeriesOffer(offer.start, offer.end, times, schedules, conflicts)


def divided(diaries: Sequence[Diary], spans: Sequence[Span]) -> list[list[Diary]]:
    """For each span, the diaries with their extra and taken time in it. The spans are in order, by start and by end.

    The time of a year is gone through once, not once for each week.
    """
    extra = [_by_span(diary.extra, spans) for diary in diaries]
    taken = {id(diary.taken): _by_span(diary.taken, spans) for diary in diaries}  # schedules of one person share it
    return [
        [
            replace(diary, extra=extra[at][number], taken=taken[id(diary.taken)][number])
            for at, diary in enumerate(diaries)
        ]
        for number in range(len(spans))
    ]


def reach(diaries: Iterable[Diary]) -> Span:
    """The seconds before and after its start that a visit can take, with its buffers."""
    rules = [diary.rules for diary in diaries]
    return max(each.buffer_before for each in rules), max(each.duration + each.buffer_after for each in rules)


def _by_span(times: Iterable[SpanT], spans: Sequence[Span]) -> list[list[SpanT]]:
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    found: list[list[SpanT]] = [[] for _ in spans]
    for time in times:
        for number in range(bisect_right(ends, time[0]), bisect_left(starts, time[1])):
            found[number].append(time)
    return found


class _Week(NamedTuple):
    """The pools in the week of one visit, and who can serve at the starts that are asked for, by start and length."""

    pools: Pools
    serving: dict[tuple[int, int], Choices]


def _weeks(pools: Pools, starts: Sequence[Sequence[int]], bookable: Span) -> list[_Week]:
    """For each visit of a series, its week; `starts` are the starts that are asked for in it."""
    diaries = [diary for pool in pools for diary in pool]
    if not starts or not diaries:
        return []
    before, after = reach(diaries)
    spans = [(min(times) - AROUND - before, max(times) + AROUND + after) for times in starts]
    weeks = []
    for part, times in zip(divided(diaries, spans), starts, strict=True):
        members = iter(part)
        own = [[next(members) for _ in pool] for pool in pools]
        window = max(min(times), bookable[0]), min(max(times) + after, bookable[1])
        found = offers(own, *window, [(at, at + 1) for at in sorted(set(times))])
        weeks.append(_Week(own, {(offer.start, offer.end - offer.start): offer.choices for offer in found}))
    return weeks


def _chosen(pools: Pools, served: Sequence[Choices]) -> tuple[int, ...]:
    """One schedule of each pool that can serve at the first visit: if possible one that serves all, else most."""
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


def _alternatives(week: _Week, schedules: Sequence[int], at: int, bookable: Span) -> tuple[int, ...]:
    """The starts nearest to `at` at which these schedules can be had together."""
    chosen = [
        [diary for diary in pool if diary.schedule == schedule]
        for pool, schedule in zip(week.pools, schedules, strict=True)
    ]
    longest = max(diary.rules.duration for pool in chosen for diary in pool)
    found = offers(chosen, max(at - AROUND, bookable[0]), min(at + AROUND + longest, bookable[1]))
    return tuple(sorted(sorted((offer.start for offer in found), key=lambda start: abs(start - at))[:ALTERNATIVES]))
