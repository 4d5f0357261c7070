"""_include and _revinclude: https://hl7.org/fhir/R4/search.html#include

`_include=Slot:schedule`, `_revinclude=Slot:schedule`, and with `:iterate` also for included resources. One query for
each type and turn; at most MAX_TURNS turns and MAX_INCLUDED resources.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Q

from api.search.kinds import any_of
from api.search.links import Canonical
from api.search.parameters import TABLE, parameters_of
from api.search.references import Reference, read_reference
from clinic.fhir.resources import RESOURCES, to_fhir
from clinic.models import Resource
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Invalid

Json = dict[str, Any]

MAX_TURNS = 4
MAX_INCLUDED = 1000


@dataclass(frozen=True)
class Include:
    """An _include: the targets of `kind` by a reference parameter, if of `types`; `reverse`: the resources that refer
    to them.

    `again`: also for included resources.
    """

    kind: str
    parameter: Reference
    types: tuple[str, ...]
    reverse: bool
    again: bool


class Included(NamedTuple):
    rows: list[Resource]
    resources: list[Json]
    complete: bool


def read_includes(text: str, kind: str, *, reverse: bool, again: bool) -> list[Include]:
    """Read `Slot:schedule`, `Appointment:actor:Patient` for one type, `Appointment:*` for all. Raises Invalid."""
    source, _, rest = (f"{kind}:*" if text == "*" and not reverse else text).partition(":")
    name, _, target = rest.partition(":")
    known = _includable(source, reverse=reverse)
    named = known.values() if name == "*" else filter(None, [known.get(name)])
    found = [
        Include(source, each, (target,) if target else _types(each), reverse, again)
        for each in named
        if not target or target in _types(each)
    ]
    if not found:
        names = (f"{each}:{name}" for each in TABLE for name in _includable(each, reverse=reverse))
        raise Invalid(f"{text!r} cannot be included. Known are {', '.join(names)}.")
    return found


def known_includes(kind: str) -> Iterator[str]:
    """Return the _include values of this type."""
    names = _includable(kind, reverse=False)
    yield from (f"{kind}:{name}" for name in ("*", *names) if names)


def known_revincludes(kind: str) -> Iterator[str]:
    """Return the _revinclude values of this type."""
    for source in TABLE:
        for name, parameter in _includable(source, reverse=True).items():
            if kind in parameter.types:
                yield f"{source}:{name}"


def included(matches: Sequence[Json], includes: Sequence[Include], caller: Caller, base: str) -> Included:
    """Return the included resources that the caller may see, each once, without the matches."""
    seen = {_name(each) for each in matches}
    found: list[tuple[Resource, Json]] = []
    newest = list(matches)
    for turn in range(MAX_TURNS):
        conditions = _conditions(newest, [each for each in includes if each.again or turn == 0], seen, caller, base)
        rows = [row for row in _fetch(conditions, caller) if row.reference not in seen]
        if not rows:
            break
        seen |= {row.reference for row in rows}
        newest = [to_fhir(row) for row in rows]
        found += zip(rows, newest, strict=True)
        if len(found) > MAX_INCLUDED:
            break
    first = found[:MAX_INCLUDED]
    return Included([row for row, _ in first], [each for _, each in first], complete=len(first) == len(found))


def _conditions(
    resources: Sequence[Json], includes: Sequence[Include], seen: set[str], caller: Caller, base: str
) -> dict[str, Q]:
    """Return the included rows, by type."""
    named = _named(resources, includes, base)
    ids: dict[str, set[str]] = defaultdict(set)
    conditions: dict[str, list[Q]] = defaultdict(list)
    for kind, key, value in named:
        if key == "url":
            conditions[kind].append(Q(url=value))
        elif f"{kind}/{value}" not in seen:
            ids[kind].add(value)
    for kind, these in ids.items():
        conditions[kind].append(Q(fhir_id__in=these))
    for kind, condition in _referring(resources, includes, caller, base):
        conditions[kind].append(condition)
    return {kind: any_of(these) for kind, these in conditions.items()}


def _named(resources: Iterable[Json], includes: Sequence[Include], base: str) -> set[tuple[str, str, str]]:
    """Return the type of a reference's target, and its id or URL."""
    forward: dict[str, list[Include]] = defaultdict(list)
    for include in includes:
        if not include.reverse:
            forward[include.kind].append(include)
    return {
        named
        for resource in resources
        for include in forward[resource["resourceType"]]
        for text in _references(resource, include.parameter.element.split("."))
        for named in _read(text, include, base)
    }


def _read(text: str, include: Include, base: str) -> Iterator[tuple[str, str, str]]:
    url = text.partition("|")[0]
    named = read_reference(url, base)
    if named.kind in include.types:
        yield named.kind, "fhir_id", named.fhir_id
    elif isinstance(include.parameter, Canonical) and named.elsewhere:
        yield "Questionnaire", "url", url


def _references(node: Any, path: Sequence[str]) -> Iterator[str]:
    """Yield the references and canonicals at a path, through lists."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item, path)
    elif isinstance(node, dict) and path:
        yield from _references(node.get(path[0]), path[1:])
    elif isinstance(node, dict) and isinstance(node.get("reference"), str):
        yield node["reference"]
    elif isinstance(node, str) and not path:
        yield node


def _referring(
    resources: Sequence[Json], includes: Sequence[Include], caller: Caller, base: str
) -> Iterator[tuple[str, Q]]:
    """Return the rows that refer to these, by type."""
    ids: dict[str, list[str]] = defaultdict(list)
    for resource in resources:
        ids[resource["resourceType"]].append(resource["id"])
    for include in includes:
        for kind in include.types if include.reverse else ():
            if kind in ids:
                rows = access.visible(RESOURCES[kind].model, caller).filter(fhir_id__in=ids[kind])
                yield include.kind, include.parameter.refers_to(kind, rows, base)


def _fetch(conditions: dict[str, Q], caller: Caller) -> Iterator[Any]:
    for name in sorted(conditions):
        kind = RESOURCES[name]
        rows = access.visible(kind.model, caller).filter(conditions[name], deleted_at=None)
        page = rows.select_related(*kind.related).prefetch_related(*kind.prefetch).order_by("pk")[: MAX_INCLUDED + 1]
        yield from (access.redacted(row, caller) for row in page)


def _includable(kind: str, *, reverse: bool) -> dict[str, Reference]:
    """Return the references of a type to other types of this server; forwards only those in its JSON."""
    parameters = parameters_of(kind) if kind in TABLE else {}
    return {
        name: each
        for name, each in parameters.items()
        if isinstance(each, Reference) and _types(each) and (each.can_be_reversed if reverse else each.element)
    }


def _types(parameter: Reference) -> tuple[str, ...]:
    return tuple(each for each in parameter.types if each in RESOURCES)


def _name(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
