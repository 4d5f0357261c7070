"""Views of a patient's record for staff: everything about them, and the form for who they are."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import time_text
from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import AuditEvent, Coverage, Patient
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures, form_drafts
from portal.common.callers import any_staff_required, caller_of, staff_required
from portal.staff.back_link import back_of
from portal.staff.patients import downloads, record
from portal.staff.patients.forms import ListsForm, PatientForm
from portal.staff.patients.lists import PatientLists
from portal.staff.visits import coverage_checks
from portal.staff.visits.forms import CoverageCheckForm, NoteForm
from scheduling import access
from scheduling.errors import SchedulingError, VersionConflict
from scheduling.interactions.details import change_record


@staff_required
@require_GET
def patient(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Show the record: who they are, flags, notes, visits, coverage, answers, messages, payments and audit log."""
    caller, now = caller_of(request), timezone.now()
    if csv_lists.is_wanted(request):
        return _download(request, patient_id, now)
    query = ListsForm(request.GET)
    pages = {name: query.value(name) or 1 for name in record.LISTS}
    found = record.read(caller, patient_id, now=now, pages=pages)
    if found is None:
        raise Http404
    disclosures.opened(caller, found.patient, now=now)
    context = {
        "record": found,
        "note_form": NoteForm(),
        "returns": back_of(request),
        "may_edit": access.may_flag(caller),
        "handles_data": access.handles_personal_data(caller),
        "may_check": access.may_verify_coverage(caller),
        "zone": clinic_zone(),
        "back": request.get_full_path(),
    }
    return render(request, "portal/staff/patients/patient.html", context)


def _download(request: HttpRequest, patient_id: str, now: datetime) -> HttpResponse:
    lists = PatientLists(_patient(request, patient_id), caller_of(request), now)
    found = downloads.list_of_patient(lists, request.GET.get("of", ""))
    if found is None:
        raise Http404
    return csv_lists.download(request, *found, now=now)


@staff_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def edit(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Change the name, birth date, contact data and flags."""
    caller, now = caller_of(request), timezone.now()
    known = _patient(request, patient_id)
    if not access.may_flag(caller):
        raise PermissionDenied
    disclosures.opened(caller, known, now=now)
    form = form_drafts.form(request, PatientForm, initial=PatientForm.initial_of(known))
    if request.method == "POST" and form.is_valid():
        version = form.cleaned_data["version"]
        try:
            change_record(patient_id, form.identity, form.changes, caller=caller, now=now, version=version)
        except VersionConflict:
            form.add_error(None, _changed_meanwhile(known, form))
            # What was typed is kept, and sent again it overwrites the version that the error describes.
            posted = request.POST.copy()
            posted["version"] = str(known.version)
            request.POST = posted  # type: ignore[assignment]
        except SchedulingError as refusal:
            form.add_error(None, str(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("Your changes are saved."))
            return redirect("portal:staff-patient", patient_id)
    return render(request, "portal/staff/patients/edit.html", {"patient": known, "form": form})


@any_staff_required
@require_POST
def check_coverage(request: HttpRequest, patient_id: str, coverage_id: str) -> HttpResponse:
    """Verify or reject a coverage of the patient, who is told."""
    known, form = _patient(request, patient_id), CoverageCheckForm(request.POST)
    caller, now = caller_of(request), timezone.now()
    rows = access.visible(Coverage, caller).filter(beneficiary=known, deleted_at=None)
    if not form.is_valid() or not rows.filter(fhir_id=coverage_id).exists():
        raise Http404
    try:
        messages.success(request, coverage_checks.decide(form, coverage_id, caller=caller, now=now))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect(f"{reverse('portal:staff-patient', args=[patient_id])}#insurance")


def _patient(request: HttpRequest, patient_id: str) -> Patient:
    return get_object_or_404(access.staff_patients(caller_of(request)), fhir_id=patient_id)


def _changed_meanwhile(patient: Patient, form: PatientForm) -> str:
    """Say who has changed the record since the form was opened, and what it has now where the form differs."""
    changes = AuditEvent.objects.filter(patient=patient, target__startswith=f"{patient.reference}/", action="U")
    last = changes.select_related("user").order_by("-recorded", "-pk").first()
    who = last.user.display_name if last and last.user else _("Somebody")
    when = time_text.day_and_time(in_zone(last.recorded if last else patient.last_updated, clinic_zone()))
    typed: dict[str, Any] = {**form.identity, **form.changes}
    values = {name: getattr(patient, name) for name in typed}
    others = [f"{_label(form, name)}: {_field_text(value)}" for name, value in values.items() if typed[name] != value]
    text = _("%(who)s changed this record on %(when)s. Check it and save again to overwrite that.")
    text %= {"who": who, "when": when}
    return f"{text} {_('It says now: %(values)s') % {'values': ', '.join(others)}}" if others else text


def _label(form: PatientForm, column: str) -> str:
    return str(form["birth_date" if column == "born" else column].label)


def _field_text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value or "\u2013")
