"""Searches, read with the tables of parameters: https://hl7.org/fhir/R4/search.html"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.db.models import Model, Q
from django.http import QueryDict

from api.search.conditions import Unknown, condition
from api.search.includes import Include, read_includes
from api.search.near import Near, read_area
from api.search.paging import DISTANCE, Cursor, Key, Order, Place, unseal
from api.search.parameters import parameters_of
from api.search.summaries import SUMMARIES
from api.search.values import split_values
from clinic.fhir import own_addresses
from clinic.fhir.resources import RESOURCES
from scheduling.access import Caller
from scheduling.errors import Invalid, Issue

DEFAULT_COUNT = 20
MAX_COUNT = 1000
MAX_CONDITIONS = 100
CURSOR = "_cursor"
# Parameters about the form of the answer, and those that clients send without needing them.
PASSED_OVER = frozenset({"_format", "_pretty", "_totalMethod"})
# Parameters that Medplum's clients always send: ignored, with a note in the outcome.
DISPENSABLE = frozenset({"_fields"})
NO_VALUE = "has no value"
INCLUDES = ("_include", "_include:iterate", "_revinclude", "_revinclude:iterate")
CHOICES: Mapping[str, tuple[str, ...]] = {"_total": ("none", "estimate", "accurate"), "_summary": SUMMARIES}
CONTROLS = ("_count", "_sort", "_elements", *CHOICES)
ABOUT_THE_ANSWER = frozenset({each.partition(":")[0] for each in INCLUDES} | {*CONTROLS, *PASSED_OVER})


@dataclass
class Search:
    """A search as it was read from a query: its conditions, order and page, and the ignored parameters.

    `notes` are for the answer; `begun` and `total` are what its page links carry.
    """

    kind: str
    where: list[Q] = field(default_factory=list)
    controls: dict[str, str] = field(default_factory=dict)
    includes: list[Include] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    by_distance: Key | None = None
    processed: list[tuple[str, str]] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)  # by name, why
    notes: list[Issue] = field(default_factory=list)
    cursor: Cursor | None = None
    begun: int = 0
    total: int | None = None

    @property
    def model(self) -> type[Model]:
        return RESOURCES[self.kind].model

    @property
    def count(self) -> int:
        if self.controls.get("_summary") == "count":
            return 0
        return min(int(self.controls.get("_count", DEFAULT_COUNT)), MAX_COUNT)

    @property
    def order(self) -> Order:
        """The order that was requested; for a search by distance, the nearest first."""
        return Order(self.keys or [key for key in [self.by_distance] if key])

    @property
    def place(self) -> tuple[Place, bool]:
        """The position of the page (empty: the start), and whether it goes backwards."""
        return (self.cursor.place, self.cursor.backwards) if self.cursor else ([], False)

    @property
    def shows_distance(self) -> bool:
        return self.by_distance is not None and not self.keys

    def link(self, base: str) -> str:
        """Return the address of this search."""
        query = urlencode(self.processed, safe=":,/|")
        return f"{base}{self.kind}?{query}" if query else f"{base}{self.kind}"

    def page_link(self, base: str, place: Place, *, backwards: bool = False) -> str:
        """Return the address of the page after or before a position."""
        cursor = Cursor(self.kind, urlencode(self.processed), place, backwards, self.begun, self.total)
        return f"{base}{self.kind}?{CURSOR}={cursor.seal()}"


def read(kind: str, query: QueryDict, caller: Caller, base: str, *, lenient: bool = False) -> Search:
    """Read a query. Raises Invalid with every unknown parameter and every unreadable value."""
    search = Search(kind)
    query = opened(search, query)
    search.ignored = dict.fromkeys(without_value(query), NO_VALUE)
    issues = [] if lenient else [*refusals_of(search)]
    for name, value in _pairs(query, base):
        try:
            _understand(search, name, value, caller, base)
        except Unknown as error:
            search.ignored[name] = f"is no search parameter of {kind} here"
            unknown = [replace(issue, expression=name) for issue in error.issues]
            issues += [] if lenient or name in DISPENSABLE else unknown
        except Invalid as error:
            issues += [Issue("invalid", f"{name}: {issue.text}", name) for issue in error.issues]
        else:
            search.processed.append((name, value))
    issues += _contradictions(search)
    if not issues and not search.where:
        issues += refusals_of(search)  # or everything would be found
    if issues:
        raise Invalid(issues=issues)
    return search


def without_value(query: QueryDict) -> list[str]:
    """Return the conditions without a value. A result parameter without one is ignored."""
    names = {name for name, values in query.lists() if "" in values}
    return [name for name in query if name in names and name.partition(":")[0] not in ABOUT_THE_ANSWER]


def refusals_of(search: Search) -> Iterator[Issue]:
    """Return an issue for each condition without a value: ignoring it would return everything."""
    for name, why in search.ignored.items():
        if why == NO_VALUE:
            yield Issue("invalid", f"{name} has no value: say what is searched for, or leave it out.", name)


def opened(search: Search, query: QueryDict) -> QueryDict:
    """Return the query, or the one sealed in a page's address with the current `_count`."""
    if CURSOR not in query:
        return query
    others = query.keys() - {CURSOR, "_count", *PASSED_OVER}
    if others:
        raise Invalid(f"The address of a page takes nothing else than _count, and not {', '.join(sorted(others))}.")
    search.cursor = unseal(str(query[CURSOR]), search.kind)
    opened = QueryDict(search.cursor.query, mutable=True)
    if "_count" in query:
        opened["_count"] = str(query["_count"])
    return opened


