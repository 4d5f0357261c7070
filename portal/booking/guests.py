"""Guests, who book without an account: their details, and the email address or telephone number they have proven."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Collate, Lower
from django.http import HttpRequest

from clinic import phones
from clinic.models import Patient, User
from clinic.models.people import birth_columns
from scheduling.access import Caller
from scheduling.interactions import adoption, patient_matching, registration
from scheduling.interactions.adoption import Adoption
from scheduling.interactions.audit import record_writes

_DETAILS, _PROVEN = "guest-details", "guest-proven"


@dataclass(frozen=True, slots=True)
class GuestDetails:
    """The details that a guest has entered."""

    given: str
    family: str
    birth_date: str  # FHIR's date: YYYY, YYYY-MM or YYYY-MM-DD
    email: str = ""
    phone: str = ""
    language: str = ""

    @property
    def contact(self) -> str:
        """The address that the guest proves: the email address, or the number of a guest who gives only that."""
        return self.email or phones.dialled(self.phone)

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the guest's record."""
        return {**asdict(self), **birth_columns(self.birth_date)}


def remember(session: SessionBase, details: GuestDetails) -> None:
    session[_DETAILS] = asdict(details)


def details(session: SessionBase) -> GuestDetails | None:
    """Return the details that the guest has entered, proven or not."""
    kept = session.get(_DETAILS)
    return GuestDetails(**kept) if kept else None


def prove(session: SessionBase, guest: GuestDetails) -> None:
    """Remember that the guest's contact is proven, as long as the browser is open."""
    session[_PROVEN] = guest.contact.lower()


def is_proven(session: SessionBase, guest: GuestDetails) -> bool:
    return bool(session.get(_PROVEN) == guest.contact.lower())


def record_of(guest: GuestDetails, *, now: datetime) -> Patient:
    """Return the patient record of a guest whose contact is proven: an earlier one, or a new one that is stored now.

    Never a record that belongs to an account. The guest cannot find out whether there is one.
    """
    patient, is_new = registration.find_or_register(guest.columns, _records_of(guest), now=now)
    if is_new:
        return patient
    contacts = {"phone": guest.phone, "language": guest.language}
    missing = {name: value for name, value in contacts.items() if value and not getattr(patient, name)}
    for name, value in missing.items():
        setattr(patient, name, value)
    if missing:
        patient.version += 1
        patient.last_updated = now
        patient.save()
    return patient


def vouch(request: HttpRequest) -> None:
    """Let an account that is made in this browser with the proven address skip the email confirmation."""
    proven = request.session.get(_PROVEN, "")
    if "@" in proven:
        get_adapter().stash_verified_email(request, proven)


@transaction.atomic
def adopt(user: User, *, now: datetime) -> None:
    """Give an account with a proven address the record under which its owner booked as a guest, or was booked for.

    Only if name and birth date are the same, the account's own record has not been used, and its owner is not a child
    in the care of others.
    """
    own = Patient.objects.select_for_update().filter(user=user, deleted_at=None).first()
    if own is None or own.appointments.exists() or own.coverages.exists():
        return
    records = _records(user.email).select_for_update().filter(birth_date=own.birth_date)
    former = next((each for each in records if each.born == own.born and _name(each) == _name(own)), None)
    if former is None or adoption.is_in_parents_care(former, now):
        return
    for patient, owner, deleted_at in ((own, None, now), (former, user, None)):
        patient.user, patient.deleted_at = owner, deleted_at
        patient.version += 1
        patient.last_updated = now
        patient.save()
    record_writes([(own, "deleted"), (former, "updated")], caller=Caller(user=user), now=now)


def adopt_by_number(session: SessionBase, user: User, *, now: datetime) -> Adoption:
    """Give an account the visits that its owner booked with the number alone that was proven in this browser."""
    proven = session.get(_PROVEN, "")
    if not proven or "@" in proven:
        return Adoption.NOTHING
    return adoption.adopt_records(proven, caller=Caller(user=user), now=now)


def record_of_account(user: User, *, now: datetime) -> Patient | None:
    """Return the patient record of an account: its owner's record as a guest, if the address is proven."""
    if EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        adopt(user, now=now)
    return Patient.objects.filter(user=user, deleted_at=None).first()


def _records_of(guest: GuestDetails) -> QuerySet[Patient]:
    """Return the records without an account among which the guest's may be.

    Numbers are stored as they were sent: they are compared when name and date of birth are the same.
    """
    return _records(guest.email) if guest.email else _without_account()


def _records(email: str) -> QuerySet[Patient]:
    """Return the records with this address and no account. Only ASCII case is folded: PostgreSQL folds more letters."""
    rows = _without_account().alias(address=Lower(Collate("email", "C")))
    return rows.filter(address=email.lower()).order_by("pk")


def _without_account() -> QuerySet[Patient]:
    return Patient.objects.filter(user=None, deleted_at=None, active=True)


def _name(patient: Patient) -> tuple[str, str]:
    known = patient_matching.person_of(patient)
    return known.given, known.family
