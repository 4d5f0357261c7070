"""Views of "My details": what the clinic knows of a patient, changed by the patient or by those who care for them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.country import clinic_zone
from clinic.models import CardPhoto, Coverage, Patient
from portal.common import form_drafts
from portal.common.callers import caller_of, patient_required, sign_in_for
from portal.details import summary
from portal.details.forms import AddressForm, CoverageForm, IdentityForm, NeedsForm, PhotoForm
from portal.details.patient_pages import of_patient
from scheduling import access
from scheduling.errors import NotFound, SchedulingError
from scheduling.interactions import coverage as coverages
from scheduling.interactions import details as use_cases


@never_cache
@patient_required
@require_GET
def index(request: HttpRequest, patient_id: str = "") -> HttpResponse:
    """Show the details in sections, each with a link to change it."""
    caller = caller_of(request)
    own = caller.confided_patients
    patient = next((each for each in own if each.fhir_id == patient_id), None) if patient_id else caller.patient
    if patient is None:
        raise Http404
    details = summary.read(patient, caller, now=timezone.now())
    return render(request, "portal/details/index.html", {"details": details, "everyone": own})


@require_POST
@of_patient
def confirm(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Record that everything is still right."""
    use_cases.confirm_details(patient.fhir_id, caller=caller_of(request), now=timezone.now())
    messages.success(request, _("Thank you. We will ask again in a while."))
    return redirect("portal:details-of", patient.fhir_id)


