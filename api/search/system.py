"""Searches over several types of resource, or all: https://hl7.org/fhir/R4/http.html#search

Each type is searched separately, and the results are put into one order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, IntegerField, Q, QuerySet, Value
from django.http import QueryDict

from api.search.conditions import ANYWHERE
from api.search.kinds import Parameter
from api.search.paging import Place
from api.search.parameters import shared_parameters
from api.search.rows import NO_PAGE, Page, cut, rows_of
from api.search.search import (
    ABOUT_THE_ANSWER,
    DISPENSABLE,
    NO_VALUE,
    Search,
    opened,
    read,
    refusals_of,
    without_value,
)
from clinic.fhir.resources import RESOURCES
from clinic.fhir.resources import rows_of as all_rows_of
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Invalid, Issue

TYPE = "_type"
SORTED_BY = ("_id", "_lastUpdated")
KINDS = list(RESOURCES)
NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


@dataclass
class SystemSearch(Search):
    """A search of several types: one Search for each."""

    parts: Sequence[Search] = field(default_factory=list)


def read_all(query: QueryDict, caller: Caller, base: str, *, lenient: bool = False) -> SystemSearch:
    """Read a query for the types in `_type`, or else for all that the caller may search.

    Raises Forbidden for a type that is named and may not be searched, and Invalid as `read` does.
    """
    search = SystemSearch("")
    query = opened(search, query).copy()
    named = [str(each) for each in query.pop(TYPE, []) if each]
    kinds = _named(named, caller) if named else access.searchable_types(caller, RESOURCES)
    _check_order(query)
    shared = shared_parameters(kinds if named else list(RESOURCES))
    unshared = _unshared(query, shared)
    search.ignored = dict.fromkeys(without_value(query), NO_VALUE)
    issues = [*refusals_of(search), *(_unknown(name, shared) for name in unshared if name not in DISPENSABLE)]
    if issues and not lenient:
        raise Invalid(issues=issues)
    search.ignored |= dict.fromkeys(unshared, "is no search parameter of all of these types here")
    for name in search.ignored:
        query.setlist(name, [value for value in query.getlist(name) if value and name not in unshared])
    search.parts = [read(kind, query, caller, base) for kind in kinds]
    first = search.parts[0]
    if not first.where and (issues := list(refusals_of(search))):
        raise Invalid(issues=issues)
    search.controls, search.keys = first.controls, first.keys
    search.includes = list(dict.fromkeys(each for part in search.parts for each in part.includes))
    search.processed = [*((TYPE, each) for each in named), *first.processed]
    return search


def count(search: SystemSearch, caller: Caller) -> int:
    return _union(rows_of(part, caller).order_by().values("pk") for part in search.parts).count()


def page(search: SystemSearch, caller: Caller) -> Page:
    """Return the page: one statement for the order of the rows, then a few for each type."""
    if not search.count:
        return NO_PAGE
    places = list(_places(search, caller))
    keys: dict[str, set[int]] = defaultdict(set)
    for *_, number, pk in places:
        keys[KINDS[number]].add(pk)
    rows = {
        (NUMBERS[kind], row.pk): row
        for kind, these in keys.items()
        for row in all_rows_of(RESOURCES[kind]).filter(pk__in=these)
    }
    found: list[tuple[Place, Any]] = [(list(map(str, place)), rows.get(place[-2:])) for place in places]
    return cut(search, [(place, row) for place, row in found if row])  # one may have gone in between


def _places(search: SystemSearch, caller: Caller) -> "QuerySet[Any, Any]":
    """Return the sort values, the type's number and the primary key of each row, one row more than the page has."""
    place, backwards = search.place
    order, names = search.order, [*search.order.names, "of_type", "of_row"]
    arms = []
    for part in search.parts:
        number = NUMBERS[part.kind]
        rows = order.sort(rows_of(part, caller), backwards=backwards)
        if place:
            *sorts, kind, pk = place
            rows = rows.filter(order.beyond([*sorts, pk], backwards=backwards, rest=_rest(number, kind, pk, backwards)))
        named = rows.annotate(of_type=Value(number, IntegerField()), of_row=F("pk")).values_list(*names)
        arms.append(named[: search.count + 1])
    downwards = [key.descending for key in order.keys] + [False, False]
    columns = [f"-{name}" if down != backwards else name for name, down in zip(names, downwards, strict=True)]
    return arms[0] if len(arms) == 1 else _union(arms).order_by(*columns)[: search.count + 1]


def _rest(number: int, kind: str | None, pk: str | None, backwards: bool) -> Q:
    """Return the rows of a type beyond a position among rows with equal sort values."""
    if number == int(kind or 0):
        return Q(**{f"pk__{'lt' if backwards else 'gt'}": pk})
    return Q() if (number > int(kind or 0)) != backwards else Q(pk__in=[])


def _union(arms: "Iterable[QuerySet[Any, Any]]") -> "QuerySet[Any, Any]":
    first, *others = arms
    found: QuerySet[Any, Any] = first.union(*others, all=True)
    return found


def _named(values: Sequence[str], caller: Caller) -> list[str]:
    """Return the types that are named. Raises Invalid, or Forbidden."""
    kinds = list(dict.fromkeys(each.strip() for value in values for each in value.split(",")))
    for kind in kinds:
        if kind not in RESOURCES:
            raise Invalid(
                issues=[
                    Issue("not-supported", f"There are no {kind!r} resources here, but {', '.join(RESOURCES)}.", TYPE)
                ]
            )
        access.require(caller, kind, "s")
    return kinds


def _check_order(query: QueryDict) -> None:
    for name in ",".join(map(str, query.getlist("_sort"))).split(","):
        if name.strip().removeprefix("-") not in ("", *SORTED_BY):
            text = f"_sort: {name!r} is nothing to sort several types by. Known are {', '.join(SORTED_BY)}."
            raise Invalid(issues=[Issue("invalid", text, "_sort")])


def _unshared(query: Iterable[str], shared: Mapping[str, Parameter]) -> list[str]:
    """Return the parameters that not all of the types have."""
    known = {*shared, *ABOUT_THE_ANSWER, *ANYWHERE}
    return [name for name in query if name.partition(".")[0].partition(":")[0] not in known]


def _unknown(name: str, shared: Mapping[str, Parameter]) -> Issue:
    text = f"{name!r} is no search parameter that all of these types have. Those are {', '.join(shared)}."
    return Issue("not-supported", text, name)
