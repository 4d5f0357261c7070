"""Booking limits of patients: upcoming visits, visits a week, and new patients a day."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from clinic.country import clinic_zone
from clinic.models import Appointment, HealthcareService, Patient
from clinic.translations import Sentence, text_of
from scheduling.availability.limits import AROUND, COUNTED
from scheduling.availability.parameters import AFTER_ALL_TIME, BEFORE_ALL_TIME
from scheduling.core.intervals import Span
from scheduling.core.limits import Limits, full_days, full_weeks
from scheduling.errors import Issue
from scheduling.new_patients import is_new, of_new_patients
from scheduling.participants import of_patient

TO_COME = ("pending", "booked", "arrived", "checked-in")
MARGIN = timedelta(seconds=AROUND)


class PatientLimit(StrEnum):
    """A limit on the visits of patients to a service, named like its column."""

    TO_COME = "patient_limit"
    WEEK = "patient_week_limit"
    NEW = "new_patient_limit"


def limits_patients(service: HealthcareService) -> bool:
    """True if the service limits the visits of patients."""
    return any(getattr(service, limit) for limit in PatientLimit)


def full_for(
    service: HealthcareService,
    patient: Patient,
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    besides: Appointment | None = None,
    series: Sequence[datetime] = (),
) -> dict[PatientLimit, list[Span]]:
    """Return for each limit the spans around [start, end) in which this patient can begin no further visit.

    At most four queries, and none if the service does not limit patients. The visit `besides` does not count. The
    visits of a `series`, given by their starts, count for one another.
    """
    if not limits_patients(service):
        return {}
    visits = _visits(now).filter(service=service).exclude(pk=besides.pk if besides else 0)
    around = visits.filter(start__gte=start - MARGIN, start__lt=end + MARGIN)
    zone = clinic_zone()
    full: dict[PatientLimit, list[Span]] = {}
    if service.patient_limit is not None:
        to_come = visits.filter(of_patient(patient.pk), status__in=TO_COME, end__gt=now)
        if to_come.count() + max(len(series) - 1, 0) >= service.patient_limit:
            full[PatientLimit.TO_COME] = [(BEFORE_ALL_TIME, AFTER_ALL_TIME)]
    if service.patient_week_limit is not None:
        own = _seconds(around.filter(of_patient(patient.pk)))
        together = [int(each.timestamp()) for each in series]
        full[PatientLimit.WEEK] = full_weeks(Limits(week=service.patient_week_limit), own, zone, together)
    if service.new_patient_limit is not None and is_new(patient, service, start):
        new = _seconds(around.filter(of_new_patients(service)))
        full[PatientLimit.NEW] = full_days(Limits(day=service.new_patient_limit), new, zone)
    return full


def patient_limit_issues(
    service: HealthcareService,
    patient: Patient,
    start: datetime,
    *,
    now: datetime,
    besides: Appointment | None = None,
) -> list[Issue]:
    """An issue for each limit that keeps the patient from a visit at `start`."""
    return _issues_at(start, full_for(service, patient, start, start, now=now, besides=besides), service)


def series_limit_issues(
    service: HealthcareService, patient: Patient, starts: Sequence[datetime], *, now: datetime
) -> list[list[Issue]]:
    """Return the issues of `patient_limit_issues` for each visit of a series, given by their starts in order. As many
    queries as for one visit.
    """
    full = full_for(service, patient, starts[0], starts[-1], now=now, series=starts)
    return [_issues_at(start, full, service) for start in starts]


def _issues_at(start: datetime, full: dict[PatientLimit, list[Span]], service: HealthcareService) -> list[Issue]:
    at = start.timestamp()
    return [
        Issue("business-rule", _sentence(limit, service), "Appointment.participant")
        for limit, spans in full.items()
        if any(first <= at < last for first, last in spans)
    ]


def _visits(now: datetime) -> QuerySet[Appointment]:
    is_held = Q(hold_expires_at=None) | Q(hold_expires_at__gt=now)
    return Appointment.objects.filter(is_held, status__in=COUNTED, deleted_at=None).order_by()


def _seconds(visits: QuerySet[Appointment]) -> Iterable[int]:
    return [int(start.timestamp()) for start in visits.values_list("start", flat=True) if start is not None]


def _sentence(limit: PatientLimit, service: HealthcareService) -> Sentence:
    most = getattr(service, limit)
    texts = {
        PatientLimit.TO_COME: ngettext(
            "%(service)s: a patient can have %(count)d upcoming visit. Cancel or move it first, or call the clinic.",
            "%(service)s: a patient can have %(count)d upcoming visits. Cancel or move one first, or call the clinic.",
            most,
        ),
        PatientLimit.WEEK: ngettext(
            "%(service)s: a patient can have %(count)d visit a week. Choose another week, or call the clinic.",
            "%(service)s: a patient can have %(count)d visits a week. Choose another week, or call the clinic.",
            most,
        ),
        PatientLimit.NEW: ngettext(
            "%(service)s has room for %(count)d new patient a day. Choose another day, or call the clinic.",
            "%(service)s has room for %(count)d new patients a day. Choose another day, or call the clinic.",
            most,
        ),
    }
    return Sentence(texts[limit], service=text_of(service, "name"), count=most)
