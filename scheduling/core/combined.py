"""Combined visits: several visits of one patient or family, one after another or all at one time.

Each of them is an offer of `scheduling.core.offers`, and none takes the time of another, so that every combination
found can be booked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import NamedTuple, TypeAlias

from scheduling.core.hours import HOUR
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary, Offer, offers

LONGEST_WAIT = HOUR // 2  # between two visits

Pools: TypeAlias = Sequence[Sequence[Diary]]
Order: TypeAlias = tuple[int, ...]


class CombinedVisit(NamedTuple):
    """One visit [start, end) of a combination: its part, and the schedules that take it."""

    part: int
    start: int
    end: int
    schedules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the requested visits: its pools, its bookable time, and the patient's own time."""

    pools: Pools
    bookable: Span
    engaged: Sequence[Span] = ()

    @property
    def longest(self) -> int:
        return max((diary.rules.duration for pool in self.pools for diary in pool), default=0)

    def offers(self, start: int, end: int) -> list[Offer]:
        """The offers that start in [start, end) while the patient is free, in order of time."""
        first, last = max(start, self.bookable[0]), min(end + self.longest - 1, self.bookable[1])
        return [
            offer
            for offer in offers(self.pools, first, last)
            if offer.start < end and not any(a < offer.end and offer.start < b for a, b in self.engaged)
        ]


def combinations(
    parts: Sequence[Part], window: Span, *, any_order: bool = False, at_once: bool = False
) -> Iterator[tuple[CombinedVisit, ...]]:
    """The combinations whose first visit starts in the window, in order of time: for each start one with short waits.

    Each visit starts when the one before it has ended, or at most LONGEST_WAIT later; with `at_once` all start
    together. With `any_order` the parts may change places, if everything is over sooner then.
    """
    last = window[1] + (0 if at_once else sum(part.longest + LONGEST_WAIT for part in parts))
    found = [part.offers(window[0], last) for part in parts]
    diaries = {
        (number, diary.schedule): diary for number, part in enumerate(parts) for pool in part.pools for diary in pool
    }
    search = _Search(found, diaries, at_once)
    given = tuple(range(len(parts)))
    orders = list(permutations(given)) if any_order and not at_once else [given]
    shortest: dict[int, tuple[CombinedVisit, ...]] = {}
    for order in orders:
        for offer in found[order[0]]:
            if offer.start >= window[1]:
                break
            combination = search.begin(order, offer)
            if combination is not None and _is_shorter(combination, shortest.get(offer.start)):
                shortest[offer.start] = combination
    for start in sorted(shortest):
        yield shortest[start]


def _is_shorter(one: tuple[CombinedVisit, ...], other: tuple[CombinedVisit, ...] | None) -> bool:
    return other is None or one[-1].end < other[-1].end


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for the rest of a combination: the offers of each part, and the diaries by part and schedule."""

    found: Sequence[Sequence[Offer]]
    diaries: Mapping[tuple[int, int], Diary]
    at_once: bool

    def begin(self, order: Order, first: Offer) -> tuple[CombinedVisit, ...] | None:
        """The combination in this order that begins with this offer, and in which nobody waits longer than need be."""
        return self._extend(order, (), [first])

    def _extend(
        self, order: Order, before: tuple[CombinedVisit, ...], candidates: Sequence[Offer]
    ) -> tuple[CombinedVisit, ...] | None:
        part = order[len(before)]
        for offer in candidates:
            following = self._following(order, len(before) + 1, offer)
            if following is not None and not following:
                continue
            for schedules in self._choices(part, offer, before):
                visits = (*before, CombinedVisit(part, offer.start, offer.end, schedules))
                if following is None:
                    return visits
                if (rest := self._extend(order, visits, following)) is not None:
                    return rest
        return None

    def _following(self, order: Order, at: int, offer: Offer) -> list[Offer] | None:
        """The offers of the next part that can follow this one; None if it is the last."""
        if at == len(order):
            return None
        first, last = (offer.start, offer.start) if self.at_once else (offer.end, offer.end + LONGEST_WAIT)
        return [each for each in self.found[order[at]] if first <= each.start <= last]

    def _choices(self, part: int, offer: Offer, before: tuple[CombinedVisit, ...]) -> Iterator[tuple[int, ...]]:
        """The schedules that can take the offer beside the visits before it: first those that take one of these."""
        used = {schedule for visit in before for schedule in visit.schedules}
        taken = [self._taken(visit.part, schedule, visit.start) for visit in before for schedule in visit.schedules]
        pools = [
            sorted(
                (schedule for schedule in pool if self._is_free(part, schedule, offer.start, taken)),
                key=lambda schedule: schedule not in used,
            )
            for pool in offer.choices
        ]
        for schedules in product(*pools):
            bookables = {self.diaries[part, schedule].bookable for schedule in schedules}
            if len(bookables) == len(schedules):
                yield schedules

    def _is_free(self, part: int, schedule: int, start: int, taken: Sequence[tuple[int, int, int]]) -> bool:
        bookable, first, last = self._taken(part, schedule, start)
        return not any(other == bookable and first < end and begin < last for other, begin, end in taken)

    def _taken(self, part: int, schedule: int, start: int) -> tuple[int, int, int]:
        """The bookable that a visit takes, and its time with the buffers."""
        diary = self.diaries[part, schedule]
        rules = diary.rules
        return diary.bookable, start - rules.buffer_before, start + rules.duration + rules.buffer_after
