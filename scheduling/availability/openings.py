"""Search for free times of many services at once, with each possible choice as its own result.

It works like scheduling.availability.free_times, but for all services that meet the criteria. Each window of the search
is one statement, regardless of the number of services and schedules.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from clinic.models import Appointment, HealthcareService
from scheduling.availability.free_times import bookable_window, empty_diary, fill
from scheduling.availability.offerings import PRACTITIONER, Arrangement, Offering, is_kind
from scheduling.core import offers as core
from scheduling.core.hours import DAY
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary, Offer

SearchWindows: TypeAlias = Callable[[int, int], Iterator[Span]]


@dataclass(frozen=True, slots=True)
class Way:
    """An arrangement of a service. `chosen` is the index of the pool that people choose from: practitioners, if any."""

    service: HealthcareService
    pools: Arrangement
    chosen: int

    @property
    def choices(self) -> tuple[Offering, ...]:
        return self.pools[self.chosen]

    def among(self, pool: tuple[Offering, ...], at: int | None = None) -> "Way":
        """The same arrangement with other members of one pool, by default the chosen one."""
        at = self.chosen if at is None else at
        return Way(self.service, (*self.pools[:at], pool, *self.pools[at + 1 :]), self.chosen)


class Opening(NamedTuple):
    """A possible visit: [start, end) in UTC seconds. The chosen offering comes first."""

    service: HealthcareService
    start: int
    end: int
    offerings: tuple[Offering, ...]


def way_of(service: HealthcareService, arrangement: Arrangement) -> Way:
    people = (n for n, pool in enumerate(arrangement) if all(is_kind(each, PRACTITIONER) for each in pool))
    return Way(service, arrangement, next(people, 0))


def openings(
    ways: Sequence[Way],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    windows: SearchWindows,
    without: Appointment | None = None,
) -> Iterator[Opening]:
    """The bookable visits within [start, end), in order of time, then in the order of `ways` and their choices.

    They are computed lazily, window by window. Slots of `without` are ignored, as when it is moved.
    """
    bookable = {way.service: bookable_window(way.service, start, end, now) for way in ways}
    first = min((begin for begin, _ in bookable.values()), default=0)
    last = max((finish for _, finish in bookable.values()), default=0)
    for window in windows(first, last):
        yield from sorted(_in_window(ways, bookable, window, now, without), key=lambda opening: opening.start)


def by_day(start: int, end: int) -> Iterator[Span]:
    """Windows of one day, for a search that needs all times, a few at a time."""
    while start < end:
        yield start, min(start + DAY, end)
        start += DAY


def doubling(start: int, end: int) -> Iterator[Span]:
    """Windows of growing length, for a search that needs the first few times: the number of windows stays small."""
    length = DAY
    while start < end:
        yield start, min(start + length, end)
        start += length
        length *= 2


def start_only(start: int, end: int) -> Iterator[Span]:
    """A single window for a search of one start time."""
    yield start, start + 1


def _in_window(
    ways: Sequence[Way],
    bookable: dict[HealthcareService, Span],
    window: Span,
    now: datetime,
    without: Appointment | None,
) -> list[Opening]:
    """The visits that start in the window; they may end later."""
    diaries: dict[HealthcareService, dict[int, Diary]] = {}
    for way in ways:
        mine = diaries.setdefault(way.service, {})
        mine |= {each.schedule: empty_diary(each) for pool in way.pools for each in pool if each.schedule not in mine}
    longest = max((diary.rules.duration for each in diaries.values() for diary in each.values()), default=0)
    fill(list(diaries.items()), window[0], window[1] + longest, now=now, without=without)
    found: list[Opening] = []
    for way in ways:
        first, last = bookable[way.service]
        found += _of_way(way, diaries[way.service], max(window[0], first), window[1], min(window[1] + longest, last))
    return found


def _of_way(way: Way, diaries: dict[int, Diary], start: int, window_end: int, end: int) -> Iterator[Opening]:
    offerings = {each.schedule: each for pool in way.pools for each in pool}
    for offer in core.offers([[diaries[each.schedule] for each in pool] for pool in way.pools], start, end):
        if offer.start < window_end:
            for chosen in offer.choices[way.chosen]:
                together = [offerings[schedule] for schedule in _with(chosen, way.chosen, offer)]
                if len({each.bookable for each in together}) == len(
                    together
                ):  # no bookable takes part in a visit twice
                    yield Opening(way.service, offer.start, offer.end, tuple(together))


def _with(chosen: int, pool: int, offer: Offer) -> Iterable[int]:
    return (chosen, *offer.schedules[:pool], *offer.schedules[pool + 1 :])
