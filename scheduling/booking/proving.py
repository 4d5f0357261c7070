"""Who comes by a manage link proves to be the patient, or close to them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

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


@refusals()
@transaction.atomic(durable=True)
def is_birth_date(appointment_id: str, born: date, *, caller: Caller, now: datetime) -> bool:
    """Whether the patient of the visit was born then.

    A wrong date is written down. Raises RuleBroken after five of them within an hour, so that nobody tries them all.
    """
    return _is_right(appointment_id, lambda patient: patient.birth_date == born, caller, now)


@refusals()
@transaction.atomic(durable=True)
def is_own_phone(appointment_id: str, number: str, *, caller: Caller, now: datetime) -> bool:
    """Whether it is the telephone number of the visit's patient, whose day of birth is not known.

    A year alone would be guessed in a few hours; a number is harder to guess than a date. Tries count alike.
    """
    return _is_right(appointment_id, lambda patient: _is_number_of(patient, number), caller, now)


def _is_number_of(patient: Patient, number: str) -> bool:
    """Not for those whose birth date is known: one proof each, so that nobody has two to guess."""
    return patient.birth_date is None and phones.dialled(number) == phones.dialled(patient.phone) != ""


def _is_right(appointment_id: str, check: Callable[[Patient], bool], caller: Caller, now: datetime) -> bool:
    appointment = locked(appointment_id, caller)
    recent = AuditEvent.objects.filter(appointment=appointment, subtype=WRONG, recorded__gt=now - FORGIVEN_AFTER)
    if recent.count() >= TRIES:
        raise RuleBroken(_("That was wrong too often. Try again in an hour, or call the clinic."))
    if appointment.patient is not None and check(appointment.patient):
        return True
    audit(WRONG, appointment, caller=caller, now=now)
    return False
