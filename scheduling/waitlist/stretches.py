"""A stretch of time that came free, and the times of one service that the availability engine finds in it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from clinic.local_time import read_iso
from clinic.models import Appointment, FreedTime, HealthcareService, SchedulingParameters
from scheduling.availability import (
    Arrangement,
    FoundTime,
    Offering,
    TimeQuery,
    Way,
    arrangements_for,
    find_times,
    hypothetical_rules,
    moved_visit_of,
    planned,
    was_open,
    ways_of,
)

AHEAD = timedelta(days=92)  # how far new hours are looked at


class Stretch:
    """The times of a service that need time of the stretch. They are searched once, when they are asked for."""

    def __init__(self, freed: FreedTime, service: HealthcareService, now: datetime) -> None:
        self.freed, self.service, self.now = freed, service, now

    @cached_property
    def usual_times(self) -> list[FoundTime]:
        """The times of a new visit."""
        return self._find(self._arrangements)

    def times_for(self, visit: Appointment | None) -> list[FoundTime]:
        """The times to which a visit can move, with its length and its extra schedules; without one, those of a new
        visit.
        """
        if visit is None:
            return self.usual_times
        moved = moved_visit_of(visit)
        if moved.length is None and len(moved.own) <= max(len(self.service.requires), 1):
            return self.usual_times
        return self._find(tuple(moved.ways(self._arrangements)))

    @cached_property
    def _arrangements(self) -> tuple[Arrangement, ...]:
        return arrangements_for(self.service)

    @cached_property
    def _hours(self) -> "_FormerHours":
        return _FormerHours(self.freed, self.service)

    def _find(self, arrangements: Iterable[Arrangement]) -> list[FoundTime]:
        ways = [narrowed for way in ways_of(self.service, arrangements) for narrowed in self._through(way)]
        start, end = self._window(ways)
        if not ways or start >= end:
            return []
        found = find_times(TimeQuery(ways=ways, start=start, end=end), now=self.now)
        freed = [time for time in found if self._came_free(time)]
        return [time for time in freed if self._is_within(time)] or freed

    def _through(self, way: Way) -> Iterator[Way]:
        """Return the way with the freed schedule in the pool that has it; unchanged for new hours of all schedules."""
        if self.freed.bookable_id is None and self.freed.schedule_id is None:
            yield way
            return
        for n, pool in enumerate(way.pools):
            if own := tuple(each for each in pool if self._is_freed(each)):
                yield way.among(own, n)

    def _is_freed(self, offering: Offering) -> bool:
        return offering.bookable == self.freed.bookable_id or offering.schedule == self.freed.schedule_id

    def _window(self, ways: Sequence[Way]) -> tuple[datetime, datetime]:
        """Return the window in which a visit that needs time of the stretch can lie."""
        if self.freed.start is None or self.freed.end is None:
            return self.now, self.now + AHEAD
        rules = [each.rules for way in ways for pool in way.pools for each in pool]
        before = max((each.duration + each.buffer_after for each in rules), default=0)
        after = max((each.duration + each.buffer_before for each in rules), default=0)
        start = self.freed.start - timedelta(seconds=before)
        return max(start, self.now), self.freed.end + timedelta(seconds=after)

    def _came_free(self, time: FoundTime) -> bool:
        """True if the visit, with its buffers, needs time of the stretch, or lies in hours that are new."""
        if self.freed.start is None or self.freed.end is None:
            return any(self._hours.is_new(each, time) for pool in time.choices for each in pool if self._counts(each))
        rules = time.offerings[0].rules
        begins, ends = time.start - rules.buffer_before, time.end + rules.buffer_after
        return begins < self.freed.end.timestamp() and ends > self.freed.start.timestamp()

    def _is_within(self, time: FoundTime) -> bool:
        """True if the visit needs no time beside the stretch, so that it splits no other free time."""
        if self.freed.start is None or self.freed.end is None:
            return True
        return self.freed.start.timestamp() <= time.start and time.end <= self.freed.end.timestamp()

    def _counts(self, offering: Offering) -> bool:
        return self.freed.schedule_id is None or self._is_freed(offering)


class _FormerHours:
    """The hours of a service before they were changed, as the change noted them."""

    def __init__(self, freed: FreedTime, service: HealthcareService) -> None:
        self._before: dict[str, Any] = freed.before or {}
        rows = list(SchedulingParameters.objects.filter(service=service))
        self._general = next((row for row in rows if row.schedule_id is None), None)
        self._own = {row.schedule_id: row for row in rows if row.schedule_id is not None}
        changed = self._general if freed.schedule_id is None else self._own.get(freed.schedule_id)
        if changed is not None and "availability" in self._before:
            changed.availability = self._before["availability"]
            changed.not_available = self._before["not_available"]

    def is_new(self, offering: Offering, time: FoundTime) -> bool:
        """True if the schedule could not be booked then before the change."""
        if "planning_start" in self._before:
            begins, ends = (self._moment(name) for name in ("planning_start", "planning_end"))
            horizon = planned(begins, ends)
            was_planned = horizon is None or (horizon[0] <= time.start and time.end <= horizon[1])
            return not (self._before["active"] and was_planned)
        rules = hypothetical_rules(self._own.get(offering.schedule), self._general, offering.rules)
        return not was_open(offering, rules, (time.start, time.end))

    def _moment(self, name: str) -> int | None:
        text = self._before[name]
        return None if text is None else int(read_iso(text).timestamp())
