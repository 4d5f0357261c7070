"""The FHIR resource that represents a user."""

from clinic.models import Patient, Practitioner, RelatedPerson, User
from scheduling.access.callers import Caller


def record_of(user: User) -> Practitioner | Patient | RelatedPerson | None:
    """The user's Practitioner, else Patient, else RelatedPerson; None without any, as for the front desk."""
    caller = Caller(user=user)
    return caller.practitioner or caller.patient or caller.carer
