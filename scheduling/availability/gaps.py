"""Gaps: stretches in which a calendar is open and nothing takes its time."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from clinic.models import OCCUPYING, Slot
from scheduling.availability.free_times import open_spans
from scheduling.availability.offerings import Offering
from scheduling.core.intervals import Span, merge, subtract


def gaps_of(offerings: Sequence[Offering], start: datetime, end: datetime, *, now: datetime) -> dict[int, list[Span]]:
    """The gaps of each schedule within [start, end), none of them past. Two statements.

    The time of a group counts as taken from its first patient on.
    """
    start = max(start, now)
    if start >= end:
        return {}
    bookables = {each.schedule: each.bookable for each in offerings}
    taken: dict[int, list[Span]] = defaultdict(list)
    slots = Slot.objects.filter(
        Q(hold_expires_at=None) | Q(hold_expires_at__gt=now),
        bookable__in=set(bookables.values()),
        status__in=OCCUPYING,
        start__lt=end,
        end__gt=start,
        deleted_at=None,
    )
    for bookable, begins, ends in slots.values_list("bookable_id", "start", "end"):
        taken[bookable].append((int(begins.timestamp()), -int(-ends.timestamp() // 1)))
    opening = open_spans(offerings, start, end)
    return {schedule: subtract(spans, merge(taken[bookables[schedule]])) for schedule, spans in opening.items()}
