"""Moved visits: they keep their length and the schedules they take."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from clinic.models import Appointment
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
    """The length of a visit, if it is not the usual one, and the schedules that it takes.

    A schedule is extra if the service does not require it: a second practitioner, or an additional room or device.
    """

    length: timedelta | None
    own: tuple[Offering, ...]

    def ways(self, arrangements: Iterable[Arrangement]) -> Iterator[Arrangement]:
        """These arrangements of the service extended to the visit; those at a site without the visit's extra
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
    """The length and schedules that the visit keeps when it is moved. One statement."""
    own = tuple(offerings_of_visit(appointment))
    length = appointment.end - appointment.start if appointment.start and appointment.end else None
    usual = {timedelta(seconds=each.rules.duration) for each in own}
    return MovedVisit(None if usual == {length} else length, own)


def _kind(offering: Offering) -> str:
    return PRACTITIONER if is_kind(offering, PRACTITIONER) else offering.actor.partition("/")[0]
