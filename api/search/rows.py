"""Matches of a search, page by page. The number of SQL statements does not depend on the number of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from api.search.paging import Place
from api.search.search import Search
from clinic.fhir.resources import RESOURCES
from scheduling import access
from scheduling.access import Caller


@dataclass(frozen=True)
class Page:
    """A page of rows, the positions of its first and last row, and whether there are more on either side."""

    rows: list[Any]
    first: Place
    last: Place
    before: bool = False
    after: bool = False


NO_PAGE = Page([], [], [])


def rows_of(search: Search, caller: Caller) -> "QuerySet[Any]":
    """Return all matches that the caller may see."""
    access.require(caller, search.kind, "s")
    return access.visible(search.model, caller, "s").filter(*search.where, deleted_at=None)


def page_of(search: Search, rows: "QuerySet[Any]") -> Page:
    """Return the page. It fetches one more row, which shows if there is another page."""
    if not search.count:
        return NO_PAGE
    kind, order = RESOURCES[search.kind], search.order
    place, backwards = search.place
    rows = rows.select_related(*kind.related).prefetch_related(*kind.prefetch)
    rows = order.sort(rows, backwards=backwards)
    if place:
        rows = rows.filter(order.beyond(place, backwards=backwards))
    found = [(order.place(row), row) for row in rows[: search.count + 1]]
    return cut(search, found)


def cut(search: Search, found: Sequence[tuple[Place, Any]]) -> Page:
    """Return the page of rows that are in the requested order, each with its position."""
    place, backwards = search.place
    part, more = found[: search.count], len(found) > search.count
    if backwards:
        part = part[::-1]
    if not part:
        return NO_PAGE
    rows = [row for _, row in part]
    return Page(rows, part[0][0], part[-1][0], before=more if backwards else bool(place), after=backwards or more)
