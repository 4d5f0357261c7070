"""Free time of many services at once: what can be had, with whom, from when.

As in scheduling.availability.questions, but of all services that fit what somebody looks for, each choice of its own.
However many services and schedules there are, each look into the window is one statement.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from clinic.models import Appointment, HealthcareService
from scheduling.availability.offerings import PRACTITIONER, Arrangement, Offering, is_kind
from scheduling.availability.questions import bookable_window, empty_diary, fill
from scheduling.core import offers as core
from scheduling.core.hours import DAY
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary, Offer

Looks: TypeAlias = Callable[[int, int], Iterator[Span]]


@dataclass(frozen=True, slots=True)
class Way:
    """One arrangement of a service. `chosen` is the pool of those whom people choose: practitioners, if any."""

    service: HealthcareService
    pools: Arrangement
    chosen: int

    @property
    def choices(self) -> tuple[Offering, ...]:
        return self.pools[self.chosen]

    def among(self, pool: tuple[Offering, ...], at: int | None = None) -> "Way":
        """The same with other members of one pool: the chosen one unless it is named."""
        at = self.chosen if at is None else at
        return Way(self.service, (*self.pools[:at], pool, *self.pools[at + 1 :]), self.chosen)


class Opening(NamedTuple):
    """A visit that can be had: [start, end) in UTC seconds. Who is chosen comes first of its offerings."""

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
    looks: Looks,
    without: Appointment | None = None,
) -> Iterator[Opening]:
    """What can be booked within the window, in order of time; at one time in the order of `ways` and their choices.

    Computed look by look, while it is asked for. The Slots of `without` do not count, as when it is moved.
    """
    windows = {way.service: bookable_window(way.service, start, end, now) for way in ways}
    first = min((begin for begin, _ in windows.values()), default=0)
    last = max((finish for _, finish in windows.values()), default=0)
    for look in looks(first, last):
        yield from sorted(_in_look(ways, windows, look, now, without), key=lambda opening: opening.start)


def by_day(start: int, end: int) -> Iterator[Span]:
    """For who wants all there is, and little of it at a time."""
    while start < end:
        yield start, min(start + DAY, end)
        start += DAY


def by_doubling(start: int, end: int) -> Iterator[Span]:
    """For who wants the first few: each look reaches twice as far, so that there are never many."""
    length = DAY
    while start < end:
        yield start, min(start + length, end)
        start += length
        length *= 2


def only_the_start(start: int, end: int) -> Iterator[Span]:
    """For who asks for one time."""
    yield start, start + 1


def _in_look(
    ways: Sequence[Way],
    windows: dict[HealthcareService, Span],
    look: Span,
    now: datetime,
    without: Appointment | None,
) -> list[Opening]:
    """The visits that start in the look; they may end later."""
    diaries: dict[HealthcareService, dict[int, Diary]] = {}
    for way in ways:
        mine = diaries.setdefault(way.service, {})
        mine |= {each.schedule: empty_diary(each) for pool in way.pools for each in pool if each.schedule not in mine}
    longest = max((diary.rules.duration for each in diaries.values() for diary in each.values()), default=0)
    fill(list(diaries.items()), look[0], look[1] + longest, now=now, without=without)
    found: list[Opening] = []
    for way in ways:
        first, last = windows[way.service]
        found += _of_way(way, diaries[way.service], max(look[0], first), look[1], min(look[1] + longest, last))
    return found


def _of_way(way: Way, diaries: dict[int, Diary], start: int, look_end: int, end: int) -> Iterator[Opening]:
    offerings = {each.schedule: each for pool in way.pools for each in pool}
    for offer in core.offers([[diaries[each.schedule] for each in pool] for pool in way.pools], start, end):
        if offer.start < look_end:
            for chosen in offer.choices[way.chosen]:
                together = [offerings[schedule] for schedule in _with(chosen, way.chosen, offer)]
                if len({each.bookable for each in together}) == len(together):  # nobody is in a visit twice
                    yield Opening(way.service, offer.start, offer.end, tuple(together))


def _with(chosen: int, pool: int, offer: Offer) -> Iterable[int]:
    return (chosen, *offer.schedules[:pool], *offer.schedules[pool + 1 :])
