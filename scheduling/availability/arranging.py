"""The schedules for a visit at a given time, whether it can be booked then or not."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from clinic.models import Appointment, HealthcareService
from scheduling.availability.free_times import TIME_CONFLICTS, TimeQuery, explain, find_times
from scheduling.availability.offerings import Arrangement, Offering
from scheduling.availability.ways import ways_of


def arrange(
    service: HealthcareService,
    arrangements: Sequence[Arrangement],
    start: datetime,
    *,
    now: datetime,
    without: Appointment | None = None,
) -> tuple[Offering, ...]:
    """The schedules for the visit at `start`: free ones, else those with the fewest obstacles.

    There has to be an arrangement at least.
    """
    longest = max(each.rules.duration for way in arrangements for pool in way for each in pool)
    query = TimeQuery(
        ways=ways_of(service, arrangements), start=start, end=start + timedelta(seconds=longest), without=without
    )
    found = next((each for each in find_times(query, now=now) if each.start == int(start.timestamp())), None)
    return found.offerings if found else _with_fewest_obstacles(service, arrangements, start, now, without)


def _with_fewest_obstacles(
    service: HealthcareService,
    arrangements: Iterable[Arrangement],
    start: datetime,
    now: datetime,
    without: Appointment | None,
) -> tuple[Offering, ...]:
    ways = list(arrangements)
    every = list({each.schedule: each for way in ways for pool in way for each in pool}.values())
    reasons = explain(service, every, start, now=now, without=without)

    def weight(offering: Offering) -> tuple[bool, int]:
        return not TIME_CONFLICTS.isdisjoint(reasons[offering]), len(reasons[offering])

    chosen = [tuple(min(pool, key=weight) for pool in way) for way in ways]
    return min(chosen, key=lambda way: sorted(map(weight, way), reverse=True))
