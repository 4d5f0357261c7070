"""New and returning patients: the one definition, for services that are for either, limits, plug-ins and pages.

A patient returns after a visit that took place, at the clinic or, with RETURNING_BY_SPECIALTY, to a service of the same
specialty, and not longer ago than RETURNING_YEARS. Staff can record that a patient returns, whatever visits there are.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from clinic.models import Appointment, AppointmentPatient, HealthcareService, Patient
from scheduling.core.intervals import Span, merge, subtract
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


def spans_as_new(patients: Sequence[Patient], service: HealthcareService, window: Span) -> list[Span]:
    """The spans of the window in which a visit of these patients counts as one of new patients: those in which one of
    them is new, as `is_new` says. Without a patient it is all of it: whoever it will be may be new.

    One statement at most for each patient.
    """
    spans = [window] if not patients else []
    for patient in patients:
        spans += subtract([window], _spans_of_return(patient, service, window))
    return merge(spans)


def _spans_of_return(patient: Patient, service: HealthcareService, window: Span) -> list[Span]:
    """The spans in which the patient is a returning one."""
    if patient.returning:
        return [window]
    earlier = _took_place(service).filter(of_patient(patient.pk), start__lt=datetime.fromtimestamp(window[1], UTC))
    if settings.RETURNING_WITHIN is None:
        first = earlier.order_by("start").values_list("start", flat=True).first()
        return [] if first is None else [(int(first.timestamp()) + 1, window[1])]
    within = int(settings.RETURNING_WITHIN.total_seconds())
    recent = earlier.filter(start__gte=datetime.fromtimestamp(window[0] - within, UTC)).values_list("start", flat=True)
    starts = [int(start.timestamp()) for start in recent if start is not None]
    return merge((start + 1, start + within + 1) for start in starts)


def counted_as_new(service: HealthcareService) -> Q:
    """Condition for visits to the service that count as those of new patients, as `spans_as_new` says: holds too whose
    patient is not named yet.
    """
    return Q(patient=None) | of_new_patients(service)


def of_new_patients(service: HealthcareService) -> Q:
    """Condition for visits to the service to which a patient comes who is a new one at their start."""
    others = AppointmentPatient.objects.filter(
        _is_new(service, patient="patient", start="appointment__start"), appointment=OuterRef("pk"), has_left=False
    )
    return _is_new(service, patient="patient", start="start") | Q(Exists(others))


def _is_new(service: HealthcareService, *, patient: str, start: str) -> Q:
    """Condition for rows whose patient is a new one at their start; both are named by their paths."""
    earlier = _took_place(service).filter(start__lt=OuterRef(start))
    if settings.RETURNING_WITHIN is not None:
        earlier = earlier.annotate(counts_until=F("start") + settings.RETURNING_WITHIN)
        earlier = earlier.filter(counts_until__gte=OuterRef(start))
    alone = earlier.filter(patient=OuterRef(patient))
    with_others = earlier.filter(other_patients__patient=OuterRef(patient), other_patients__has_left=False)
    known = {f"{patient}__isnull": False, f"{patient}__returning": False}
    return Q(~Exists(alone), ~Exists(with_others), **known)


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
