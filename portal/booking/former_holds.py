"""The hold of this browser that a new one replaces, and the patient of that hold."""

from datetime import datetime

from django.http import HttpRequest

from clinic.models import Appointment, HealthcareService, Patient
from portal.appointments import visits
from portal.appointments.visits import Visit
from portal.booking import holds, steps
from scheduling.access import Caller


def former_hold(request: HttpRequest, named: str, caller: Caller, now: datetime) -> Visit | None:
    """Return the hold that this one replaces: the one named in the form, else the latest of this browser."""
    fhir_id = named or holds.latest(request.session)
    former = visits.one(caller, fhir_id, now=now) if fhir_id else None
    return None if former is None or former.is_promised else former


def patient_of(former: Visit | None, service: HealthcareService, caller: Caller) -> Patient | None:
    """Return the patient of the former hold for the same service, else the only person the caller can book for.

    A hold for another service is a new visit, so its patient is asked again.
    """
    if former and former.appointment.service == service and steps.is_for_own(former.appointment, caller):
        return former.appointment.patient
    return caller.only_patient


def held_with(former: Visit | None) -> list[int]:
    """Return the primary keys of a hold that still lasts and of what is held together with it."""
    if former is None or not former.is_held:
        return []
    if former.appointment.series is None:
        return [former.appointment.pk]
    together = Appointment.objects.filter(series=former.appointment.series, hold_expires_at__gt=former.now)
    return list(together.values_list("pk", flat=True))
