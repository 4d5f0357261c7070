"""What the kinds of resource have in common: https://hl7.org/fhir/R4/resource.html"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch

from clinic.fhir import modifiers
from clinic.fhir.datatypes import Json, instant
from clinic.fhir.elements import ResourcePart
from clinic.fhir.invariants import broken_invariants
from clinic.fhir.issues import InvalidResource, ResourceIssue
from clinic.fhir.readings import Draft, Reading
from clinic.fhir.references import References
from clinic.fhir.validation import validate
from clinic.models.base import Resource


@dataclass(frozen=True)
class ResourceKind:
    """A type of resource: its rows, and both directions. Rows read with `related` and `prefetch` need no query."""

    model: type[Resource]
    to_fhir: Callable[[Any], Json]
    from_fhir: Callable[[Json, References], Draft] | None = None
    related: tuple[str, ...] = ()
    prefetch: "tuple[str | Prefetch[Any], ...]" = ()


def identity_of(row: Resource) -> Json:
    """Whose it is and which version; `meta` keeps its tags and profiles."""
    meta = {"versionId": str(row.version), "lastUpdated": instant(row.last_updated)}
    return {
        "resourceType": row.RESOURCE_TYPE,
        "id": row.fhir_id,
        "meta": {**row.extra["meta"], **meta} if "meta" in row.extra else meta,
    }


def writer(parts: Sequence[ResourcePart]) -> Callable[[Any], Json]:
    """From a row to JSON: what was sent besides, and its columns."""

    def to_fhir(row: Resource) -> Json:
        identity = identity_of(row)
        resource = {**identity, **deepcopy(row.extra), **identity}
        for part in parts:
            part.give(row, resource)
        return {name: tidy for name, value in resource.items() if (tidy := _tidy(value)) is not None}

    return to_fhir


def reader(
    kind: str, parts: Sequence[ResourcePart], *checks: Callable[[Reading], None]
) -> Callable[[Json, References], Draft]:
    """From JSON to a draft, or InvalidResource with everything that is wrong. `checks` come after the parts."""

    def from_fhir(resource: Json, refs: References) -> Draft:
        reading = begin(kind, resource, refs)
        for part in parts:
            part.take(reading)
        for check in checks:
            check(reading)
        return reading.finish()

    return from_fhir


def begin(kind: str, resource: Json, refs: References) -> Reading:
    """The form has been checked; what cannot be read is taken out, with an issue."""
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise InvalidResource([ResourceIssue("structure", f"This is not a {kind}.", kind)])
    try:
        reading = Reading(kind, deepcopy(resource), refs)
    except RecursionError:
        raise InvalidResource([ResourceIssue("structure", "Far too deep.", kind)]) from None
    reading.refuse(*validate(reading.resource, kind), *modifiers.unknown(resource, kind))
    reading.broken += broken_invariants(reading.resource, kind, is_whole=not reading.issues)
    _take_identity(reading)
    return reading


def _take_identity(reading: Reading) -> None:
    """The id belongs to the row, version and time of change to us."""
    resource = reading.resource
    resource.pop("resourceType")
    if fhir_id := resource.pop("id", None):
        reading.draft.fields["fhir_id"] = fhir_id
    meta = resource.pop("meta", {})
    if kept := {name: value for name, value in meta.items() if name not in ("versionId", "lastUpdated")}:
        resource["meta"] = kept


def _tidy(value: Any) -> Any:
    """None for what is empty; places of a list that hold nothing close up, but for those of primitive values."""
    if isinstance(value, list) and {} in value:
        value = [item for item in value if item != {}]
    return None if value in ([], {}) else value
