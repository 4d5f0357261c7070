"""New and returning patients: the one definition, for services that are for either, limits, plug-ins and pages.

A patient returns after a visit that took place, at the clinic or, with RETURNING_BY_SPECIALTY, to a service of the same
specialty, and not longer ago than RETURNING_YEARS. Staff can record that a patient returns, whatever visits there are.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from clinic.models import Appointment, HealthcareService, Patient
from scheduling.participants import of_patient

TOOK_PLACE = ("arrived", "checked-in", "fulfilled")


def is_new(patient: Patient, service: HealthcareService, at: datetime) -> bool:
    """True if the patient is a new one for a visit to the service at this moment. One statement at most."""
    if patient.returning:
        return False
    earlier = _took_place(service).filter(of_patient(patient.pk), start__lt=at)
    if settings.RETURNING_WITHIN is not None:
        earlier = earlier.filter(start__gte=at - settings.RETURNING_WITHIN)
    return not earlier.exists()


def of_new_patients(service: HealthcareService) -> Q:
    """Condition for visits to the service whose patient was a new one at their start."""
    earlier = _took_place(service).filter(patient=OuterRef("patient"), start__lt=OuterRef("start"))
    if settings.RETURNING_WITHIN is not None:
        earlier = earlier.annotate(counts_until=F("start") + settings.RETURNING_WITHIN)
        earlier = earlier.filter(counts_until__gte=OuterRef("start"))
    return Q(~Exists(earlier), patient__isnull=False, patient__returning=False)


def _took_place(service: HealthcareService) -> QuerySet[Appointment]:
    """The visits that make a patient of the service a returning one."""
    visits = Appointment.objects.filter(status__in=TOOK_PLACE, deleted_at=None).order_by()
    return visits.filter(_of_same_specialty(service)) if settings.RETURNING_BY_SPECIALTY else visits


def _of_same_specialty(service: HealthcareService) -> Q:
    """Condition for visits to services that share a specialty with this one; all, if it has none."""
    shared = Q()
    for concept in service.specialty:
        for coding in concept.get("coding", ()):
            known = {name: coding[name] for name in ("system", "code") if name in coding}
            shared |= Q(service__specialty__contains=[{"coding": [known]}]) if known.get("code") else Q()
    return shared
