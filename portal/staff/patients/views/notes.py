"""Views of internal notes: write, change and remove one."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic.country import clinic_zone
from clinic.models import PatientNote
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required, worker_required
from portal.staff.visits.forms import NoteForm
from scheduling import access
from scheduling.errors import NotFound, VersionConflict
from scheduling.interactions import patient_notes


@worker_required
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Write a note about the patient, or about the visit that the form names."""
    patient = get_object_or_404(access.staff_patients(caller_of(request)), fhir_id=patient_id)
    if request.method != "POST":
        return redirect(_notes_of(patient_id, ""))
    form = NoteForm(request.POST)
    if not form.is_valid():
        context = {"form": form, "patient": patient, "visit_id": request.POST.get("visit", "")}
        return render(request, "portal/staff/patients/note.html", context)
    visit_id = form.cleaned_data["visit"]
    try:
        patient_notes.write_note(
            patient_id,
            form.cleaned_data["text"],
            caller=caller_of(request),
            now=timezone.now(),
            appointment_id=visit_id,
        )
    except NotFound:
        raise Http404 from None
    messages.success(request, _("The note is saved."))
    return redirect(_notes_of(patient_id, visit_id))


@worker_required
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, note_id: int) -> HttpResponse:
    """Change a note. If a colleague has changed it meanwhile, the page shows their text and keeps what was typed."""
    caller, now = caller_of(request), timezone.now()
    note = _note(request, note_id)
    disclosures.opened(caller, note.patient, now=now)
    form = NoteForm(request.POST if request.method == "POST" else None, initial={"text": note.text})
    if form.is_valid():
        try:
            patient_notes.change_note(note_id, form.cleaned_data["text"], caller=caller, now=now)
        except VersionConflict:
            note = _note(request, note_id)
        else:
            messages.success(request, _("The note is saved."))
            return redirect(_page_of(note))
    latest = _latest(note)
    context = {"form": form, "note": note, "latest": latest, "patient": note.patient, "zone": clinic_zone()}
    return render(request, "portal/staff/patients/note.html", context)


@staff_required
@require_POST
def remove(request: HttpRequest, note_id: int) -> HttpResponse:
    """Remove a note; it stays among the former notes."""
    note = _note(request, note_id)
    try:
        patient_notes.remove_note(note_id, caller=caller_of(request), now=timezone.now())
    except VersionConflict:
        messages.error(request, _("A colleague has changed or removed this note in the meantime."))
    else:
        messages.success(request, _("The note is removed. You find it under “Changed and removed notes”."))
    return redirect(_page_of(note))


def _note(request: HttpRequest, note_id: int) -> PatientNote:
    rows = PatientNote.objects.filter(patient__in=access.staff_patients(caller_of(request)))
    return get_object_or_404(rows.select_related("patient", "appointment", "ended_by"), pk=note_id)


def _latest(note: PatientNote) -> PatientNote | None:
    """Return the note that stands in the place of one that has ended; itself if it was removed, None if it stands."""
    if note.ended is None:
        return None
    latest = note
    while (following := PatientNote.objects.select_related("author").filter(replaces=latest).first()) is not None:
        latest = following
    return latest


def _page_of(note: PatientNote) -> str:
    return _notes_of(note.patient.fhir_id, note.appointment.fhir_id if note.appointment else "")


def _notes_of(patient_id: str, visit_id: str) -> str:
    page = ("portal:staff-visit", visit_id) if visit_id else ("portal:staff-patient", patient_id)
    return f"{reverse(page[0], args=[page[1]])}#notes"
