"""Checks that the holder of a manage link is the patient or close to them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from clinic import phones
from clinic.models import AuditEvent, Patient, ServiceRequest
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.booking.transitions import audit, locked
from scheduling.errors import RuleBroken
from scheduling.participants import PATIENT, is_group, patient_named

TRIES = 5
FORGIVEN_AFTER = timedelta(hours=1)
WRONG = "wrong birth date"
TOO_MANY_TRIES = _("Too many wrong attempts. Try again in an hour, or call the clinic.")


class Proof(Enum):
    """Proof that the holder of a manage link knows the patient: one kind for each visit, so there is nothing else to
    guess.
    """

    BIRTH_DATE = auto()
    PHONE = auto()
    CODE = auto()


def proof_of(patient: Patient | None) -> Proof:
    """The proof that is asked for: the birth date, else the telephone number, else a code.

    A year alone could be guessed in a few hours; a number is harder to guess than a date. A code goes to the address of
    the link, so that somebody to whom the link was only forwarded cannot use it.
    """
    if patient is None or patient.birth_date is not None:
        return Proof.BIRTH_DATE
    return Proof.PHONE if phones.dialled(patient.phone) else Proof.CODE


@refusals()
@transaction.atomic(durable=True)
def is_birth_date(appointment_id: str, born: date, *, caller: Caller, now: datetime) -> bool:
    """True if this is the birth date of the visit's patient.

    A wrong date is recorded. Raises RuleBroken after five wrong attempts within an hour.
    """
    return _is_right(appointment_id, Proof.BIRTH_DATE, lambda patient: patient.birth_date == born, caller, now)


@refusals()
@transaction.atomic(durable=True)
def is_own_phone(appointment_id: str, number: str, *, caller: Caller, now: datetime) -> bool:
    """True if this is the phone number of the visit's patient, whose birth date is unknown. Attempts count as in
    `is_birth_date`.
    """
    dialled = phones.dialled(number)
    return _is_right(
        appointment_id, Proof.PHONE, lambda patient: phones.dialled(patient.phone) == dialled != "", caller, now
    )


@refusals()
@transaction.atomic(durable=True)
def is_own_code(appointment_id: str, is_right: Callable[[], bool], *, caller: Caller, now: datetime) -> bool:
    """True if the code sent to the visit's patient is right. Attempts count as in `is_birth_date`.

    Only for patients without a birth date and number on record. `is_right` is not called after too many attempts.
    """
    return _is_right(appointment_id, Proof.CODE, lambda _patient: is_right(), caller, now)


@refusals()
@transaction.atomic(durable=True)
def is_birth_date_of_referral(referral_id: str, born: date, *, caller: Caller, now: datetime) -> bool:
    """True if this is the birth date of the patient of a referral. Attempts count as in `is_birth_date`."""
    referral = ServiceRequest.objects.select_for_update(no_key=True, of=("self",)).get(fhir_id=referral_id)
    wrong = AuditEvent.objects.filter(target=referral.reference, subtype=WRONG, recorded__gt=now - FORGIVEN_AFTER)
    if wrong.count() >= TRIES:
        raise RuleBroken(str(TOO_MANY_TRIES))
    if referral.patient is not None and referral.patient.birth_date == born:
        return True
    about = {"patient_id": referral.patient_id, "target": referral.reference}
    access.audit_event(WRONG, AuditEvent.Action.UPDATE, caller=caller, now=now, **about).save()
    return False


def _is_right(
    appointment_id: str, proof: Proof, check: Callable[[Patient], bool], caller: Caller, now: datetime
) -> bool:
    appointment = locked(appointment_id, caller)
    recent = AuditEvent.objects.filter(appointment=appointment, subtype=WRONG, recorded__gt=now - FORGIVEN_AFTER)
    if recent.count() >= TRIES:
        raise RuleBroken(str(TOO_MANY_TRIES))
    patient = appointment.patient
    if caller.visit_patient and is_group(appointment):
        patient = patient_named(appointment, caller.visit_patient.removeprefix(PATIENT))
    if patient is not None and proof_of(patient) == proof and check(patient):
        return True
    audit(WRONG, appointment, caller=caller, now=now)
    return False
