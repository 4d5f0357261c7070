"""Patients who are registered by software: as new ones, unless they are patients already."""

from datetime import datetime

from clinic.models import Patient
from scheduling import interactions
from scheduling.access import Caller
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
