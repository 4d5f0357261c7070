"""Search for combined visits: several services, or several patients, one after another at one site."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import NamedTuple

from clinic.local_time import later
from clinic.models import HealthcareService
from scheduling.availability.free_times import bookable_window, empty_diary, fill
from scheduling.availability.offerings import Offering
from scheduling.availability.released_time import release
from scheduling.availability.ways import Way
from scheduling.core.combined import CombinedVisit, Part, combinations
from scheduling.core.intervals import Span
from scheduling.core.offers import Diary

REACH = timedelta(days=1)  # after the window: the visits that follow the first one


@dataclass(frozen=True, kw_only=True)
class CombinedQuery:
    """A query for combined visits whose first one starts within [start, end): the ways of each part.

    `engaged` has the own time of the patient of each part, if it is known. The time of the visits `without`, by their
    primary keys, counts as free. See `scheduling.core.combined.combinations`.
    """

    parts: Sequence[Sequence[Way]]
    start: datetime
    end: datetime
    any_order: bool = False
    at_once: bool = False
    engaged: Sequence[Sequence[Span]] = ()
    without: Collection[int] = ()


class FoundVisit(NamedTuple):
    """One visit [start, end) in UTC seconds of a combination, with its service and offerings; `part` is its number in
    the query.
    """

    part: int
    start: int
    end: int
    service: HealthcareService
    offerings: tuple[Offering, ...]


def find_combined(query: CombinedQuery, *, now: datetime) -> list[tuple[FoundVisit, ...]]:
    """The combinations at which all visits can be booked, in order of time, one for each start. One query."""
    last = later(query.end, REACH)
    bookable = {
        way.service: bookable_window(way.service, query.start, last, now) for ways in query.parts for way in ways
    }
    diaries: dict[HealthcareService, dict[int, Diary]] = {service: {} for service in bookable}
    for way in (way for ways in query.parts for way in ways):
        mine = diaries[way.service]
        mine |= {each.schedule: empty_diary(each) for pool in way.pools for each in pool if each.schedule not in mine}
    if not bookable:
        return []
    start, end = min(begin for begin, _ in bookable.values()), max(finish for _, finish in bookable.values())
    fill(list(diaries.items()), start, end, now=now)
    release((diary for calendars in diaries.values() for diary in calendars.values()), query.without)
    window = -int(-query.start.timestamp() // 1), int(query.end.timestamp())
    shortest: dict[int, tuple[FoundVisit, ...]] = {}
    for ways in _ways_at_one_site(query.parts):
        for visits in combinations(
            _parts(query, ways, diaries, bookable), window, any_order=query.any_order, at_once=query.at_once
        ):
            known = shortest.get(visits[0].start)
            if known is None or visits[-1].end < known[-1].end:
                shortest[visits[0].start] = tuple(_found(visit, ways) for visit in visits)
    return [shortest[at] for at in sorted(shortest)]


def _parts(
    query: CombinedQuery,
    ways: Sequence[Way],
    diaries: dict[HealthcareService, dict[int, Diary]],
    bookable: dict[HealthcareService, Span],
) -> list[Part]:
    engaged = query.engaged or [()] * len(ways)
    return [
        Part([[diaries[way.service][each.schedule] for each in pool] for pool in way.pools], bookable[way.service], own)
        for way, own in zip(ways, engaged, strict=True)
    ]


def _ways_at_one_site(parts: Sequence[Sequence[Way]]) -> Iterator[tuple[Way, ...]]:
    """A way of each part, all at one site; a visit by video is at none."""
    everywhere = (way for ways in parts for way in ways if not way.service.telehealth)
    sites = {each.site for way in everywhere for pool in way.pools for each in pool}
    for site in sorted(sites - {None}, key=str) or [None]:
        yield from product(*([way for each in ways for way in _at(each, site)] for ways in parts))


def _at(way: Way, site: int | None) -> Iterator[Way]:
    """The way with its schedules at the site; nothing if there are not enough."""
    if way.service.telehealth or site is None:
        yield way
        return
    pools = tuple(tuple(each for each in pool if each.site in (None, site)) for pool in way.pools)
    if all(pools):
        yield replace(way, pools=pools)


def _found(visit: CombinedVisit, ways: Sequence[Way]) -> FoundVisit:
    way = ways[visit.part]
    offerings = {each.schedule: each for pool in way.pools for each in pool}
    chosen = tuple(offerings[schedule] for schedule in visit.schedules)
    return FoundVisit(visit.part, visit.start, visit.end, way.service, chosen)
