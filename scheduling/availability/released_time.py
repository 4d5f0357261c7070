"""Time of visits that are moved or replaced together, which counts as free."""

from collections.abc import Collection, Iterable

from clinic.models import Slot
from scheduling.core.offers import Diary


def release(diaries: Iterable[Diary], visits: Collection[int]) -> None:
    """Remove the time that these visits (primary keys) take from the diaries. One query if there are visits."""
    if not visits:
        return
    own: dict[int, set[tuple[int, int, int | None]]] = {}
    for slot in Slot.objects.filter(appointment__in=visits, deleted_at=None):
        taken = int(slot.start.timestamp()), int(slot.end.timestamp()), slot.seat
        own.setdefault(slot.bookable_id, set()).add(taken)
    for diary in diaries:
        theirs = own.get(diary.bookable, ())
        diary.taken = [each for each in diary.taken if (each.start, each.end, each.seat) not in theirs]
