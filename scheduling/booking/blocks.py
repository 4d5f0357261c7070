"""Time that the people of a calendar keep for themselves: leave, lunch, a meeting; once or again and again.

A block is one Slot for each occasion, over all the time that was asked for, and lies under the visits that are in it.
The engine reads it as taken, whatever lies on it: time that a visit in it lets go of, by whichever way, or a hold by
running out, was closed all along, and nobody has to close it then. The constraint does not look at blocks, since it
guards what is sold. Every use case that takes time shares the locks of its bookables before it asks the engine, and
who blocks owns them: it sees every booking before it, and every booking after it sees the block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil, floor
from typing import Any
from uuid import uuid4

from django.db.models import F
from django.utils.translation import gettext as _

from clinic.fhir.codes import BLOCK, BLOCK_OCCASION
from clinic.models import OCCUPYING, AuditEvent, Schedule, Slot
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.booking.importing import all_or_nothing, write_slots
from scheduling.booking.slots import own_bookables
from scheduling.core.intervals import Span, merge, subtract
from scheduling.errors import Forbidden, Invalid, NotFound, TimeTaken


class Extent(StrEnum):
    """How much of a repeated block is meant."""

    ONE = "one"
    FOLLOWING = "following"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class BlockRequest:
    """Keep these spans of UTC seconds of a calendar free of visits, each one occasion of the same block.

    With `around`, visits that are there stay; without it, anything that is there stands in the way.
    """

    schedule: Schedule
    occasions: tuple[Span, ...]
    comment: str
    around: bool = False


def block(request: BlockRequest, *, caller: Caller, now: datetime) -> list[Slot]:
    """Write the block's Slots, which share an identifier; none for an occasion that is blocked from end to end.

    Raises TimeTaken where something is in the way and `around` is not asked for, and where all is blocked already;
    Forbidden on calendars that the caller does not run.
    """
    schedule = request.schedule
    _may_block(caller, schedule)
    if not request.occasions:
        raise Invalid(_("There is no day to block."))
    with all_or_nothing():
        own_bookables([schedule.bookable_id])
        taken, blocked = _taken(schedule, request.occasions, now)
        if not request.around and any(subtract([each], taken) != [each] for each in request.occasions):
            raise TimeTaken(_("Some of that time is taken."))
        slots = _slots(request, [each for each in request.occasions if subtract([each], blocked)], now)
        if not slots or write_slots(slots):
            raise TimeTaken(_("All of that time is blocked already."))
        _audit("block", AuditEvent.Action.CREATE, schedule, caller, now)
    return slots


def unblock(slot_id: str, extent: Extent, *, caller: Caller, now: datetime) -> int:
    """Take a block away: the occasion that this Slot is of, it and those after it, or all. Returns how many Slots.

    Raises NotFound for a Slot that is no block the caller can see, Forbidden.
    """
    slot = (
        access.visible(Slot, caller)
        .filter(fhir_id=slot_id, status=Slot.Status.BUSY_UNAVAILABLE, appointment=None, deleted_at=None)
        .select_related("schedule")
        .first()
    )
    if slot is None:
        raise NotFound(f"There is no block Slot/{slot_id}.")
    _may_block(caller, slot.schedule)
    with all_or_nothing():
        removed = Slot.objects.filter(pk__in=[each.pk for each in _meant(slot, extent)], deleted_at=None)
        count = removed.update(deleted_at=now, last_updated=now, version=F("version") + 1)
        _audit("unblock", AuditEvent.Action.DELETE, slot.schedule, caller, now)
    return count


def is_repeated(slot: Slot) -> bool:
    """True if the block that this Slot is of has other occasions."""
    return len(_meant(slot, Extent.ALL)) > len(_meant(slot, Extent.ONE))


def _may_block(caller: Caller, schedule: Schedule) -> None:
    if not access.manages(caller, bookables=[schedule.bookable_id], sites=[schedule.site_id]):
        raise Forbidden(_("You can block time only on calendars you work with."))


def _taken(schedule: Schedule, occasions: Sequence[Span], now: datetime) -> tuple[list[Span], list[Span]]:
    """All time that is taken around the occasions, and of it the blocks."""
    first, last = min(start for start, _ in occasions), max(end for _, end in occasions)
    slots = Slot.objects.filter(
        bookable=schedule.bookable_id,
        status__in=OCCUPYING,
        deleted_at=None,
        start__lt=as_datetime(last),
        end__gt=as_datetime(first),
    ).exclude(hold_expires_at__lte=now)
    spans = [
        ((floor(start.timestamp()), ceil(end.timestamp())), is_block)
        for start, end, is_block in slots.order_by().values_list("start", "end", "lies_under")
    ]
    return merge(span for span, _is_block in spans), merge(span for span, is_block in spans if is_block)


def _slots(request: BlockRequest, occasions: Sequence[Span], now: datetime) -> list[Slot]:
    series = {"system": BLOCK, "value": str(uuid4())}
    return [
        Slot(
            schedule=request.schedule,
            status=Slot.Status.BUSY_UNAVAILABLE,
            start=as_datetime(start),
            end=as_datetime(end),
            comment=request.comment,
            identifier=[series, {"system": BLOCK_OCCASION, "value": str(uuid4())}],
            last_updated=now,
        )
        for start, end in occasions
    ]


def _meant(slot: Slot, extent: Extent) -> list[Slot]:
    """The Slots of the block; one that was written without an identifier is a block of its own."""
    wanted = _identifier(slot, BLOCK_OCCASION if extent == Extent.ONE else BLOCK)
    if wanted is None:
        return [slot]
    slots = Slot.objects.filter(schedule=slot.schedule_id, identifier__contains=[wanted], deleted_at=None)
    if extent == Extent.FOLLOWING:
        occasion = _identifier(slot, BLOCK_OCCASION)
        first = slots.filter(identifier__contains=[occasion]).order_by("start").first() or slot
        slots = slots.filter(start__gte=first.start)
    return list(slots)


def _identifier(slot: Slot, system: str) -> dict[str, Any] | None:
    return next((each for each in slot.identifier if each.get("system") == system), None)


def _audit(use_case: str, action: AuditEvent.Action, schedule: Schedule, caller: Caller, now: datetime) -> None:
    AuditEvent.objects.create(
        recorded=now,
        last_updated=now,
        action=action,
        subtype=use_case,
        user=caller.user,
        client=caller.client,
        extra={"entity": [{"what": {"reference": schedule.reference}}]},
    )
