"""Reading and writing that all resource types share: https://hl7.org/fhir/R4/resource.html"""

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
    """A resource type: its model, and the functions that read and write its JSON.

    `related` and `prefetch` are what `to_fhir` needs of other tables: rows read with them need no further query.
    """

    model: type[Resource]
    to_fhir: Callable[[Any], Json]
    from_fhir: Callable[[Json, References], Draft] | None = None
    related: tuple[str, ...] = ()
    prefetch: "tuple[str | Prefetch[Any], ...]" = ()


def identity_of(row: Resource) -> Json:
    """Return resourceType, id and meta of a row. `meta` keeps the tags and profiles that were sent."""
    meta = {"versionId": str(row.version), "lastUpdated": instant(row.last_updated)}
    return {
        "resourceType": row.RESOURCE_TYPE,
        "id": row.fhir_id,
        "meta": {**row.extra["meta"], **meta} if "meta" in row.extra else meta,
    }


def writer(parts: Sequence[ResourcePart]) -> Callable[[Any], Json]:
    """Return the function that writes a row as JSON, from its columns and `extra`."""

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
    """Return the function that reads JSON into a draft, or raises InvalidResource with all issues.

    `checks` run after the parts have been read.
    """

    def from_fhir(resource: Json, refs: References) -> Draft:
        reading = begin(kind, resource, refs)
        for part in parts:
            part.take(reading)
        for check in checks:
            check(reading)
        return reading.finish()

    return from_fhir


def begin(kind: str, resource: Json, refs: References) -> Reading:
    """Check the form of a resource and return its Reading, without the elements that cannot be read."""
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
    """Move the id into the draft, and drop the version and the time of change, which the server sets."""
    resource = reading.resource
    resource.pop("resourceType")
    if fhir_id := resource.pop("id", None):
        reading.draft.fields["fhir_id"] = fhir_id
    meta = resource.pop("meta", {})
    if kept := {name: value for name, value in meta.items() if name not in ("versionId", "lastUpdated")}:
        resource["meta"] = kept


def _tidy(value: Any) -> Any:
    """Return the value without the empty objects of a list, or None if nothing is left."""
    if isinstance(value, list) and {} in value:
        value = [item for item in value if item != {}]
    return None if value in ([], {}) else value
