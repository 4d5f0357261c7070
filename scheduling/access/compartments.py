"""The patient of a row: https://hl7.org/fhir/R4/compartmentdefinition-patient.html

`PATIENT` names the field that leads to the patient, for each type of resource that is about one. Scopes, visibility,
permissions to write and the audit of disclosures all read it here.
"""

from functools import lru_cache
from operator import attrgetter
from typing import Any

from clinic.models import Resource

# The Django lookup of the patient, by type of resource. The other types are about no patient.
PATIENT = {
    "Patient": "pk",
    "Appointment": "patient",
    "AppointmentResponse": "appointment__patient",
    "CareTeam": "patient",
    "Communication": "patient",
    "Coverage": "beneficiary",
    "Encounter": "patient",
    "QuestionnaireResponse": "patient",
    "RelatedPerson": "patient",
    "Schedule": "bookable__patient",
    "Slot": "appointment__patient",
}
# Types of which a resource does not say whose it is, although its row knows.
UNNAMED = frozenset({"Slot"})


def patient_of(row: Resource) -> int | None:
    """The primary key of the patient whom a resource tells of, or None."""
    kind = row.RESOURCE_TYPE
    if kind not in PATIENT or kind in UNNAMED:
        return None
    patient: int | None = _getter(patient_column(kind))(row)
    return patient


def patient_column(kind: str) -> str:
    """The attribute of a row that has its patient's primary key, such as `beneficiary_id`."""
    lookup = PATIENT[kind]
    return lookup if lookup == "pk" else f"{lookup.replace('__', '.')}_id"


@lru_cache
def _getter(path: str) -> Any:
    return attrgetter(path)
