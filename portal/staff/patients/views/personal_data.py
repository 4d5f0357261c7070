"""Views of everything about a patient for managers: a copy, what would be deleted, the deletion, and its reports."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from clinic.models import Patient
from portal.common import disclosures, form_drafts
from portal.common.callers import caller_of, staff_required
from portal.staff.patients.forms import DeclineErasureForm, EraseForm, ReportsForm
from scheduling import access, personal_data
from scheduling.errors import SchedulingError

SIZE = 20


@staff_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def erase(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Show what would be deleted and what would stay, and delete it once the name is typed."""
    patient, now = _patient(request, patient_id), timezone.now()
    caller = caller_of(request)
    disclosures.opened(caller, patient, now=now)
    form = form_drafts.form(request, EraseForm, name=str(patient))
    if request.method == "POST" and form.is_valid():
        try:
            done = personal_data.erase(patient_id, caller=caller, now=now)
        except SchedulingError as refusal:
            for issue in refusal.issues:
                form.add_error(None, issue.text)
        else:
            form_drafts.done(request)
            messages.success(request, _("Everything about this patient is deleted. This is the report."))
            return redirect(f"{reverse('portal:staff-erasures')}#report-{done.pk}")
    context = {
        "patient": patient,
        "form": form,
        "erasable": personal_data.preview(patient, now=now),
        "request_of_patient": personal_data.waiting_requests(caller).filter(patient=patient).first(),
    }
    return render(request, "portal/staff/patients/data.html", context)


@never_cache
@staff_required  # type: ignore[arg-type]  # the answer is a file that is streamed
@require_GET
def export(request: HttpRequest, patient_id: str) -> HttpResponseBase:
    """Return everything about the patient as one file, in the patient's language."""
    patient = _patient(request, patient_id)
    with translation.override(patient.language or settings.LANGUAGE_CODE):
        file = personal_data.export(patient, caller=caller_of(request), now=timezone.now())
    return FileResponse(file, as_attachment=True, filename="data.zip", content_type="application/zip")


@staff_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def decline(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Decline the patient's request, with the reason that they read."""
    patient, caller, now = _patient(request, patient_id), caller_of(request), timezone.now()
    disclosures.opened(caller, patient, now=now)
    form = form_drafts.form(request, DeclineErasureForm)
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        try:
            personal_data.decline_erasure(patient_id, form.cleaned_data["reason"], caller=caller, now=now)
        except SchedulingError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The request is declined. The patient reads why."))
        return redirect("portal:staff-patient-data", patient_id)
    return render(request, "portal/staff/patients/decline_erasure.html", {"patient": patient, "form": form})


@staff_required
@require_GET
def reports(request: HttpRequest) -> HttpResponse:
    """Show the reports of what was deleted, the latest first. They name nobody."""
    _require_handles(request)
    number = ReportsForm(request.GET).value("page") or 1
    first = (number - 1) * SIZE
    found = list(personal_data.reports(caller_of(request))[first : first + SIZE + 1])
    context = {
        "reports": [(done, personal_data.report_of(done)) for done in found[:SIZE]],
        "newer": f"?{urlencode({'page': number - 1})}" if number > 1 else "",
        "older": f"?{urlencode({'page': number + 1})}" if len(found) > SIZE else "",
    }
    return render(request, "portal/staff/patients/erasures.html", context)


def _patient(request: HttpRequest, patient_id: str) -> Patient:
    _require_handles(request)
    return get_object_or_404(access.staff_patients(caller_of(request)), fhir_id=patient_id)


def _require_handles(request: HttpRequest) -> None:
    if not access.handles_personal_data(caller_of(request)):
        raise PermissionDenied
