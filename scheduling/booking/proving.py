"""Who comes by a manage link proves to be the patient, or close to them."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.models import AuditEvent
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
    appointment = locked(appointment_id, caller)
    recent = AuditEvent.objects.filter(appointment=appointment, subtype=WRONG, recorded__gt=now - FORGIVEN_AFTER)
    if recent.count() >= TRIES:
        raise RuleBroken(_("That was wrong too often. Try again in an hour, or call the clinic."))
    if appointment.patient is not None and appointment.patient.birth_date == born:
        return True
    audit(WRONG, appointment, caller=caller, now=now)
    return False