def _pairs(query: QueryDict, base: str) -> Iterator[tuple[str, str]]:
    """Return the pairs that have a value, with addresses of ours as they are stored."""
    for name, values in query.lists():
        for value in values:
            if "\x00" in name + value:
                raise Invalid("A parameter holds the character U+0000.")
            if value and name not in PASSED_OVER:
                yield name, own_addresses.as_stored(value, base)


def _understand(search: Search, name: str, value: str, caller: Caller, base: str) -> None:
    if name in INCLUDES:
        reverse, again = name.startswith("_rev"), name.endswith(":iterate")
        search.includes += read_includes(value, search.kind, reverse=reverse, again=again)
    elif name in CONTROLS:
        _control(search, name, value)
    elif len(search.where) == MAX_CONDITIONS:
        raise Invalid(f"A search has {MAX_CONDITIONS} conditions at most.")
    else:
        search.where.append(condition(search.kind, name, value, caller, base))
        parameter = parameters_of(search.kind).get(name)
        if isinstance(parameter, Near):
            area = read_area(split_values(value)[0])
            search.by_distance = Key(parameter.distance(area), DISTANCE)


def _control(search: Search, name: str, value: str) -> None:
    """Read a result parameter. If it is repeated, the last one counts."""
    if name in CHOICES and value not in CHOICES[name]:
        raise Invalid(f"{value!r} is not supported: {' or '.join(CHOICES[name])}.")
    if name == "_count" and not (value.isascii() and value.isdigit() and len(value) <= 20):
        raise Invalid(f"{value!r} is not a number.")
    if name == "_sort":
        search.keys = [_key(search.kind, each.strip()) for each in value.split(",")]
    search.controls[name] = value


def _contradictions(search: Search) -> Iterator[Issue]:
    if search.controls.get("_summary") == "text" and search.includes:
        yield Issue("invalid", "_summary: nothing can be included with a summary of texts.", "_summary")


def _key(kind: str, name: str) -> Key:
    known = {each: parameter.sort for each, parameter in parameters_of(kind).items() if parameter.sort}
    column = known.get(name.removeprefix("-"))
    if column is None:
        raise Invalid(f"{name!r} is nothing to sort by. Known are {', '.join(known)}.")
    return Key.of(RESOURCES[kind].model, column, descending=name.startswith("-"))
