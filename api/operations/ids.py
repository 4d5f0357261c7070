"""Ids of proposals and of free Slots: signed numbers, so that nothing has to be stored to read an id again.

FHIR's id has 64 characters of 64 kinds (https://hl7.org/fhir/R4/datatypes.html#id): base64 with `.` for `_`, 48 bytes.
Ten of them are the seal, the others are the numbers. The numbers are not secret, but only this server can make an id.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import randbits
from typing import NamedTuple

from django.core.cache import cache
from django.utils.crypto import constant_time_compare, salted_hmac

from clinic.fhir.datatypes import Json
from clinic.fhir.visit_types import APPOINTMENT_TYPES, Coding
from scheduling.availability import EARLIEST

SEAL = 10
MOST_BYTES = 48 - SEAL
FREE_SLOT, FREE_SLOT_PREFIX = "free-slot", "free-"
PROPOSAL, PROPOSAL_IN_CACHE = "proposal", "proposal-in-cache"
STANDS_FOR = timedelta(hours=1)
EPOCH = int(EARLIEST.timestamp())  # no time is before that, and no number negative
SEARCH_BITS = 27


class TooLong(Exception):
    """Error: these numbers do not fit into an id."""


def seal(purpose: str, numbers: Iterable[int]) -> str:
    """Return an id of these numbers, none negative. The same purpose and numbers always give the same id."""
    packed = b"".join(map(_pack, numbers))
    if len(packed) > MOST_BYTES:
        raise TooLong
    sealed = packed + _seal_of(purpose, packed)
    return urlsafe_b64encode(sealed).decode().rstrip("=").replace("_", ".")


def unseal(purpose: str, text: str) -> Sequence[int] | None:
    """Return the numbers of an id that `seal` made for this purpose; None for any other text."""
    try:
        sealed = urlsafe_b64decode(text.replace(".", "_") + "=" * (-len(text) % 4))
    except ValueError:
        return None
    packed, mark = sealed[:-SEAL], sealed[-SEAL:]
    # Ids are compared as texts, so only the canonical text of these numbers is accepted.
    canonical = urlsafe_b64encode(sealed).decode().rstrip("=").replace("_", ".") == text
    if not (packed and canonical and constant_time_compare(mark, _seal_of(purpose, packed))):
        return None
    return list(_unpack(packed))


def _seal_of(purpose: str, packed: bytes) -> bytes:
    return salted_hmac(f"scheduling.sealed_ids.{purpose}", packed, algorithm="sha256").digest()[:SEAL]


def _pack(number: int) -> bytes:
    """Return a number in groups of seven bits (LEB128): https://en.wikipedia.org/wiki/LEB128"""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _unpack(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield number
            number = shift = 0


# Free Slots


class FreeSlot(NamedTuple):
    """A free Slot: primary keys, and the start in UTC seconds."""

    schedule: int
    service: int
    start: int


def free_slot_id(schedule: int, service: int, start: int) -> str:
    """Return the id of a free time: primary keys, and the start in UTC seconds."""
    return FREE_SLOT_PREFIX + seal(FREE_SLOT, (schedule, service, start))


def read_free_slot_id(fhir_id: str) -> FreeSlot | None:
    """Return the free Slot of an id; None for any other id."""
    if not fhir_id.startswith(FREE_SLOT_PREFIX):
        return None
    numbers = unseal(FREE_SLOT, fhir_id.removeprefix(FREE_SLOT_PREFIX))
    return FreeSlot(*numbers) if numbers and len(numbers) == len(FreeSlot._fields) else None


# Proposals


@dataclass(frozen=True)
class SearchFacts:
    """The facts that all proposals of one search share. `number` identifies the search.

    `patient` is a primary key, 0 for none; `start` and `end` the window, in UTC seconds; `kept` elements of the
    proposed Appointments that come from the request and not from rows.
    """

    patient: int
    start: int
    end: int
    expires: int
    appointment_type: Coding
    kept: Json = field(default_factory=dict)
    number: int = field(default_factory=lambda: randbits(SEARCH_BITS))

    def keep(self) -> None:
        """Cache the elements that do not fit into the ids of this search."""
        if self.kept:
            cache.set(_kept_at(self.number), self.kept, STANDS_FOR.total_seconds())


@dataclass(frozen=True)
class ProposalFacts:
    """The facts in a proposal's id: service and schedules by primary key."""

    search: SearchFacts
    service: int
    start: int
    schedules: tuple[int, ...]

    def is_over(self, now: datetime) -> bool:
        return self.search.expires <= now.timestamp()


def proposal_id(proposed: ProposalFacts) -> str:
    """Return the id, of 64 characters at most: https://hl7.org/fhir/R4/datatypes.html#id"""
    numbers = _numbers_of(proposed)
    try:
        return seal(PROPOSAL, numbers)
    except TooLong:
        key = int.from_bytes(sha256(repr(numbers).encode()).digest()[:16])
        cache.set(f"proposal:{key}", list(numbers), STANDS_FOR.total_seconds())
        return seal(PROPOSAL_IN_CACHE, [key])


def read_proposal_id(fhir_id: str) -> ProposalFacts | None:
    """Return the facts in an id; None for any other id, or if the cache has lost them."""
    numbers = unseal(PROPOSAL, fhir_id)
    if numbers is None and (kept := unseal(PROPOSAL_IN_CACHE, fhir_id)):
        numbers = cache.get(f"proposal:{kept[0]}")
    return _facts_of(numbers) if numbers else None


def _numbers_of(proposed: ProposalFacts) -> Sequence[int]:
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


def _facts_of(numbers: Sequence[int]) -> ProposalFacts | None:
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
    return ProposalFacts(search, service, start + after, tuple(schedules))


def _kept_at(number: int) -> str:
    return f"proposal-search:{number}"
