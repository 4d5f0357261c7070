"""Free times of many services at once, with each possible choice as its own result."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from clinic.models import HealthcareService
from scheduling.availability.free_times import TimeQuery, search
from scheduling.availability.offerings import Offering
from scheduling.availability.ways import Way
from scheduling.core.hours import DAY
from scheduling.core.intervals import Span
from scheduling.core.offers import Offer


class Opening(NamedTuple):
    """A possible visit: [start, end) in UTC seconds. The chosen offering comes first."""

    service: HealthcareService
    start: int
    end: int
    offerings: tuple[Offering, ...]


def openings(query: TimeQuery, *, now: datetime, latest_first: bool = False) -> Iterator[Opening]:
    """The bookable visits of the query, in order of time, then in the order of its ways and their choices.

    They are computed lazily, window by window. With `latest_first` the windows of the query come in that order too.
    """
    for offers in search(query, now=now):
        found = (opening for way, each in offers for opening in _choices(way, each))
        yield from sorted(found, key=lambda opening: opening.start, reverse=latest_first)


def by_day(start: int, end: int) -> Iterator[Span]:
    """Windows of one day, for a search that needs all times, a few at a time."""
    while start < end:
        yield start, min(start + DAY, end)
        start += DAY


def doubling(start: int, end: int, *, longest: int | None = None, latest_first: bool = False) -> Iterator[Span]:
    """Windows of growing length, for a search that needs the first few times: the number of windows stays small.

    `longest` is the length in seconds from which they grow no more; with `latest_first` the last window comes first.
    """
    length = DAY
    while start < end:
        if latest_first:
            yield max(start, end - length), end
            end -= length
        else:
            yield start, min(start + length, end)
            start += length
        length = 2 * length if longest is None else min(2 * length, longest)


def start_only(start: int, end: int) -> Iterator[Span]:
    """A single window for a search of one start time."""
    yield start, start + 1


def _choices(way: Way, offers: Iterable[Offer]) -> Iterator[Opening]:
    offerings = {each.schedule: each for pool in way.pools for each in pool}
    for offer in offers:
        for chosen in offer.choices[way.chosen]:
            together = [offerings[schedule] for schedule in _with(chosen, way.chosen, offer)]
            if len({each.bookable for each in together}) == len(together):  # no bookable takes part in a visit twice
                yield Opening(way.service, offer.start, offer.end, tuple(together))


def _with(chosen: int, pool: int, offer: Offer) -> Iterable[int]:
    return (chosen, *offer.schedules[:pool], *offer.schedules[pool + 1 :])
