"""The patient of a visit that staff book: found, chosen, or registered with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from clinic.models import Patient
from portal.common import disclosures
from portal.common.callers import caller_of
from portal.staff.calendar import requested_visits
from portal.staff.calendar.parameters import is_search
from portal.staff.calendar.patient_forms import PatientChoiceForm
from scheduling import access
from scheduling.interactions import registration

LEAST_LETTERS = 2
FIRST, MOST, COUNTED = 8, 50, 500  # patients found: listed at first, listed on request, counted


@dataclass(frozen=True, slots=True)
class Matches:
    """The listed patients of a search, and the number of all matches. `similar` if their names only resemble it."""

    patients: list[Patient]
    total: int
    similar: bool

    @property
    def others(self) -> int:
        return min(self.total, COUNTED) - len(self.patients)

    @property
    def has_uncounted(self) -> bool:
        return self.total > COUNTED

    @property
    def can_show_more(self) -> bool:
        return self.others > 0 and len(self.patients) < MOST


def chosen_patient(request: HttpRequest, form: PatientChoiceForm) -> Patient | None:
    """Return the patient that the form names, if the caller may see them."""
    patient_id = form["patient"].value()
    if not patient_id or "forget" in request.POST:
        return None
    return access.visible(Patient, caller_of(request)).filter(fhir_id=patient_id, deleted_at=None).first()


def alike(request: HttpRequest, form: PatientChoiceForm, now: datetime) -> list[Patient]:
    """Return the patients who may be the same person, unless staff have confirmed that they are different people."""
    caller = caller_of(request)
    found = registration.similar_patients(form.new_patient, access.visible(Patient, caller))
    if {each.fhir_id for each in found} <= _different(request):
        return []
    disclosures.listed(caller, found, "patient finder", now=now)
    return found


def register(request: HttpRequest, form: PatientChoiceForm, now: datetime) -> Patient:
    """Register the new patient; if a colleague has just registered the same person, return that record."""
    rows = access.visible(Patient, caller_of(request)).exclude(fhir_id__in=_different(request))
    patient, _is_new = registration.find_or_register(form.new_patient, rows, now=now)
    return patient


def choice_of(request: HttpRequest, form: PatientChoiceForm, now: datetime) -> dict[str, Any]:
    """Return the context of the fields of the patient: who is chosen, or who was found."""
    return {
        "patient": chosen_patient(request, form),
        "different": request.POST.get("different", ""),
        "matches": matches(request, now) if is_search(request) or "more" in request.POST else None,
    }


def matches(request: HttpRequest, now: datetime) -> Matches | None:
    """Return the matches of the search, or None if too little was typed."""
    typed = request.POST.get("search", "").strip()
    if len(typed) < LEAST_LETTERS:
        return None
    found = requested_visits.find_patients(caller_of(request), typed)
    limit = MOST if "more" in request.POST else FIRST
    patients = list(found[: limit + 1])
    similar = not patients
    if similar:
        patients = requested_visits.find_similar(caller_of(request), typed, most=FIRST)
    total = len(patients) if len(patients) <= limit else found.order_by().values("pk")[: COUNTED + 1].count()
    disclosures.listed(caller_of(request), patients[:limit], "patient finder", now=now)
    return Matches(patients[:limit], total, similar=similar)


def _different(request: HttpRequest) -> set[str]:
    return set(request.POST.get("different", "").split(","))
