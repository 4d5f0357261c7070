"""Blocks: time that staff keep free of visits, such as leave, lunch or a meeting, once or repeatedly.

A block has one Slot for each occasion, over the whole requested time, also under visits that are already there. The
availability engine reads a block as taken, so when a visit or a hold inside it ends, its time is closed without further
work. The exclusion constraint ignores blocks, because it protects only sold time. Every use case that takes time shares
the locks of its bookables before it asks the engine, and blocking owns them exclusively: it sees every earlier booking,
and every later booking sees the block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil, floor
from typing import Any
from uuid import UUID, uuid4

from django.db.models import F
from django.utils.translation import gettext as _

from clinic.fhir.codes import BLOCK, BLOCK_OCCASION
from clinic.models import OCCUPYING, AuditEvent, Schedule, Slot
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import as_datetime
from scheduling.booking.resource_writes import all_or_nothing, write_slots
from scheduling.booking.slots import own_bookables
from scheduling.core.intervals import Span, merge, subtract
from scheduling.errors import Forbidden, Invalid, NotFound, TimeTaken


class Extent(StrEnum):
    """The part of a repeated block that is removed."""

    ONE = "one"
    FOLLOWING = "following"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class BlockRequest:
    """A request to keep spans of UTC seconds on a calendar free of visits; each span is one occasion of the block.

    With `around`, existing visits stay inside the block; without it, anything that takes the time is a conflict.
    """

    schedule: Schedule
    occasions: tuple[Span, ...]
    comment: str
    around: bool = False


def block(request: BlockRequest, *, caller: Caller, now: datetime) -> list[Slot]:
    """Write the block's Slots, which share an identifier. Occasions that are wholly blocked already get none.

    Raises TimeTaken for a conflict without `around`, or if everything is blocked already; Forbidden on calendars that
    the caller does not manage.
    """
    _require_may_block(caller, request.schedule)
    if not request.occasions:
        raise Invalid(_("There is no day to block."))
    with all_or_nothing():
        return block_within(request, uuid4(), caller=caller, now=now)


def block_within(request: BlockRequest, identifier: UUID, *, caller: Caller, now: datetime) -> list[Slot]:
    """Write the block's Slots, with this identifier, in the transaction of another use case."""
    schedule = request.schedule
    own_bookables([schedule.bookable_id])
    taken, blocked = _taken(schedule, request.occasions, now)
    if not request.around and any(subtract([each], taken) != [each] for each in request.occasions):
        raise TimeTaken(_("Some of that time is taken."))
    free = [each for each in request.occasions if subtract([each], blocked)]
    slots = _slots(request, free, identifier, now)
    if not slots or write_slots(slots):
        raise TimeTaken(_("All of that time is blocked already."))
    _audit("block", AuditEvent.Action.CREATE, schedule, caller, now)
    return slots


def remove_block(identifier: UUID, *, caller: Caller, now: datetime) -> None:
    """Remove all Slots of the block with this identifier, in the transaction of another use case."""
    series = {"system": BLOCK, "value": str(identifier)}
    slots = Slot.objects.filter(identifier__contains=[series], deleted_at=None).select_related("schedule")
    for slot in slots:
        _audit("unblock", AuditEvent.Action.DELETE, slot.schedule, caller, now)
    slots.update(deleted_at=now, last_updated=now, version=F("version") + 1)


def unblock(slot_id: str, extent: Extent, *, caller: Caller, now: datetime) -> int:
    """Remove a block: the occasion of this Slot, that and all later ones, or all. Returns the number of Slots.

    Raises NotFound for a Slot that is not a visible block, Forbidden.
    """
    slot = (
        access.visible(Slot, caller)
        .filter(fhir_id=slot_id, status=Slot.Status.BUSY_UNAVAILABLE, appointment=None, deleted_at=None)
        .select_related("schedule")
        .first()
    )
    if slot is None:
        raise NotFound(f"There is no block Slot/{slot_id}.")
    _require_may_block(caller, slot.schedule)
    with all_or_nothing():
        removed = Slot.objects.filter(pk__in=[each.pk for each in _slots_of_block(slot, extent)], deleted_at=None)
        count = removed.update(deleted_at=now, last_updated=now, version=F("version") + 1)
        _audit("unblock", AuditEvent.Action.DELETE, slot.schedule, caller, now)
    return count


def is_repeated(slot: Slot) -> bool:
    """True if the block of this Slot has other occasions."""
    return len(_slots_of_block(slot, Extent.ALL)) > len(_slots_of_block(slot, Extent.ONE))


def _require_may_block(caller: Caller, schedule: Schedule) -> None:
    if not access.manages(caller, bookables=[schedule.bookable_id], sites=[schedule.site_id]):
        raise Forbidden(_("You can block time only on calendars you work with."))


def _taken(schedule: Schedule, occasions: Sequence[Span], now: datetime) -> tuple[list[Span], list[Span]]:
    """The time taken around the occasions, and the blocked part of it."""
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


def _slots(request: BlockRequest, occasions: Sequence[Span], identifier: UUID, now: datetime) -> list[Slot]:
    series = {"system": BLOCK, "value": str(identifier)}
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


def _slots_of_block(slot: Slot, extent: Extent) -> list[Slot]:
    """The Slots of the block; one written without an identifier is a block by itself."""
    identifier = _identifier(slot, BLOCK_OCCASION if extent == Extent.ONE else BLOCK)
    if identifier is None:
        return [slot]
    slots = Slot.objects.filter(schedule=slot.schedule_id, identifier__contains=[identifier], deleted_at=None)
    if extent == Extent.FOLLOWING:
        occasion = _identifier(slot, BLOCK_OCCASION)
        first = slots.filter(identifier__contains=[occasion]).order_by("start").first() or slot
        slots = slots.filter(start__gte=first.start)
    return list(slots)


def _identifier(slot: Slot, system: str) -> dict[str, Any] | None:
    return next((each for each in slot.identifier if each.get("system") == system), None)


def _audit(use_case: str, action: AuditEvent.Action, schedule: Schedule, caller: Caller, now: datetime) -> None:
    entities = [{"what": {"reference": schedule.reference}}]
    access.audit_event(use_case, action, caller=caller, now=now, extra={"entity": entities}).save()
