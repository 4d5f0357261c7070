"""Ways to give a visit: arrangements with their service."""

from collections.abc import Iterable
from dataclasses import dataclass

from clinic.models import HealthcareService
from scheduling.availability.offerings import PRACTITIONER, Arrangement, Offering, is_kind


@dataclass(frozen=True, slots=True)
class Way:
    """An arrangement of a service. `chosen` is the index of the pool that people choose from: practitioners, if any."""

    service: HealthcareService
    pools: Arrangement
    chosen: int

    @property
    def choices(self) -> tuple[Offering, ...]:
        return self.pools[self.chosen]

    def among(self, pool: tuple[Offering, ...], at: int | None = None) -> "Way":
        """The same arrangement with other members of one pool, by default the chosen one."""
        at = self.chosen if at is None else at
        return Way(self.service, (*self.pools[:at], pool, *self.pools[at + 1 :]), self.chosen)


def ways_of(service: HealthcareService, arrangements: Iterable[Arrangement]) -> tuple[Way, ...]:
    return tuple(Way(service, arrangement, _chosen(arrangement)) for arrangement in arrangements)


def _chosen(arrangement: Arrangement) -> int:
    people = (n for n, pool in enumerate(arrangement) if all(is_kind(each, PRACTITIONER) for each in pool))
    return next(people, 0)
