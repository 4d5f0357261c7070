"""Free time as Slots: computed when it is asked for, never stored.

A search for Slots, `Slot/$prefetch` and the read of one free Slot write the same Slot, with the same id, for the same
time.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from itertools import groupby

from api.operations.argonaut.profiles import SLOT_PROFILE, service_types
from api.operations.ids import free_slot_id, read_free_slot_id
from api.operations.proposals import instant_text
from clinic.fhir.datatypes import Json
from clinic.fhir.visit_types import appointment_type, appointment_type_of
from clinic.models import HealthcareService
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Criteria, Offering, Opening, SearchWindows, TimeQuery, Way
from scheduling.core.hours import DAY
from scheduling.core.intervals import Span
from scheduling.errors import NotFound

# A page of free Slots is computed in windows of a day, two, four and then of so many days, to keep little in memory.
LONGEST_WINDOW = 8 * DAY
# One page looks at so many seconds at most.
LONGEST_PAGE = int(availability.MAX_WINDOW.total_seconds())
# Kinds of positions between pages: after a free time, or where a page stopped looking.
FREE, STOP = "free", "stop"


@dataclass(frozen=True)
class FreeTimes:
    """The free times of some ways, in order of start and then of the ways and their choices.

    The same time at two sites or in two rooms is one free time of the practitioner.
    """

    ways: Sequence[Way]
    now: datetime

    @cached_property
    def ranks(self) -> dict[tuple[int, int], int]:
        """The order of free times with one start, by the primary keys of their schedule and service."""
        chosen = ((choice.schedule, way.service.pk) for way in self.ways for choice in way.choices)
        return {keys: rank for rank, keys in enumerate(dict.fromkeys(chosen))}

    def rank(self, opening: Opening) -> int:
        return self.ranks[opening.offerings[0].schedule, opening.service.pk]

    def place(self, opening: Opening) -> list[str | None]:
        """Return the position after a free time."""
        return [str(opening.start), FREE, str(opening.offerings[0].schedule), str(opening.service.pk)]

    def is_beyond(self, opening: Opening, place: Sequence[str | None], *, latest_first: bool = False) -> bool:
        """True if the free time is beyond the position in that order, provided that it is not at an earlier start."""
        if place[1] != FREE or place[0] != str(opening.start):
            return True
        reached = self.ranks.get((int(str(place[2])), int(str(place[3]))), -1)
        return self.rank(opening) < reached if latest_first else self.rank(opening) > reached

    def within(
        self,
        spans: Sequence[Span],
        *,
        ends_by: int | None = None,
        latest_first: bool = False,
        windows: SearchWindows | None = None,
    ) -> Iterator[Opening]:
        """Yield the free times that start in these spans, a normal list, and end by `ends_by`, in UTC seconds.

        They are computed window by window, with one statement for each. With `latest_first` their order is reversed.
        """
        if not spans or not self.ways:
            return
        last = spans[-1][1]
        divide = windows or partial(availability.doubling, longest=LONGEST_WINDOW, latest_first=latest_first)
        query = TimeQuery(
            ways=self.ways,
            start=availability.as_datetime(spans[0][0]),
            end=availability.as_datetime(last + availability.LONGEST_VISIT if ends_by is None else ends_by),
            within=tuple(spans),
            windows=lambda start, end: divide(start, min(end, last)),
        )
        found = availability.openings(query, now=self.now, latest_first=latest_first)
        for _, at_once in groupby(found, key=lambda opening: opening.start):
            by_rank = {self.rank(opening): opening for opening in at_once}
            yield from (by_rank[rank] for rank in sorted(by_rank, reverse=latest_first))


def stop_place(seconds: int) -> list[str | None]:
    """Return the position at an instant, where a page stopped looking for free times."""
    return [str(seconds), STOP]


def ways_of_caller(
    criteria: Criteria, caller: Caller, fits: Callable[[HealthcareService, Offering], bool] = lambda service, each: True
) -> list[Way]:
    """Return the ways that meet the criteria, with the choices that the caller could book and that fit."""

    def may_book(service: HealthcareService, offering: Offering) -> bool:
        return access.could_book(caller, service, offering.schedule) and fits(service, offering)

    return availability.ways_for(criteria, may_book)


def read_free_slot(fhir_id: str, caller: Caller, now: datetime) -> Json:
    """Return the Slot with this id of a free time. Raises NotFound if it is no longer free, or not for this caller."""
    access.may_find(caller)
    free_slot = read_free_slot_id(fhir_id)
    if free_slot is not None:
        criteria, schedule = Criteria(services=(free_slot.service,)), free_slot.schedule
        ways = ways_of_caller(criteria, caller, lambda _, offering: offering.schedule == schedule)
        for opening in FreeTimes(ways, now).within([(free_slot.start, free_slot.start + 1)]):
            return SlotWriter(ways).write(opening)
    raise NotFound(f"There is no Slot/{fhir_id}, or it is free no more.")


class SlotWriter:
    """A writer of the free Slots of these ways, which makes the common elements of the Slots of a schedule once."""

    def __init__(self, ways: Collection[Way]) -> None:
        self._ways = ways
        self._types: dict[HealthcareService, Json] = {}
        self._shared: dict[tuple[int, int], Json] = {}

    def write(self, opening: Opening) -> Json:
        service, chosen = opening.service, opening.offerings[0]
        comment = {"comment": f"{service.name}, at {chosen.site_name}"} if chosen.site_name else {}
        return {
            "resourceType": "Slot",
            "id": free_slot_id(chosen.schedule, service.pk, opening.start),
            "meta": {"profile": [SLOT_PROFILE]},
            **self.elements(service, chosen),
            "start": instant_text(opening.start),
            "end": instant_text(opening.end),
            **comment,
        }

    def elements(self, service: HealthcareService, chosen: Offering) -> Json:
        """Return the elements that do not depend on the time: what the Slot is for, its status and its schedule."""
        key = service.pk, chosen.schedule
        if key not in self._shared:
            if service not in self._types:
                self._types[service] = _types_of(service)
            specialties = [*service.specialty, *self._specialties[chosen.schedule]]
            unlike = [each for n, each in enumerate(specialties) if each not in specialties[:n]]
            self._shared[key] = {
                **self._types[service],
                **({"specialty": unlike} if unlike else {}),
                "status": "free",
                "schedule": {"reference": chosen.reference, "display": chosen.actor_name or chosen.reference},
            }
        return self._shared[key]

    @cached_property
    def _specialties(self) -> dict[int, list[Json]]:
        return availability.specialties_of({choice.schedule for way in self._ways for choice in way.choices})


def _types_of(service: HealthcareService) -> Json:
    kind = appointment_type_of(service.appointment_type, service.type)
    return {"serviceType": service_types(service), "appointmentType": appointment_type(kind)}
