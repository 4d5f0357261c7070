"""The registry of all resource types, in the order of RESOURCE_MODELS: a type comes after the types that it refers to.

https://hl7.org/fhir/R4/resourcelist.html. `RESOURCES["Slot"].from_fhir(json, references)` returns a Draft, or raises
InvalidResource with all issues; `to_fhir(row)` returns the JSON of a row. It equals the JSON that was sent, with id
and meta added; each module says which elements differ.
"""

from typing import Any

from django.db.models import QuerySet

from clinic.fhir import (
    appointment_responses,
    appointments,
    audit,
    care,
    communication,
    forms,
    people,
    places,
    plans,
    recalls,
    referrals,
    schedules,
    services,
    slots,
    subscriptions,
)
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidResource, ResourceIssue
from clinic.fhir.kinds import ResourceKind
from clinic.fhir.readings import Draft, ParametersDraft
from clinic.fhir.references import References
from clinic.models import RESOURCE_MODELS, Resource

__all__ = [
    "RESOURCES",
    "Draft",
    "InvalidResource",
    "ParametersDraft",
    "References",
    "ResourceIssue",
    "ResourceKind",
    "rows_of",
    "to_fhir",
]

KINDS: dict[str, ResourceKind] = {
    name: kind
    for module in (
        places,
        people,
        forms,
        services,
        plans,
        schedules,
        slots,
        appointments,
        appointment_responses,
        care,
        recalls,
        referrals,
        subscriptions,
        communication,
        audit,
    )
    for name, kind in module.KINDS.items()
}
RESOURCES: dict[str, ResourceKind] = {model.RESOURCE_TYPE: KINDS[model.RESOURCE_TYPE] for model in RESOURCE_MODELS}


def to_fhir(row: Resource) -> Json:
    """Return a row as JSON. Rows read with `rows_of` need no query."""
    return RESOURCES[row.RESOURCE_TYPE].to_fhir(row)


def rows_of(kind: ResourceKind) -> QuerySet[Any]:
    """Return the query for all rows of a type, deleted ones too, with the related rows that `to_fhir` needs."""
    return kind.model._default_manager.select_related(*kind.related).prefetch_related(*kind.prefetch)
