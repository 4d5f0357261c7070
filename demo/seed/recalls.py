"""Recalls of the demo: patients who are to be seen again, soon and later, and a service whose visits make them."""

from datetime import date, datetime, timedelta

from clinic.models import Appointment, HealthcareService, Task

RULE = ("diabetes-check", 3)  # the service, and after how many months
IN_DAYS = (-3, 10, 40, 90)
TOLD = timedelta(days=20)
NOTE = "Blood test a week before"


def make_recalls(now: datetime) -> None:
    """Make the rule of a service, and recalls after visits that took place: the first was told, and did not book."""
    service, months = RULE
    HealthcareService.objects.filter(fhir_id=service).update(recall_months=months)
    done = Appointment.objects.filter(status=Appointment.Status.FULFILLED, patient__isnull=False)
    visits = done.exclude(service__fhir_id=service).exclude(service=None).order_by("patient_id", "-start")
    latest = list(visits.distinct("patient_id").select_related("patient", "service")[: len(IN_DAYS)])
    Task.objects.bulk_create(
        _recall(visit, now.date() + timedelta(days=days), now) for visit, days in zip(latest, IN_DAYS, strict=False)
    )


def _recall(visit: Appointment, due: date, now: datetime) -> Task:
    is_overdue = due <= now.date()
    return Task(
        status=Task.Status.IN_PROGRESS if is_overdue else Task.Status.REQUESTED,
        patient=visit.patient,
        service=visit.service,
        appointment=visit,
        due=due,
        note=NOTE,
        authored=now - timedelta(minutes=1),
        messages=3 if is_overdue else 0,
        next_message=None if is_overdue else now + TOLD,
        last_updated=now,
    )
