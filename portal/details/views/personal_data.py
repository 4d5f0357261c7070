"""Views of "Your data": a copy of everything that the clinic keeps about a patient, and the request to delete it."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Patient
from portal.common.callers import caller_of
from portal.details.patient_pages import of_patient
from scheduling import access, personal_data
from scheduling.errors import Forbidden, SchedulingError


@never_cache
@require_GET
@of_patient
@reauthentication_required  # type: ignore[untyped-decorator]
def index(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Show what the patient can ask for, and how far a request is."""
    _require_own(request, patient)
    context = {"patient": patient, "erasure": personal_data.latest_request(patient)}
    return render(request, "portal/details/data.html", context)


@never_cache
@require_GET
@of_patient
@reauthentication_required  # type: ignore[untyped-decorator]
def export(request: HttpRequest, patient: Patient) -> HttpResponseBase:
    """Return everything about the patient as one file."""
    _require_own(request, patient)
    file = personal_data.export(patient, caller=caller_of(request), now=timezone.now())
    return FileResponse(file, as_attachment=True, filename="my-data.zip", content_type="application/zip")


@require_http_methods(["GET", "POST"])
@of_patient
@reauthentication_required  # type: ignore[untyped-decorator]
def erase(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Say what becomes of the data, and store the request."""
    _require_own(request, patient)
    if request.method == "POST":
        personal_data.ask_erasure(patient.fhir_id, caller=caller_of(request), now=timezone.now())
        messages.success(request, _("The clinic will look at your request."))
        return redirect("portal:details-data", patient.fhir_id)
    tables = {"deleted": personal_data.DELETED, "kept": personal_data.KEPT}
    return render(request, "portal/details/erase.html", {"patient": patient, **tables})


@require_POST
@of_patient
def withdraw(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Withdraw the request."""
    _require_own(request, patient)
    try:
        personal_data.withdraw_erasure(patient.fhir_id, caller=caller_of(request), now=timezone.now())
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your request is withdrawn. Nothing is deleted."))
    return redirect("portal:details-data", patient.fhir_id)


def _require_own(request: HttpRequest, patient: Patient) -> None:
    """Raise Http404 unless the record is the caller's own, or one without an account for which they care."""
    try:
        access.may_ask_erasure(caller_of(request), patient)
    except Forbidden:
        raise Http404 from None
