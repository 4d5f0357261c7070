"""People who book without an account: what they say of themselves, and the email address they have proven."""

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

from clinic.models import Patient, User
from clinic.models.people import birth_columns
from scheduling.interactions import matching, registration

_DETAILS, _PROVEN = "guest-details", "guest-proven"


@dataclass(frozen=True, slots=True)
class Details:
    """Who a guest says they are."""

    given: str
    family: str
    birth_date: str  # as FHIR writes it, as far as it is known
    email: str
    phone: str = ""
    language: str = ""

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the guest's record."""
        return {**asdict(self), **birth_columns(self.birth_date)}


def remember(session: SessionBase, details: Details) -> None:
    session[_DETAILS] = asdict(details)


def details(session: SessionBase) -> Details | None:
    """What the guest has said about themselves, proven or not."""
    kept = session.get(_DETAILS)
    return Details(**kept) if kept else None


def prove(session: SessionBase, guest: Details) -> None:
    """Remember that the guest's address is proven, as long as the browser is open."""
    session[_PROVEN] = guest.email.lower()


def is_proven(session: SessionBase, email: str) -> bool:
    return bool(session.get(_PROVEN) == email.lower())


def record_of(guest: Details, *, now: datetime) -> Patient:
    """The record of a guest whose address is proven: theirs from before, or a new one.

    Never one that belongs to an account, and nothing tells whether there is one.
    """
    patient, is_new = registration.record_of(guest.columns, _records(guest.email), now=now)
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
    """An account made in this browser with the address that was proven needs no second proof."""
    if proven := request.session.get(_PROVEN):
        get_adapter().stash_verified_email(request, proven)


@transaction.atomic
def adopt(user: User, *, now: datetime) -> None:
    """What somebody booked as a guest is their account's, once its address is proven.

    Only where name and birth date are the same, and the account's own record has not been used.
    """
    own = Patient.objects.select_for_update().filter(user=user, deleted_at=None).first()
    if own is None or own.appointments.exists() or own.coverages.exists():
        return
    records = _records(user.email).select_for_update().filter(birth_date=own.birth_date)
    former = next((each for each in records if each.born == own.born and _name(each) == _name(own)), None)
    if former is None:
        return
    for patient, of, gone in ((own, None, now), (former, user, None)):
        patient.user, patient.deleted_at = of, gone
        patient.version += 1
        patient.last_updated = now
        patient.save()


def record_of_account(user: User, *, now: datetime) -> Patient | None:
    """The record of an account's own patient: theirs as a guest, if the account's address is proven to be the same."""
    if EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        adopt(user, now=now)
    return Patient.objects.filter(user=user, deleted_at=None).first()


def _records(email: str) -> QuerySet[Patient]:
    """Those without an account. Addresses are compared by ASCII's case: in PostgreSQL's, others are the same."""
    rows = Patient.objects.alias(address=Lower(Collate("email", "C"))).filter(address=email.lower())
    return rows.filter(user=None, deleted_at=None, active=True).order_by("pk")


def _name(patient: Patient) -> tuple[str, str]:
    known = matching.person_of(patient)
    return known.given, known.family
