"""Moved visits: they keep their length and the schedules they take, and their present time is not a new one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.models import Appointment
from scheduling.availability.free_times import FoundTime, as_datetime
from scheduling.availability.offerings import (
    PRACTITIONER,
    Arrangement,
    Offering,
    Pool,
    is_kind,
    offerings_of_visit,
    with_duration,
)


@dataclass(frozen=True, slots=True)
class MovedVisit:
    """The start of a visit, its length if it is not the usual one, and the schedules that it takes.

    A schedule is extra if the service does not require it: a second practitioner, or an additional room or device.
    """

    start: datetime | None
    length: timedelta | None
    own: tuple[Offering, ...]

    def ways(self, arrangements: Iterable[Arrangement]) -> Iterator[Arrangement]:
        """Return these arrangements of the service extended to the visit; those at a site without the visit's extra
        schedules are left out.
        """
        for arrangement in arrangements:
            extras = self._extras([pool[0] for pool in arrangement])
            sites = {each.site for pool in arrangement for each in pool} - {None}
            if all(each.site in (None, *sites) or not sites for each in extras):
                yield tuple(self._with_length(pool) for pool in (*arrangement, *((each,) for each in extras)))

    def offerings(self, chosen: Iterable[Offering], *, with_extras: bool) -> tuple[Offering, ...]:
        """The chosen schedules with the visit's length, and with its extra schedules if `with_extras`."""
        chosen = tuple(chosen)
        return self._with_length((*chosen, *self._extras(chosen)) if with_extras else chosen)

    def is_present(self, start: datetime, schedules: Iterable[Offering]) -> bool:
        """True if the visit is at this start already, with the person among these schedules.

        A visit without a person is there already with any of them.
        """
        schedules = tuple(schedules)
        person = next((each for each in schedules if is_kind(each, PRACTITIONER)), None)
        own = {each.schedule for each in self.own}
        return start == self.start and any(each.schedule in own for each in ((person,) if person else schedules))

    def other_times(self, found: Iterable[FoundTime]) -> Iterator[FoundTime]:
        """The found times without the visit's present one; at its start only with other people."""
        for time in found:
            other = time if as_datetime(time.start) != self.start else self._with_others(time)
            if other is not None:
                yield other

    def _with_others(self, time: FoundTime) -> FoundTime | None:
        """The found time at the visit's present start, with the people who do not have the visit already."""
        start = as_datetime(time.start)
        at = next((n for n, each in enumerate(time.offerings) if is_kind(each, PRACTITIONER)), None)
        if at is None:
            return None if self.is_present(start, time.choices[0]) else time
        people = tuple(each for each in time.choices[at] if not self.is_present(start, (each,)))
        taken = {each.bookable for n, each in enumerate(time.offerings) if n != at}
        first = next((each for each in people if each.bookable not in taken), None)
        if first is None:
            return None
        offerings = (*time.offerings[:at], first, *time.offerings[at + 1 :])
        return time._replace(offerings=offerings, choices=(*time.choices[:at], people, *time.choices[at + 1 :]))

    def _extras(self, others: Iterable[Offering]) -> list[Offering]:
        """The visit's schedules that none of the others replaces, either itself or another of its kind."""
        others = list(others)
        extras = [each for each in self.own if each.schedule not in {other.schedule for other in others}]
        for other in others:
            if other.schedule in {each.schedule for each in self.own}:
                continue
            replaced = next((each for each in extras if _kind(each) == _kind(other)), None)
            if replaced is not None:
                extras.remove(replaced)
        return extras

    def _with_length(self, pool: Pool) -> Pool:
        return with_duration(pool, self.length) if self.length else pool


def moved_visit_of(appointment: Appointment) -> MovedVisit:
    """The start, and the length and schedules that the visit keeps when it is moved. One statement."""
    own = tuple(offerings_of_visit(appointment))
    length = appointment.end - appointment.start if appointment.start and appointment.end else None
    usual = {timedelta(seconds=each.rules.duration) for each in own}
    return MovedVisit(appointment.start, None if usual == {length} else length, own)


def _kind(offering: Offering) -> str:
    return PRACTITIONER if is_kind(offering, PRACTITIONER) else offering.actor.partition("/")[0]
