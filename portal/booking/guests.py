"""People who book without an account: what they say of themselves, and the e-mail address they have proven."""

import secrets
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Collate, Lower
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from clinic.folding import joined
from clinic.models import Patient, User
from portal.common.callers import guest_secret
from scheduling import notifications
from scheduling.interactions import registration

CODE_DIGITS = 6
CODE_GOOD_FOR = timedelta(minutes=15)
CODE_ATTEMPTS = 5
CODE_AGAIN_AFTER = timedelta(seconds=30)

_DETAILS, _CODE, _PROVEN = "guest-details", "guest-code", "guest-proven"


@dataclass(frozen=True, slots=True)
class Details:
    """Who a guest says they are."""

    given: str
    family: str
    birth_date: date
    email: str
    phone: str = ""
    language: str = ""


class Answer(Enum):
    """What became of a code."""

    RIGHT = auto()
    WRONG = auto()
    TOO_OLD = auto()
    TOO_OFTEN = auto()


def remember(session: SessionBase, details: Details) -> None:
    session[_DETAILS] = {**asdict(details), "birth_date": details.birth_date.isoformat()}


def details(session: SessionBase) -> Details | None:
    """What the guest has said about themselves, proven or not."""
    kept = session.get(_DETAILS)
    return Details(**{**kept, "birth_date": date.fromisoformat(kept["birth_date"])}) if kept else None


def send_code(session: SessionBase, guest: Details, *, now: datetime) -> None:
    """Send a new code to the guest's address; the one before it is good no longer."""
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    session[_CODE] = {
        "address": _digest(session, guest.email),
        "digest": _digest(session, guest.email, code),
        "sent": now.isoformat(),
        "attempts": 0,
    }
    notifications.prove(guest.email, code, guest.language, now=now)


def another_from(session: SessionBase, guest: Details, *, now: datetime) -> datetime | None:
    """From when on another code can be sent to the same address; None where it can be now."""
    kept = session.get(_CODE)
    if kept is None or kept["address"] != _digest(session, guest.email):
        return None
    at = datetime.fromisoformat(kept["sent"]) + CODE_AGAIN_AFTER
    return at if at > now else None


def check_code(session: SessionBase, guest: Details, code: str, *, now: datetime) -> Answer:
    """Whether it is the code that was sent last. The address is proven then, as long as the browser is open."""
    kept = session.get(_CODE)
    if kept is None or now > datetime.fromisoformat(kept["sent"]) + CODE_GOOD_FOR:
        return Answer.TOO_OLD
    if kept["attempts"] >= CODE_ATTEMPTS:
        return Answer.TOO_OFTEN
    if not constant_time_compare(kept["digest"], _digest(session, guest.email, code)):
        session[_CODE] = {**kept, "attempts": kept["attempts"] + 1}
        return Answer.WRONG
    session.pop(_CODE)
    session[_PROVEN] = guest.email.lower()
    return Answer.RIGHT


def is_proven(session: SessionBase, email: str) -> bool:
    return bool(session.get(_PROVEN) == email.lower())


def record_of(guest: Details, *, now: datetime) -> Patient:
    """The record of a guest whose address is proven: theirs from before, or a new one.

    Never one that belongs to an account, and nothing tells whether there is one.
    """
    patient, is_new = registration.record_of(asdict(guest), _records(guest.email), now=now)
    if is_new:
        return patient
    missing = {name: value for name, value in asdict(guest).items() if value and not getattr(patient, name)}
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
    if own is None or own.appointments.exists() or own.coverages.exists() or own.birth_date is None:
        return
    records = _records(user.email).select_for_update().filter(birth_date=own.birth_date)
    former = next((each for each in records if _name(each) == _name(own)), None)
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
    return joined(patient.given), joined(patient.family)


def _digest(session: SessionBase, email: str, code: str = "") -> str:
    proven = f"{guest_secret(session)}:{email.lower()}:{code}"
    return salted_hmac("portal.guests", proven, algorithm="sha256").hexdigest()
