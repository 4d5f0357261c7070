"""The proof that whoever comes by a manage link is the patient, or close to them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import phones
from clinic.models import AuditEvent, Patient
from scheduling.access import Caller
from scheduling.booking.appointments import audit, locked
from scheduling.booking.once import refusals
from scheduling.errors import RuleBroken

TRIES = 5
FORGIVEN_AFTER = timedelta(hours=1)
WRONG = "wrong birth date"


class Proof(Enum):
    """Proof that somebody who has a visit's link knows the patient: one for each, so that nobody has two to guess."""

    BIRTH_DATE = auto()
    PHONE = auto()
    CODE = auto()


def proof_of(patient: Patient | None) -> Proof:
    """Return what is asked for: the day of birth; where it is not known, the telephone number; without one, a code.

    A year alone would be guessed in a few hours; a number is harder to guess than a date. A code goes to the address
    that the link went to, so that it lets in nobody to whom the link was merely passed on.
    """
    if patient is None or patient.birth_date is not None:
        return Proof.BIRTH_DATE
    return Proof.PHONE if phones.dialled(patient.phone) else Proof.CODE


@refusals()
@transaction.atomic(durable=True)
def is_birth_date(appointment_id: str, born: date, *, caller: Caller, now: datetime) -> bool:
    """True if the patient of the visit was born then.

    A wrong date is written down. Raises RuleBroken after five of them within an hour, so that nobody tries them all.
    """
    return _is_right(appointment_id, Proof.BIRTH_DATE, lambda patient: patient.birth_date == born, caller, now)


@refusals()
@transaction.atomic(durable=True)
def is_own_phone(appointment_id: str, number: str, *, caller: Caller, now: datetime) -> bool:
    """True if it is the telephone number of the visit's patient, whose day of birth is not known. Tries count alike."""
    dialled = phones.dialled(number)
    return _is_right(
        appointment_id, Proof.PHONE, lambda patient: phones.dialled(patient.phone) == dialled != "", caller, now
    )


@refusals()
@transaction.atomic(durable=True)
def is_own_code(appointment_id: str, is_right: Callable[[], bool], *, caller: Caller, now: datetime) -> bool:
    """True if a code that was sent to the addresses of the visit's patient is right. Tries count alike.

    Only where the clinic knows neither the day of birth nor a number. `is_right` is not asked after too many tries.
    """
    return _is_right(appointment_id, Proof.CODE, lambda _patient: is_right(), caller, now)


def _is_right(
    appointment_id: str, proof: Proof, check: Callable[[Patient], bool], caller: Caller, now: datetime
) -> bool:
    appointment = locked(appointment_id, caller)
    recent = AuditEvent.objects.filter(appointment=appointment, subtype=WRONG, recorded__gt=now - FORGIVEN_AFTER)
    if recent.count() >= TRIES:
        raise RuleBroken(_("Too many wrong attempts. Try again in an hour, or call the clinic."))
    if appointment.patient is not None and proof_of(appointment.patient) == proof and check(appointment.patient):
        return True
    audit(WRONG, appointment, caller=caller, now=now)
    return False
