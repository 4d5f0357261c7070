"""The view that searches for patients, and for internal notes by their words."""

from itertools import chain

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clinic import people_search
from clinic.models import Patient, PatientNote
from portal.common import csv_lists, disclosures
from portal.common.callers import any_staff_required, caller_of
from portal.staff.patients.downloads import PATIENTS
from portal.staff.patients.forms import SearchForm
from scheduling import access
from scheduling.interactions import duplicates, patient_notes

LEAST_LETTERS = 2
MOST, MOST_NOTES = 20, 10
FEW = 5  # patients: if fewer are found, similar names are shown too


@any_staff_required
@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Find patients by anything that is known of them. What is typed is never part of an address.

    To a script the response is the form for its dialog, or the list alone.
    """
    caller, now = caller_of(request), timezone.now()
    in_dialog = bool(getattr(request, "htmx", False))
    form = SearchForm(request.POST if request.method == "POST" else None, auto_id="find_%s" if in_dialog else "id_%s")
    context: dict[str, object] = {"form": form}
    if not in_dialog and duplicates.may_decide(caller):
        context |= {"may_merge": True, "duplicates": duplicates.open_pairs(caller).count()}
    context["handles_data"] = not in_dialog and access.handles_personal_data(caller)
    if form.is_valid() and len(typed := form.cleaned_data["search"]) >= LEAST_LETTERS:
        matching = people_search.find(access.staff_patients(caller), typed)
        found = list(matching[: MOST + 1])
        similar: list[Patient] = []
        if len(found) < FEW:
            near = people_search.find_near(access.staff_patients(caller), typed, most=FEW)
            similar = [patient for patient in near if patient not in found]
        if csv_lists.is_wanted(request):
            every = matching.iterator(chunk_size=csv_lists.AT_ONCE)
            return csv_lists.download(request, PATIENTS, chain(every, similar), now=now)
        notes: list[PatientNote] = []
        if not in_dialog:
            notes = list(patient_notes.search_notes(typed, caller=caller)[:MOST_NOTES])
        shown = {patient.pk for patient in [*found[:MOST], *similar]} | {note.patient_id for note in notes}
        disclosures.listed_patients(caller, shown, "patient finder", now=now)
        context |= {"found": found[:MOST], "similar": similar, "has_more": len(found) > MOST, "notes": notes}
    page = "search"
    if in_dialog:
        page = "_found" if request.method == "POST" else "_dialog"
    return render(request, f"portal/staff/patients/{page}.html", context)
