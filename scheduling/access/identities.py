"""Who somebody is here, on record."""

from clinic.models import Patient, Practitioner, RelatedPerson, User
from scheduling.access.callers import Caller


def record_of(user: User) -> Practitioner | Patient | RelatedPerson | None:
    """At work before at home; None for who has no record, such as the front desk.

    https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-identity-data
    """
    caller = Caller(user=user)
    return caller.practitioner or caller.patient or user.related_persons.filter(active=True, deleted_at=None).first()
