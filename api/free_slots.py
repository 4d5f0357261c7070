"""Free time as Slots. There are no rows of it: a Slot's id says whose time it is, for what, and from when.

The same free time has the same id day after day, whoever asks.
"""

from typing import NamedTuple

from api.sealed_ids import seal, unseal

PREFIX = "free-"
PURPOSE = "free-slot"


class FreeSlot(NamedTuple):
    """Primary keys, and the start in UTC seconds."""

    schedule: int
    service: int
    start: int


def free_slot_id(schedule: int, service: int, start: int) -> str:
    """The id of a free time of `schedule` for `service` (primary keys) that starts at `start`, in UTC seconds."""
    return PREFIX + seal(PURPOSE, (schedule, service, start))


def read_free_slot_id(fhir_id: str) -> FreeSlot | None:
    """What `free_slot_id` was made of; None for any other id."""
    if not fhir_id.startswith(PREFIX):
        return None
    numbers = unseal(PURPOSE, fhir_id.removeprefix(PREFIX))
    return FreeSlot(*numbers) if numbers and len(numbers) == len(FreeSlot._fields) else None