@require_http_methods(["GET", "POST"])
@of_patient
@form_drafts.page
def identity(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Change the name and the birth date. The clinic decides about what it has verified."""
    form = form_drafts.form(request, IdentityForm, initial=IdentityForm.initial_of(patient))

    def save(now: datetime, version: int) -> str:
        change = use_cases.change_identity(
            patient.fhir_id, form.identity, caller=caller_of(request), now=now, version=version
        )
        return _("The clinic will check the change and then make it.") if change else ""

    return _section(request, patient, form, _("Name and date of birth"), save)


@require_http_methods(["GET", "POST"])
@of_patient
@form_drafts.page
def address(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Change the postal address."""
    form = form_drafts.form(request, AddressForm, initial=AddressForm.initial_of(patient))
    return _section(request, patient, form, _("Address"), _saver(request, patient, lambda _now: form.changes(patient)))


@require_http_methods(["GET", "POST"])
@of_patient
@form_drafts.page
def needs(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Change what the patient needs at the clinic."""
    form = form_drafts.form(request, NeedsForm, initial=NeedsForm.initial_of(patient))
    return _section(request, patient, form, _("Access and interpreter"), _saver(request, patient, form.changes))


@require_http_methods(["GET", "POST"])
@of_patient
@form_drafts.page
def new_coverage(request: HttpRequest, patient: Patient) -> HttpResponse:
    """Add insurance, then go on to the photos of its card."""
    form = form_drafts.form(request, CoverageForm, day=_today())
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        added = coverages.add_coverage(patient, form.card, caller=caller_of(request), now=timezone.now())
        return redirect("portal:details-card", patient.fhir_id, added.fhir_id)
    return _page(request, patient, form, _("Add insurance"))


@require_http_methods(["GET", "POST"])
@of_patient
@form_drafts.page
def coverage(request: HttpRequest, patient: Patient, coverage_id: str) -> HttpResponse:
    """Change what is on the card. The clinic checks it again."""
    known = _coverage(request, patient, coverage_id)
    form = form_drafts.form(request, CoverageForm, day=_today(), initial=CoverageForm.initial_of(known))

    def save(now: datetime, version: int) -> str:
        coverages.change_coverage(coverage_id, form.changes, caller=caller_of(request), now=now, version=version)
        return ""

    return _section(request, patient, form, _("Insurance"), save, row=known)


@require_http_methods(["GET", "POST"])
@of_patient
def end_coverage(request: HttpRequest, patient: Patient, coverage_id: str) -> HttpResponse:
    """Ask, then end an insurance that the patient does not have any more."""
    known = _coverage(request, patient, coverage_id)
    if request.method == "POST":
        coverages.end_coverage(coverage_id, caller=caller_of(request), now=timezone.now())
        messages.success(request, _("The insurance is removed."))
        return _back(patient, "insurance")
    return render(request, "portal/details/end_coverage.html", {"patient": patient, "coverage": known})


@require_http_methods(["GET", "POST"])
@of_patient
@form_drafts.page
def card(request: HttpRequest, patient: Patient, coverage_id: str) -> HttpResponse:
    """Take or remove the photos of the card."""
    known = _coverage(request, patient, coverage_id)
    form = form_drafts.form(request, PhotoForm)
    if request.method == "POST" and _keep_photos(request, known, form):
        form_drafts.done(request)
        messages.success(request, _("Your changes are saved."))
        return _back(patient, "insurance") if request.FILES else redirect(request.path)
    photos = {photo.side for photo in known.photos.defer("image")}
    context = {"patient": patient, "coverage": known, "form": form, "photos": photos, "sides": CardPhoto.Side}
    return render(request, "portal/details/card.html", context)


@never_cache
@require_GET
def photo(request: HttpRequest, patient_id: str, coverage_id: str, side: str) -> HttpResponse:
    """Return the photo of one side of a card, to the patient, their carers and staff who see the coverage."""
    if caller_of(request).user is None:
        return sign_in_for(request.get_full_path())
    try:
        image = coverages.read_photo(coverage_id, side, caller=caller_of(request), now=timezone.now())
    except NotFound:
        raise Http404 from None
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": f'inline; filename="card-{side}.jpg"'}
    return HttpResponse(image, content_type="image/jpeg", headers=headers)


def _keep_photos(request: HttpRequest, known: Coverage, form: PhotoForm) -> bool:
    """Store the photos that were sent, or remove one. Without success the form has the errors."""
    caller, now = caller_of(request), timezone.now()
    if side := request.POST.get("remove"):
        coverages.remove_photo(known.fhir_id, side, caller=caller, now=now)
        return True
    form.files = request.FILES
    if not request.FILES:
        form.add_error(None, _("Choose a photo."))
    for side in CardPhoto.Side.values:
        upload = request.FILES.get(side)
        if upload is None:
            continue
        try:
            coverages.add_photo(known.fhir_id, side, upload.read(), caller=caller, now=now)
        except SchedulingError as refusal:
            form.add_error(side, str(refusal))
    return not form.errors


def _saver(
    request: HttpRequest, patient: Patient, changes: Callable[[datetime], Mapping[str, Any]]
) -> Callable[[datetime, int], str]:
    def save(now: datetime, version: int) -> str:
        use_cases.change_details(patient.fhir_id, changes(now), caller=caller_of(request), now=now, version=version)
        return ""

    return save


def _section(
    request: HttpRequest,
    patient: Patient,
    form: Form,
    heading: str,
    save: Callable[[datetime, int], str],
    *,
    row: Coverage | None = None,
) -> HttpResponse:
    """Show the form of a section and save it. Nothing is saved over a change that was made meanwhile."""
    shown = row or patient
    if request.method == "POST" and form.is_valid():
        try:
            version = request.POST.get("version", "")
            said = save(timezone.now(), int(version) if version.isdecimal() else shown.version)
        except SchedulingError as refusal:
            form.add_error(None, str(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, said or _("Your changes are saved."))
            return _back(patient, "insurance" if row else "")
    return _page(request, patient, form, heading, version=shown.version, coverage=row)


def _page(request: HttpRequest, patient: Patient, form: Form, heading: str, **more: Any) -> HttpResponse:
    context = {"patient": patient, "form": form, "heading": heading, **more}
    return render(request, "portal/details/section.html", context)


def _back(patient: Patient, section: str = "") -> HttpResponse:
    address = reverse("portal:details-of", args=[patient.fhir_id])
    return redirect(f"{address}#{section}" if section else address)


def _coverage(request: HttpRequest, patient: Patient, coverage_id: str) -> Coverage:
    rows = access.visible(Coverage, caller_of(request)).filter(beneficiary=patient, deleted_at=None)
    known: Coverage | None = rows.filter(fhir_id=coverage_id, status=Coverage.Status.ACTIVE).first()
    if known is None:
        raise Http404
    return known


def _today() -> Any:
    return timezone.now().astimezone(clinic_zone()).date()
