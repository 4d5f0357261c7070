"""View that asks what the patient of a held time needs at the clinic."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.appointments.visits import Visit
from portal.booking import steps
from portal.booking.held_pages import hold_required
from portal.common import form_drafts
from portal.common.callers import caller_of
from portal.details.forms import NeedsForm
from scheduling.interactions.details import change_details


@require_http_methods(["GET", "POST"])
@hold_required
def needs(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Ask for the needs, then go back to the summary. A guest adds them to a record that has none."""
    caller, patient = caller_of(request), visit.appointment.patient
    if patient is None or not steps.is_for_own(visit.appointment, caller):
        return redirect(steps.page_of(visit, steps.ABOUT))
    if not steps.asks_needs(visit, caller):
        return redirect(steps.page_of(visit, steps.CONFIRM))
    form = form_drafts.form(request, NeedsForm, initial=NeedsForm.initial_of(patient))
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        change_details(patient.fhir_id, form.changes(now), caller=caller, now=now)
        return redirect(steps.page_of(visit, steps.CONFIRM))
    progress = steps.progress(visit, caller, steps.CONFIRM, within=True)
    context = {"visit": visit, "form": form, "now": now, "progress": progress}
    return render(request, "portal/booking/needs.html", context)
