"""View that asks whether a patient's details are still right, before the first visit of a while."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.appointments.visits import Visit
from portal.booking import steps
from portal.booking.held_pages import hold_required
from portal.common.callers import caller_of
from portal.details import summary
from scheduling.interactions.details import confirm_details


@require_http_methods(["GET", "POST"])
@hold_required
def details_check(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Show the details with one button that says that they are right. Each section leads to where it is changed."""
    caller, patient = caller_of(request), visit.appointment.patient
    if patient is None or steps.DETAILS not in steps.of(visit, caller):
        return redirect(steps.next_page(visit, caller))
    if request.method == "POST":
        visit.appointment.patient = confirm_details(patient.fhir_id, caller=caller, now=now)
        return redirect(steps.next_page(visit, caller))
    context = {
        "visit": visit,
        "details": summary.read(patient, caller, now=now),
        "now": now,
        "progress": steps.progress(visit, caller, steps.DETAILS),
    }
    return render(request, "portal/booking/details_check.html", context)
