"""The id of a proposed Appointment, by which it can be held or booked although nothing of it was stored.

It says what was proposed, and until when that stands. What does not fit into an id, such as the visit that a search
was referred for, is kept in the cache for as long; it is never among the resources.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import randbits

from django.core.cache import cache

from api.parameters import FIRST
from api.sealed_ids import TooLong, seal, unseal
from clinic.fhir.datatypes import Json
from clinic.fhir.visit_types import APPOINTMENT_TYPES, Coding

STANDS_FOR = timedelta(hours=1)
PURPOSE, IN_CACHE = "proposal", "proposal-in-cache"
EPOCH = int(FIRST.timestamp())  # no time is before that, and no number negative
SEARCH_BITS = 27


@dataclass(frozen=True)
class SearchFacts:
    """What all proposals of one search share. `number` tells them from those of every other search.

    `patient` is a primary key, 0 for none; `start` and `end` the window, in UTC seconds; `kept` elements of the
    proposed Appointments that are in no row.
    """

    patient: int
    start: int
    end: int
    expires: int
    appointment_type: Coding
    kept: Json = field(default_factory=dict)
    number: int = field(default_factory=lambda: randbits(SEARCH_BITS))

    def keep(self) -> None:
        """What the ids of this search do not hold."""
        if self.kept:
            cache.set(_kept_at(self.number), self.kept, STANDS_FOR.total_seconds())


@dataclass(frozen=True)
class Proposed:
    """One proposal of a search: service and schedules by primary key."""

    search: SearchFacts
    service: int
    start: int
    schedules: tuple[int, ...]

    def is_over(self, now: datetime) -> bool:
        return self.search.expires <= now.timestamp()


def proposal_id(proposed: Proposed) -> str:
    """Sealed, and 64 characters at most: https://hl7.org/fhir/R4/datatypes.html#id"""
    numbers = _numbers(proposed)
    try:
        return seal(PURPOSE, numbers)
    except TooLong:
        key = int.from_bytes(sha256(repr(numbers).encode()).digest()[:16])
        cache.set(f"proposal:{key}", list(numbers), STANDS_FOR.total_seconds())
        return seal(IN_CACHE, [key])


def read_proposal_id(fhir_id: str) -> Proposed | None:
    """What was proposed by this id; None for any other, and for what the cache has forgotten."""
    numbers = unseal(PURPOSE, fhir_id)
    if numbers is None and (kept := unseal(IN_CACHE, fhir_id)):
        numbers = cache.get(f"proposal:{kept[0]}")
    return _read(numbers) if numbers else None


def _numbers(proposed: Proposed) -> Sequence[int]:
    search = proposed.search
    return (
        search.number << 1 | bool(search.kept),
        search.patient,
        search.start - EPOCH,
        search.end - search.start,
        search.expires - EPOCH,
        APPOINTMENT_TYPES.index(search.appointment_type),
        proposed.service,
        proposed.start - search.start,
        *proposed.schedules,
    )


def _read(numbers: Sequence[int]) -> Proposed | None:
    number, patient, start, length, expires, appointment_type, service, after, *schedules = numbers
    kept = cache.get(_kept_at(number >> 1)) if number & 1 else {}
    if kept is None:
        return None
    start += EPOCH
    search = SearchFacts(
        patient=patient,
        start=start,
        end=start + length,
        expires=expires + EPOCH,
        appointment_type=APPOINTMENT_TYPES[appointment_type],
        kept=kept,
        number=number >> 1,
    )
    return Proposed(search, service, start + after, tuple(schedules))


def _kept_at(number: int) -> str:
    return f"proposal-search:{number}"
