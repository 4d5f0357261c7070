"""Time kept for some services: closed to all others until it is released."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from scheduling.core.hours import Window, days_later, open_spans, spells
from scheduling.core.intervals import Span, clip, merge, subtract

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeptTime:
    """Weekly hours that are kept, and how long before they begin what is left of them is released; None: never."""

    hours: tuple[Window, ...]
    released_before: timedelta | None = None


def closed_to_others(
    kept: Sequence[KeptTime], own: Sequence[KeptTime], zone: ZoneInfo, start: int, end: int, *, now: int
) -> list[Span]:
    """The spans within [start, end) that are kept for other services at `now`, and not for the service itself."""
    ours = [span for each in own for span in open_spans(each.hours, zone, start, end)]
    return subtract(still_kept(kept, zone, start, end, now=now), merge(ours))


def still_kept(kept: Sequence[KeptTime], zone: ZoneInfo, start: int, end: int, *, now: int) -> list[Span]:
    """The spans within [start, end) that are kept at `now`, for whichever service."""
    spans = [
        spell
        for each in kept
        for spell in spells(each.hours, zone, start, end)
        if not is_released(spell, each.released_before, zone, now=now)
    ]
    return clip(merge(spans), start, end)


def is_released(spell: Span, before: timedelta | None, zone: ZoneInfo, *, now: int) -> bool:
    """True if kept time is open to all: all of it at one moment, whole days before its beginning on the wall clock."""
    return before is not None and now >= _release(spell, before, zone)


def next_release(kept: Sequence[KeptTime], zone: ZoneInfo, start: int, end: int, *, now: int) -> int | None:
    """The first moment after `now` at which kept time within [start, end) is released; None if none is."""
    moments = [
        _release(spell, each.released_before, zone)
        for each in kept
        if each.released_before is not None
        for spell in spells(each.hours, zone, start, end)
    ]
    return min((moment for moment in moments if moment > now), default=None)


def _release(spell: Span, before: timedelta, zone: ZoneInfo) -> int:
    days, rest = divmod(before, DAY)
    return days_later(spell[0], -days, zone) - int(rest.total_seconds())
