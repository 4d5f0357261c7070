"""Registration of patients, unless they are registered already."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from clinic import people_search
from clinic.models import Patient
from scheduling import access, booking, interactions
from scheduling.access import Caller
from scheduling.interactions import patient_matching
from scheduling.interactions.entries import BundleRefused, Json


def find(resource: Json, *, caller: Caller) -> Patient | None:
    """The registered patient described by a Patient resource, or None. Nothing is written.

    Raises SeveralMatch, or Forbidden if the caller may not register patients.
    """
    access.require(caller, "Patient", "c")
    return patient_matching.registered(interactions.creation_of("Patient", resource))


@transaction.atomic
def register(resource: Json, *, caller: Caller, now: datetime, base: str = "") -> Patient:
    """The patient described by a Patient resource, registered now unless they are registered already.

    Runs in the transaction of the caller's use case, so that a refusal registers nobody. An existing patient is not
    changed, and the caller may not see more of them than was sent. Raises InvalidResource, SeveralMatch, Forbidden.
    """
    creation = interactions.creation_of("Patient", resource)
    try:
        request = interactions.WriteRequest(entries=[creation], base=base)
        [written] = interactions.write_within(request, caller=caller, now=now)
    except BundleRefused as refusal:
        raise refusal.problems[0].error from refusal
    return Patient.objects.get(fhir_id=written.reference.partition("/")[2])


def similar_patients(fields: Mapping[str, Any], rows: QuerySet[Patient]) -> list[Patient]:
    """The patients among `rows` who may be this person: same name, and same birth date or contact."""
    sought = patient_matching.person_from(fields)
    if not (sought.family or sought.given):
        return []
    found = rows.filter(people_search.named_exactly(f"{fields['given']} {fields['family']}"), deleted_at=None).order_by(
        "pk"
    )[:50]
    return [patient for patient in found if _could_be(sought, patient_matching.person_of(patient))][:5]


@transaction.atomic
def find_or_register(fields: Mapping[str, Any], rows: QuerySet[Patient], *, now: datetime) -> tuple[Patient, bool]:
    """The patient among `rows` who is this person, or a new one, and True if they are new.

    Name, birth date (if known) and a contact must be equal. Two concurrent calls get one record.
    """
    sought, born = patient_matching.person_from(fields), Patient(**fields).born
    booking.lock_registration(sought.names())
    alike = rows.filter(birth_date=sought.birth_date, deleted_at=None).order_by("pk")
    named = alike.filter(people_search.named_exactly(f"{fields['given']} {fields['family']}"))
    for patient in named:
        if patient.born == born and sought.shares_address(patient_matching.person_of(patient)):
            return patient, False
    return Patient.objects.create(**fields, last_updated=now), True


def _could_be(sought: patient_matching.Person, other: patient_matching.Person) -> bool:
    if sought.birth_date and other.birth_date and sought.birth_date != other.birth_date:
        return False
    return sought.birth_date == other.birth_date or bool(sought.contacts & other.contacts)
