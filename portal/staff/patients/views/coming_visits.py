"""View of a patient's visits to come, to print and hand over."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_GET

from portal.appointments import visits
from portal.appointments.statuses import Status
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.back_link import back_of
from portal.staff.patients.record import MOST_TO_COME
from scheduling import access
from scheduling.participants import of_patient


@staff_required
@require_GET
def coming_visits(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Show the patient's booked visits to come that the caller works with, in the patient's language, for paper."""
    caller, now = caller_of(request), timezone.now()
    patient = get_object_or_404(access.staff_patients(caller), fhir_id=patient_id)
    disclosures.opened(caller, patient, now=now)
    booked = access.staff_appointments(caller).filter(
        of_patient(patient.pk), status=Status.BOOKED, start__gt=now, deleted_at=None
    )
    coming = visits.for_patient(booked.order_by("start", "pk")[:MOST_TO_COME], now=now)
    language = patient.language or translation.get_language()
    with translation.override(language):
        paper = render_to_string("portal/staff/patients/_coming_visits.html", {"patient": patient, "visits": coming})
    context = {"patient": patient, "returns": back_of(request), "paper": paper, "language": language, "visits": coming}
    return render(request, "portal/staff/patients/coming_visits.html", context)
