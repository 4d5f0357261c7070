"""Report of how far away the next free times of each service are: the third next available appointment of health care.

https://www.ihi.org/resources/measures/third-next-available-appointment: the third is less often a time that was
cancelled at the last moment than the first, so it tells more about how full a clinic is.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic.models import HealthcareService
from scheduling.availability.criteria import Criteria, ways_for
from scheduling.availability.free_times import TimeQuery, as_datetime, search
from scheduling.availability.openings import doubling

REACH = timedelta(days=182)
TIMES = 3


class NextFreeTimes(NamedTuple):
    """The first and the third next free time of a service, in the zones of their calendars.

    None if there is none in the next half year.
    """

    service: HealthcareService
    first: datetime | None
    third: datetime | None


def next_free_times(services: Collection[int], *, now: datetime) -> list[NextFreeTimes]:
    """Return the next free times of these services (primary keys) as patients can book them. At most ten statements."""
    ways = ways_for(Criteria(services=tuple(services)), lambda service, offering: True)
    zones = {offering.schedule: offering.zone for way in ways for pool in way.pools for offering in pool}
    found: dict[HealthcareService, dict[int, ZoneInfo]] = {way.service: {} for way in ways}
    query = TimeQuery(ways=ways, start=now, end=now + REACH, windows=doubling)
    for offers in search(query, now=now) if ways else ():
        for way, offers_of_way in offers:
            starts = found[way.service]
            for offer in offers_of_way:
                starts.setdefault(offer.start, zones[offer.schedules[0]])
                if len(starts) >= TIMES and offer.start >= sorted(starts)[TIMES - 1]:
                    break
        if all(len(starts) >= TIMES for starts in found.values()):
            break
    return [_of(service, starts) for service, starts in found.items()]


def _of(service: HealthcareService, starts: dict[int, ZoneInfo]) -> NextFreeTimes:
    times = [as_datetime(start).astimezone(starts[start]) for start in sorted(starts)]
    first, third = (times[n] if len(times) > n else None for n in (0, TIMES - 1))
    return NextFreeTimes(service, first, third)
