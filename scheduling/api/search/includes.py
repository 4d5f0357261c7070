"""What goes with the matches of a search: https://hl7.org/fhir/R4/search.html#include

`_include=Slot:schedule` and, for what was included, `_include:iterate=Schedule:actor`. One query for each type.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clinic.fhir.resources import RESOURCES, to_fhir
from scheduling import access
from scheduling.access import Caller
from scheduling.api.search.parameters import TABLE
from scheduling.api.search.references import ID, Reference
from scheduling.errors import Invalid

Json = dict[str, Any]

ITERATE = "_include:iterate"
MAX_TURNS = 4


@dataclass(frozen=True)
class Include:
    """From resources of `kind`, what `parameter` refers to, if of `types`; `again` also from what was included."""

    kind: str
    parameter: Reference
    types: tuple[str, ...]
    again: bool


def read_include(text: str, *, again: bool) -> Include:
    """`Slot:schedule`, or `Appointment:actor:Patient` for one of its types. Raises Invalid."""
    kind, _, rest = text.partition(":")
    name, _, target = rest.partition(":")
    parameter = TABLE[kind].parameters.get(name) if kind in TABLE else None
    if not isinstance(parameter, Reference) or not parameter.element or (target and target not in parameter.types):
        raise Invalid(f"{text!r} cannot be included. Known are {', '.join(known())}.")
    return Include(kind, parameter, (target,) if target else parameter.types, again)


def known(of: str = "") -> Iterator[str]:
    """Every include there is, or those of one type."""
    for kind, searchable in TABLE.items():
        for name, parameter in searchable.parameters.items():
            if isinstance(parameter, Reference) and parameter.element and of in ("", kind):
                yield f"{kind}:{name}"


def included(matches: Sequence[Json], includes: Sequence[Include], caller: Caller, base: str) -> list[Json]:
    """The resources that these refer to, as far as the caller may see them, each once and none that is a match."""
    seen = {_name(each) for each in matches}
    found: list[Json] = []
    newest = list(matches)
    for turn in range(MAX_TURNS):
        wanted = [include for include in includes if include.again or turn == 0]
        names = set(_referred(newest, wanted, base)) - seen
        if not names:
            break
        newest = list(_fetch(names, caller))
        seen |= names
        found += newest
    return found


def _referred(resources: Iterable[Json], includes: Sequence[Include], base: str) -> Iterator[str]:
    for resource in resources:
        for include in includes:
            if resource["resourceType"] == include.kind:
                for text in _references(resource, include.parameter.element.split(".")):
                    name = text.removeprefix(base)
                    if name.partition("/")[0] in include.types:
                        yield name


def _references(node: Any, path: Sequence[str]) -> Iterator[str]:
    """The references at a path of names, through lists."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item, path)
    elif isinstance(node, dict) and path:
        yield from _references(node.get(path[0]), path[1:])
    elif isinstance(node, dict) and isinstance(node.get("reference"), str):
        yield node["reference"]


def _fetch(names: Iterable[str], caller: Caller) -> Iterator[Json]:
    ids: dict[str, set[str]] = defaultdict(set)
    for name in names:
        named, _, fhir_id = name.partition("/")
        if ID.fullmatch(fhir_id):
            ids[named].add(fhir_id)
    for name in sorted(ids):
        kind = RESOURCES[name]
        rows = access.visible(kind.model, caller).filter(fhir_id__in=ids[name], deleted_at=None)
        for row in rows.select_related(*kind.related).prefetch_related(*kind.prefetch).order_by("pk"):
            yield to_fhir(access.as_shown(row, caller))


def _name(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
