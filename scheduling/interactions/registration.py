"""Patients who are registered by software: as new ones, unless they are patients already."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from clinic import people_search
from clinic.models import Patient
from scheduling import booking, interactions
from scheduling.access import Caller
from scheduling.interactions import matching
from scheduling.interactions.entries import Json


def register(resource: Json, *, caller: Caller, now: datetime, base: str = "") -> tuple[Patient, bool]:
    """The patient whom a Patient resource describes, and whether they are new.

    In a transaction of its own. Nothing of a patient who was there already is changed, and the caller may know no more
    of them than was sent. Raises InvalidResource, SeveralMatch, Forbidden.
    """
    creation = interactions.creation_of("Patient", resource)
    written = interactions.perform(creation, caller=caller, now=now, base=base)
    patient = Patient.objects.get(fhir_id=written.reference.partition("/")[2])
    return patient, written.outcome == "created"


def alike(fields: Mapping[str, Any], rows: QuerySet[Patient]) -> list[Patient]:
    """The patients among `rows` who could be this person: the same name, and the same birth date or an address."""
    sought = matching.person(fields)
    if not (sought.family or sought.given):
        return []
    found = rows.filter(people_search.named_exactly(f"{fields['given']} {fields['family']}"), deleted_at=None).order_by(
        "pk"
    )[:50]
    return [patient for patient in found if _could_be(sought, matching.person_of(patient))][:5]


@transaction.atomic
def record_of(fields: Mapping[str, Any], rows: QuerySet[Patient], *, now: datetime) -> tuple[Patient, bool]:
    """The patient among `rows` who is this person, or a new one, and whether they are new.

    The same are name, birth date as far as it is known, and an address. Two at once get one record.
    """
    sought, born = matching.person(fields), Patient(**fields).born
    booking.lock_registration(sought.names())
    alike = rows.filter(birth_date=sought.birth_date, deleted_at=None).order_by("pk")
    named = alike.filter(people_search.named_exactly(f"{fields['given']} {fields['family']}"))
    for each in named:
        if each.born == born and sought.shares_address(matching.person_of(each)):
            return each, False
    return Patient.objects.create(**fields, last_updated=now), True


def _could_be(sought: matching.Person, other: matching.Person) -> bool:
    if sought.birth_date and other.birth_date and sought.birth_date != other.birth_date:
        return False
    return sought.birth_date == other.birth_date or bool(sought.contacts & other.contacts)
