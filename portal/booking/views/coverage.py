"""Views that ask for the coverage of a visit whose service requires one."""

from datetime import datetime

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from clinic.models import Coverage
from portal.appointments.visits import Visit
from portal.booking import held_together, steps
from portal.booking.forms import ANOTHER, ChooseCoverageForm
from portal.booking.held_pages import hold_required
from portal.common import form_drafts
from portal.common.callers import caller_of
from portal.details.forms import CoverageForm
from scheduling import access, requirements
from scheduling.interactions.coverage import add_coverage, confirm_coverage


@require_http_methods(["GET", "POST"])
@hold_required
def coverage(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Ask which known coverage pays. If there is none, redirect to the page for a new one."""
    if not steps.is_for_own(visit.appointment, caller_of(request)):
        return redirect(steps.page_of(visit, steps.ABOUT))
    known = _known(request, visit)
    if not known:
        return redirect("portal:new-coverage", visit.id)
    chosen = steps.coverage_of(visit.appointment).partition("/")[2]
    first = chosen if any(each.fhir_id == chosen for each in known) else known[0].fhir_id
    form = form_drafts.form(request, ChooseCoverageForm, coverages=known, initial={"coverage": first})
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        if form.cleaned_data["coverage"] == ANOTHER:
            return redirect(f"{reverse('portal:new-coverage', args=[visit.id])}?another")
        coverage_id = form.cleaned_data["coverage"]
        if caller_of(request).user:
            confirm_coverage(coverage_id, caller=caller_of(request), now=now)
        return _note(request, visit, f"Coverage/{coverage_id}", now)
    return _page(request, visit, "coverage", form, now)


@require_http_methods(["GET", "POST"])
@hold_required
def new_coverage(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Ask for the details of a new coverage. What a patient entered before is kept, unless they add another one."""
    patient = visit.appointment.patient
    if patient is None or not steps.is_for_own(visit.appointment, caller_of(request)):
        return redirect(steps.page_of(visit, steps.ABOUT))
    known = _known(request, visit)
    entered = next((each for each in known if each.reference == steps.coverage_of(visit.appointment)), None)
    initial = CoverageForm.initial_of(entered) if entered and "another" not in request.GET else {}
    form = form_drafts.form(request, CoverageForm, day=requirements.day_of(visit.appointment), initial=initial)
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        added = add_coverage(patient, form.card, caller=caller_of(request), now=now)
        return _note(request, visit, added.reference, now)
    return _page(request, visit, "coverage_new", form, now, within=bool(known))


def _note(request: HttpRequest, visit: Visit, reference: str, now: datetime) -> HttpResponse:
    noted = held_together.support(visit, reference, caller=caller_of(request), now=now)
    return redirect(steps.next_page(noted, caller_of(request), after=steps.COVERAGE))


def _known(request: HttpRequest, visit: Visit) -> list[Coverage]:
    """Return the coverages that the caller may see. A guest sees only the one they entered for this visit."""
    appointment = visit.appointment
    assert appointment.patient_id is not None
    valid = requirements.coverages(appointment.patient_id, requirements.day_of(appointment))
    if caller_of(request).user is None:
        return list(valid.filter(fhir_id=steps.coverage_of(appointment).partition("/")[2]))
    return list(valid & access.visible(Coverage, caller_of(request)))


def _page(
    request: HttpRequest, visit: Visit, page: str, form: Form, now: datetime, *, within: bool = False
) -> HttpResponse:
    progress = steps.progress(visit, caller_of(request), steps.COVERAGE, within=within)
    context = {"visit": visit, "form": form, "now": now, "progress": progress}
    return render(request, f"portal/booking/{page}.html", context)
