"""Views of patients' records that may be of one person: the list, two side by side, the merge and its undoing."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Patient
from portal.common import csv_lists, disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.patients import comparison
from portal.staff.patients.downloads import DUPLICATES
from portal.staff.patients.forms import MergeForm
from scheduling import access
from scheduling.errors import Forbidden, SchedulingError, VersionConflict
from scheduling.interactions import duplicates, merging
from scheduling.interactions.merging import MergeRequest, RecordName

MOST = 50


@staff_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the pairs of records that wait for a decision, the most alike first."""
    _require_may_merge(request)
    caller, now = caller_of(request), timezone.now()
    rows = duplicates.open_pairs(caller).order_by("-score", "pk")
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, DUPLICATES, rows, now=now)
    pairs = list(rows[:MOST])
    shown = {patient.pk for pair in pairs for patient in (pair.first, pair.second)}
    disclosures.listed_patients(caller, shown, "duplicates", now=now)
    rejected = request.GET.get("rejected", "")
    return render(
        request,
        "portal/staff/patients/duplicates.html",
        {"pairs": pairs, "rejected": rejected if rejected.isdecimal() else ""},
    )


@staff_required
@require_http_methods(["GET", "POST"])
def compare(request: HttpRequest, patient_id: str, other_id: str) -> HttpResponse:
    """Show two records side by side, and merge the other one into the patient's, with the fields that are chosen."""
    _require_may_merge(request)
    caller, now = caller_of(request), timezone.now()
    target, source = (_patient(request, fhir_id) for fhir_id in (patient_id, other_id))
    if source.merged_into == target.fhir_id:
        messages.info(request, _("These records have already been merged."))
        return redirect("portal:staff-patient", target.fhir_id)
    if target.merged_into == source.fhir_id:
        messages.info(request, _("These records have already been merged."))
        return redirect("portal:staff-patient", source.fhir_id)
    disclosures.listed_patients(caller, {target.pk, source.pk}, "duplicates", now=now)
    form = MergeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        merge_request = MergeRequest(
            source=RecordName(fhir_id=source.fhir_id),
            target=RecordName(fhir_id=target.fhir_id),
            taken=comparison.taken(form.cleaned_data["take"]),
            versions=(form.cleaned_data["source_version"], form.cleaned_data["target_version"]),
        )
        try:
            merging.merge(merge_request, caller=caller, now=now)
        except VersionConflict:
            form.add_error(None, _("A colleague has changed one of the records since. Look at them again."))
        except SchedulingError as refusal:
            for issue in refusal.issues:
                form.add_error(None, issue.text)
        else:
            messages.success(request, _("The records are merged. Nothing is lost, and it can be undone here."))
            return redirect("portal:staff-patient", target.fhir_id)
    context = {
        "form": form,
        "target": target,
        "source": source,
        "fields": comparison.compare(target, source),
        "chosen": form.cleaned_data.get("take") if form.is_bound else None,
        "belongings": [comparison.belongings(target), comparison.belongings(source)],
        "pair": duplicates.open_pairs(caller).filter(first__in=[target, source], second__in=[target, source]).first(),
    }
    return render(request, "portal/staff/patients/compare.html", context)


@staff_required
@require_POST
def reject(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Mark two records as those of two people, or undo that."""
    caller, now = caller_of(request), timezone.now()
    use_case = duplicates.reopen_pair if "undo" in request.POST else duplicates.reject_pair
    try:
        pair = use_case(pair_id, caller=caller, now=now)
    except Forbidden:
        raise PermissionDenied from None
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:staff-duplicates")
    if "undo" in request.POST:
        return redirect("portal:staff-compare", pair.first.fhir_id, pair.second.fhir_id)
    return redirect(f"{reverse('portal:staff-duplicates')}?{urlencode({'rejected': pair.pk})}")


@staff_required
@require_POST
def unmerge(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Undo the merge of this record into another one."""
    _require_may_merge(request)
    source = _patient(request, patient_id)
    try:
        merging.unmerge(RecordName(fhir_id=source.fhir_id), caller=caller_of(request), now=timezone.now())
    except SchedulingError as refusal:
        messages.error(request, " ".join(issue.text for issue in refusal.issues))
    else:
        messages.success(request, _("The merge is undone. There are two records again."))
    return redirect("portal:staff-patient", source.fhir_id)


def _require_may_merge(request: HttpRequest) -> None:
    if not duplicates.may_decide(caller_of(request)):
        raise PermissionDenied


def _patient(request: HttpRequest, patient_id: str) -> Patient:
    return get_object_or_404(access.staff_patients(caller_of(request)), fhir_id=patient_id)
