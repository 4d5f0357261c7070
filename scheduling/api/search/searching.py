"""Searches: https://hl7.org/fhir/R4/search.html

`Search` reads a query by the tables of search_parameters; `answer` finds a page of what the caller may see. The
number of SQL statements does not depend on the number of resources.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from clinic.fhir.resources import RESOURCES, to_fhir
from scheduling import access
from scheduling.access import Caller
from scheduling.api.outcomes import outcome
from scheduling.api.search.includes import ITERATE, Include, included, read_include
from scheduling.api.search.kinds import Parameter
from scheduling.api.search.paging import Key, Order
from scheduling.api.search.parameters import parameters_of, sorts_of
from scheduling.api.search.references import Link
from scheduling.errors import Invalid, Issue

Json = dict[str, Any]

DEFAULT_COUNT = 20
MAX_COUNT = 1000
MAX_CHAIN = 2
CURSOR = "_cursor"
# About the answer's form, or asked for by clients that can do without.
PASSED_OVER = frozenset({"_format", "_pretty", "_totalMethod"})
CONTROLS = ("_count", "_include", ITERATE, "_sort", "_summary", "_total", CURSOR)
COMMA = re.compile(r"(?<!\\),")
ESCAPED = re.compile(r"\\([,$|\\])")


@dataclass
class Search:
    """A query as it was understood."""

    kind: str
    where: list[Q] = field(default_factory=list)
    controls: dict[str, str] = field(default_factory=dict)
    includes: list[Include] = field(default_factory=list)
    processed: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def model(self) -> type[Model]:
        return RESOURCES[self.kind].model

    @property
    def count(self) -> int:
        if self.controls.get("_summary") == "count":
            return 0
        return min(_number(self.controls.get("_count", str(DEFAULT_COUNT))), MAX_COUNT)

    @property
    def order(self) -> Order:
        return Order(self.model, [_key(name, self.kind) for name in self.controls.get("_sort", "").split(",") if name])

    def link(self, base: str, cursor: str | None = None) -> str:
        """The address of this search, or of its page at the cursor."""
        kept = [(name, value) for name, value in self.processed if cursor is None or name != CURSOR]
        query = urlencode(kept + ([(CURSOR, cursor)] if cursor else []), safe=":,/|")
        return f"{base}{self.kind}?{query}" if query else f"{base}{self.kind}"


def read(kind: str, query: QueryDict, caller: Caller, base: str, *, lenient: bool = False) -> Search:
    """What is asked. Raises Invalid with every parameter that is unknown, or with a value that cannot be read."""
    search = Search(kind)
    issues: list[Issue] = []
    for name, value in _pairs(query):
        try:
            _understand(search, name, value, caller, base)
        except Unknown as error:
            search.ignored.append(name)
            issues += [] if lenient else error.issues
        except Invalid as error:
            issues += [Issue("invalid", f"{name}: {issue.text}", name) for issue in error.issues]
    if issues:
        raise Invalid(issues=issues)
    return search


def answer(search: Search, caller: Caller, base: str) -> Json:
    """The Bundle: a page of matches, what goes with them, and the way to the next."""
    access.require(caller, search.kind, "s")
    rows = access.visible(search.model, caller).filter(*search.where, deleted_at=None)
    bundle: Json = {"resourceType": "Bundle", "type": "searchset"}
    if search.controls.get("_total") != "none" or not search.count:
        bundle["total"] = rows.count()
    page, cursor = _page(search, rows)
    bundle["link"] = [{"relation": "self", "url": search.link(base)}]
    if cursor:
        bundle["link"].append({"relation": "next", "url": search.link(base, cursor)})
    matches = [to_fhir(access.as_shown(row, caller)) for row in page]
    entries = [_entry(each, "match", base) for each in matches]
    entries += [_entry(each, "include", base) for each in included(matches, search.includes, caller, base)]
    if search.ignored:
        entries.append({"resource": _told(search), "search": {"mode": "outcome"}})
    return {**bundle, "entry": entries} if entries else bundle


class Unknown(Invalid):
    """No parameter of that name."""

    def __init__(self, name: str, kind: str, known: Iterable[str]) -> None:
        text = f"{name!r} is no search parameter of {kind} here. Known are {', '.join(known)}."
        super().__init__(issues=[Issue("not-supported", text, name)])


def _pairs(query: QueryDict) -> Iterator[tuple[str, str]]:
    """What asks for something. An empty value asks for nothing."""
    for name, values in query.lists():
        for value in values:
            if "\x00" in name + value:
                raise Invalid("A parameter holds the character U+0000.")
            if value and name not in PASSED_OVER:
                yield name, value


def _understand(search: Search, name: str, value: str, caller: Caller, base: str) -> None:
    if name in ("_include", ITERATE):
        search.includes.append(read_include(value, again=name == ITERATE))
    elif name in CONTROLS:
        search.controls[name] = value
    else:
        search.where.append(condition(search.kind, name, value, caller, base))
    _check_control(search, name)
    search.processed.append((name, value))


def condition(kind: str, name: str, value: str, caller: Caller, base: str) -> Q:
    """The rows that a parameter wants: any of its values, which commas divide."""
    name, dot, rest = name.partition(".")
    known = parameters_of(kind)
    name, _, modifier = name.partition(":")
    if name not in known:
        raise Unknown(name, kind, (*known, *CONTROLS))
    parameter = known[name]
    if dot:
        return _chained(parameter, name, rest, value, caller, base)
    if modifier and modifier not in parameter.MODIFIERS:
        raise Invalid(f":{modifier} is not supported here.")
    return _any_of(RESOURCES[kind].model, parameter, modifier, value, base)


def _any_of(model: type[Model], parameter: Parameter, modifier: str, value: str, base: str) -> Q:
    found = Q(pk__in=[])
    for each in COMMA.split(value):
        found |= parameter.condition(ESCAPED.sub(r"\1", each), modifier, base)
    return ~Q(pk__in=model._default_manager.filter(found).values("pk")) if modifier == "not" else found


def _chained(parameter: Parameter, name: str, rest: str, value: str, caller: Caller, base: str) -> Q:
    """`schedule.actor=...`: those whose schedule, as far as the caller may see it, has the actor."""
    if not isinstance(parameter, Link) or rest.count(".") > MAX_CHAIN:
        raise Invalid(f"{name} cannot be chained here, or not so far.")
    [kind] = parameter.types
    targets = access.visible(RESOURCES[kind].model, caller).filter(condition(kind, rest, value, caller, base))
    return Q(**{f"{parameter.column}__in": targets.filter(deleted_at=None).values("pk")})


def _check_control(search: Search, name: str) -> None:
    """Refuse what cannot be done, when it is asked for."""
    allowed: Mapping[str, tuple[str, ...]] = {
        "_total": ("none", "estimate", "accurate"),
        "_summary": ("count", "false"),
    }
    value = search.controls.get(name, "")
    if name in allowed and value not in allowed[name]:
        raise Invalid(f"{value!r} is not supported: {' or '.join(allowed[name])}.")
    match name:
        case "_count":
            _number(value)
        case "_sort":
            search.order  # noqa: B018


def _page(search: Search, rows: "QuerySet[Any]") -> tuple[list[Any], str | None]:
    """The rows, and the cursor behind them if there are more."""
    if not search.count:
        return [], None
    kind, order = RESOURCES[search.kind], search.order
    rows = order.sort(rows.select_related(*kind.related).prefetch_related(*kind.prefetch))
    if cursor := search.controls.get(CURSOR):
        rows = rows.filter(order.after(cursor))
    found = list(rows[: search.count + 1])
    page = found[: search.count]
    return page, order.cursor(page[-1]) if len(found) > len(page) else None


def _entry(resource: Json, mode: str, base: str) -> Json:
    full_url = f"{base}{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": full_url, "resource": resource, "search": {"mode": mode}}


def _told(search: Search) -> Json:
    texts = (f"{name!r} is no search parameter of {search.kind} here and was ignored." for name in search.ignored)
    return outcome([Issue("not-supported", text) for text in texts], severity="warning")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Invalid(f"{text!r} is not a number.")
    return int(text)


def _key(name: str, kind: str) -> Key:
    known = sorts_of(kind)
    if name.removeprefix("-") not in known:
        raise Invalid(f"{name!r} is nothing to sort by. Known are {', '.join(known)}.")
    return Key(known[name.removeprefix("-")], descending=name.startswith("-"))
