"""A visit that is moved stays the visit that it is: as long as it was made, with all that it takes."""

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
    lasting,
    offerings_of_visit,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The length of a visit where it is not the usual one, and the schedules it takes.

    A schedule is extra where the service does not ask for it: a second practitioner, a room or a device that was given.
    """

    length: timedelta | None
    own: tuple[Offering, ...]

    def ways(self, arrangements: Iterable[Arrangement]) -> Iterator[Arrangement]:
        """These ways to have the service as ways to have the visit; none at a site where its extras are not."""
        for arrangement in arrangements:
            extras = self._extras([pool[0] for pool in arrangement])
            sites = {each.site for pool in arrangement for each in pool} - {None}
            if all(each.site in (None, *sites) or not sites for each in extras):
                yield tuple(self._lasting(pool) for pool in (*arrangement, *((each,) for each in extras)))

    def offerings(self, chosen: Iterable[Offering], *, with_extras: bool) -> tuple[Offering, ...]:
        """The schedules that were chosen, for a visit of its length; those that it takes besides too, if asked for."""
        chosen = tuple(chosen)
        return self._lasting((*chosen, *self._extras(chosen)) if with_extras else chosen)

    def _extras(self, others: Iterable[Offering]) -> list[Offering]:
        """Its schedules that none of these stands for: each of these for itself, or for one of its kind."""
        others = list(others)
        extras = [each for each in self.own if each.schedule not in {other.schedule for other in others}]
        for other in others:
            if other.schedule in {each.schedule for each in self.own}:
                continue
            replaced = next((each for each in extras if _kind(each) == _kind(other)), None)
            if replaced is not None:
                extras.remove(replaced)
        return extras

    def _lasting(self, pool: Pool) -> Pool:
        return lasting(pool, self.length) if self.length else pool


def kept_of(appointment: Appointment) -> Kept:
    """Read what a visit keeps when it is moved. One statement."""
    own = tuple(offerings_of_visit(appointment))
    length = appointment.end - appointment.start if appointment.start and appointment.end else None
    usual = {timedelta(seconds=each.rules.duration) for each in own}
    return Kept(None if usual == {length} else length, own)


def _kind(offering: Offering) -> str:
    return PRACTITIONER if is_kind(offering, PRACTITIONER) else offering.actor.partition("/")[0]
