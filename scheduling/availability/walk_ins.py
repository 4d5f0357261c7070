"""The next free time of each calendar on a day, for patients who are there already."""

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import datetime, timedelta

from clinic.local_time import later
from clinic.models import HealthcareService
from scheduling.availability.free_times import LONGEST_VISIT, TimeQuery
from scheduling.availability.offerings import Arrangement
from scheduling.availability.openings import Opening, openings
from scheduling.availability.ways import ways_of
from scheduling.core.intervals import Span


def next_openings(
    service: HealthcareService, arrangements: Iterable[Arrangement], until: datetime, *, now: datetime
) -> list[Opening]:
    """The first visit of each calendar that people choose from, if it starts before `until`, in order of time.

    The service's minimum notice does not count. One statement, and another if visits are counted.
    """

    def one_window(start: int, end: int) -> Iterator[Span]:
        yield start, min(int(until.timestamp()), end)

    query = TimeQuery(
        ways=ways_of(without_notice(service), arrangements),
        start=now,
        end=later(until, timedelta(seconds=LONGEST_VISIT)),
        windows=one_window,
    )
    first: dict[int, Opening] = {}
    for opening in openings(query, now=now):
        first.setdefault(opening.offerings[0].schedule, opening)
    return list(first.values())


def without_notice(service: HealthcareService) -> HealthcareService:
    """A copy of the service that needs no notice. It is never saved."""
    at_once = copy(service)
    at_once.minimum_notice = timedelta(0)
    return at_once
