"""Holders of items of the worklist, and how many items each of them has."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.db.models import Case, CharField, Count, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from clinic.country import clinic_zone
from clinic.models import User, WorkItem
from scheduling.access import Caller
from scheduling.worklist.parts import parts_with_rows

Kind = WorkItem.Kind


class Holder(StrEnum):
    """The holder of an item, from the caller's point of view."""

    MINE = "mine"
    NOBODY = "nobody"
    OTHERS = "others"
    LATER = "later"  # put off, whoever has it


# The holders whose items each filter of the page lists. Without a filter, all that is not put off.
FILTERS: Mapping[str, frozenset[Holder]] = {
    "": frozenset({Holder.MINE, Holder.NOBODY, Holder.OTHERS}),
    "mine": frozenset({Holder.MINE}),
    "nobody": frozenset({Holder.NOBODY}),
    "later": frozenset({Holder.LATER}),
}


class WorkCounts:
    """The number of items by kind and holder."""

    def __init__(self, rows: Iterable[tuple[str, str, int]]) -> None:
        self._counts = Counter({(Kind(kind), Holder(holder)): number for kind, holder, number in rows})

    def of(self, holders: Iterable[Holder], kind: WorkItem.Kind | None = None) -> int:
        """The number of items of these holders, of one kind or of all."""
        return sum(self._counts[each, holder] for each in ([kind] if kind else Kind) for holder in holders)


def count_work(caller: Caller, *, now: datetime, site: int | None = None) -> WorkCounts:
    """Return how many items wait for a member of staff, at one site or everywhere. Two statements."""
    today = now.astimezone(clinic_zone()).date()
    parts = []
    for kind, part in parts_with_rows().items():
        rows = held_by(caller.user, kind, part.at(caller, site, now=now), today=today).order_by()
        counted = rows.values("holder").annotate(items=Count("pk"))
        parts.append(counted.values_list(Value(kind.value, CharField()), "holder", "items"))
    return WorkCounts(parts[0].union(*parts[1:], all=True))


def held_by(user: User | None, kind: WorkItem.Kind, rows: QuerySet[Any], *, today: date) -> QuerySet[Any]:
    """Return the rows of a part with their `holder`, from this user's point of view. One who left holds nothing."""
    holder = Case(
        When(put_off_until__gt=today, then=Value(Holder.LATER)),
        When(owner=user, then=Value(Holder.MINE)),
        When(owner__is_active=True, then=Value(Holder.OTHERS)),
        default=Value(Holder.NOBODY),
        output_field=CharField(),
    )
    item = WorkItem.objects.filter(kind=kind, row=OuterRef("pk")).annotate(state=holder).values("state")
    held: QuerySet[Any] = rows.annotate(holder=Coalesce(Subquery(item), Value(Holder.NOBODY, CharField())))
    return held


def items_of(rows: Iterable[tuple[WorkItem.Kind, int]]) -> dict[tuple[str, int], WorkItem]:
    """Return the stored WorkItems of these rows (kinds and primary keys), with their owners. One statement."""
    keys = set(rows)
    kinds, numbers = {kind for kind, _ in keys}, {row for _, row in keys}
    found = WorkItem.objects.filter(kind__in=kinds, row__in=numbers).select_related("owner")
    return {(item.kind, item.row): item for item in found if (item.kind, item.row) in keys}
