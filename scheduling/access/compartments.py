"""The patient of a row: https://hl7.org/fhir/R4/compartmentdefinition-patient.html

`PATIENT` has the declared lookup of the patient for each type of resource that is about one. Scopes, visibility,
permissions to write and the audit of disclosures all read it here.
"""

from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db.models import Q

from clinic.models import (
    RESOURCE_MODELS,
    Appointment,
    AppointmentResponse,
    Resource,
    Slot,
)
from scheduling import participants

# The Django lookup of the patient, by type of resource. The other types are about no patient.
PATIENT = {model.RESOURCE_TYPE: model.PATIENT for model in RESOURCE_MODELS if model.PATIENT is not None}
# Types that describe the clinic: open to everyone who is signed in, except rows of a patient.
PUBLIC = frozenset(model.RESOURCE_TYPE for model in RESOURCE_MODELS if model.DESCRIBES_CLINIC)
# Types with rows of visits, to which several patients can come.
OF_VISITS = frozenset(model.RESOURCE_TYPE for model in (Appointment, Slot, AppointmentResponse))

# JSON columns with one reference, and elements without a column, that can refer to a patient, by type.
REFERENCES = {
    "AppointmentResponse": ("actor",),
    "Coverage": ("extra__subscriber", "extra__policyHolder"),
    "QuestionnaireResponse": ("extra__source", "extra__author"),
    "ServiceRequest": ("requester",),
}


def patient_of(row: Resource) -> int | None:
    """Return the primary key of the patient whom a resource is about, or None."""
    kind = row.RESOURCE_TYPE
    if kind not in PATIENT or not row.NAMES_PATIENT:
        return None
    patient: int | None = _getter(patient_column(kind))(row)
    return patient


def of_patient(kind: str, patient: int) -> Q:
    """The condition for the rows of a type, one of PATIENT, that are about the patient (a primary key), alone or with
    others.
    """
    if kind not in OF_VISITS:
        return Q(**{PATIENT[kind]: patient})
    return participants.of_patient(patient, PATIENT[kind].removesuffix("patient"), or_came=True)


def patient_column(kind: str) -> str:
    """The attribute of a row that has its patient's primary key, such as `beneficiary_id`."""
    lookup = PATIENT[kind]
    return lookup if lookup == "pk" else f"{lookup.replace('__', '.')}_id"


@lru_cache
def _getter(path: str) -> Any:
    return attrgetter(path)
