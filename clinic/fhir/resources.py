"""Every type of resource there is, in the order in which one can refer to another.

https://hl7.org/fhir/R4/resourcelist.html. `RESOURCES["Slot"].from_fhir(json, references)` gives a Draft, or
InvalidResource with all that is wrong; `to_fhir(row)` is the way back. For what was accepted, the JSON of its row
is the JSON that was sent, with id and meta: see each module for what is said in other words.
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
from clinic.models.base import Resource

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

ORDER = (
    "Organization",
    "Location",
    "Practitioner",
    "Questionnaire",
    "HealthcareService",
    "PractitionerRole",
    "Device",
    "Patient",
    "RelatedPerson",
    "Coverage",
    "CareTeam",
    "Schedule",
    "Slot",
    "Appointment",
    "AppointmentResponse",
    "QuestionnaireResponse",
    "Encounter",
    "Subscription",
    "Communication",
    "AuditEvent",
)
KINDS: dict[str, ResourceKind] = {
    name: kind
    for module in (
        places,
        people,
        forms,
        services,
        schedules,
        slots,
        appointments,
        appointment_responses,
        care,
        subscriptions,
        communication,
        audit,
    )
    for name, kind in module.KINDS.items()
}
RESOURCES: dict[str, ResourceKind] = {name: KINDS[name] for name in ORDER}


def to_fhir(row: Resource) -> Json:
    """A row as JSON. Without a query, if it was read by `rows_of`."""
    return RESOURCES[row.RESOURCE_TYPE].to_fhir(row)


def rows_of(kind: ResourceKind) -> QuerySet[Any]:
    """All rows of a type, the deleted too, with what they need to be written out."""
    return kind.model._default_manager.select_related(*kind.related).prefetch_related(*kind.prefetch)
