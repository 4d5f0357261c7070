"""Views that ask who the visit is for, and for the proof of a guest's email address or telephone number."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from clinic.models import Patient
from portal.appointments.refusals import series_refusal_text
from portal.appointments.visits import Visit, own_visit
from portal.booking import guests, held_together, steps
from portal.booking.forms import ME, SOMEONE, ChoosePatientForm, GuestForm
from portal.booking.guests import GuestDetails
from portal.booking.held_pages import hold_required
from portal.common import codes, form_drafts
from portal.common.callers import caller_of, fresh_caller
from portal.common.codes import CodeForm
from portal.common.forms import PatientDetailsForm
from portal.family.forms import DependantForm
from scheduling import requirements
from scheduling.errors import HoldExpired, IllegalTransition, SchedulingError


@require_http_methods(["GET", "POST"])
@hold_required
def about(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Ask who the visit is for: a signed-in user chooses a person, a guest enters their details."""
    return _who(request, visit, now) if caller_of(request).user else _guest(request, visit, now)


@require_http_methods(["GET", "POST"])
@hold_required
def about_details(request: HttpRequest, visit: Visit, now: datetime, who: str) -> HttpResponse:
    """Ask for the details of a caller who has no record yet, or of somebody they care for."""
    caller = caller_of(request)
    if caller.user is None or (who == ME and caller.patient):
        return redirect(steps.page_of(visit, steps.ABOUT))
    if who not in (ME, SOMEONE):
        raise Http404
    form = form_drafts.form(request, PatientDetailsForm if who == ME else DependantForm)
    if request.method == "POST" and form.is_valid():
        if isinstance(form, DependantForm):
            patient = form.add(caller, now=now)
        else:
            patient = form.make_record(caller.user, now=now)
        if who == ME:
            guests.adopt_by_number(request.session, caller.user, now=now)
            patient = guests.record_of_account(caller.user, now=now) or patient
        form_drafts.done(request)
        refused = _name(request, visit, patient, now)
        if refused:  # the record is there now, to be chosen for another visit
            messages.error(request, refused)
            return redirect(steps.page_of(visit, steps.ABOUT))
        return redirect(_next(request, visit))
    return _page(request, visit, "about_details", form, now, who=who)


@require_http_methods(["GET", "POST"])
@hold_required
def proof(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Ask for the code that was sent to a guest. If it is right, the visit is for the guest.

    A code works once: a guest who comes back after it goes on to the next step.
    """
    guest = guests.details(request.session)
    if caller_of(request).user or guest is None:
        return redirect(steps.page_of(visit, steps.ABOUT))
    if guests.is_proven(request.session, guest):
        return _name_guest(request, visit, guest, now) if request.method == "POST" else redirect(_next(request, visit))
    if "again" in request.POST:
        return _send(request, visit, guest, now)
    form = form_drafts.form(request, CodeForm)
    if request.method == "POST" and form.is_valid() and _is_right(request, guest, form, now):
        form_drafts.done(request)
        return _name_guest(request, visit, guest, now)
    return _page(request, visit, "proof", form, now, guest=guest)


def _who(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    caller = caller_of(request)
    patient = visit.appointment.patient or caller.patient
    form = form_drafts.form(
        request,
        ChoosePatientForm,
        caller=caller,
        together=visit.appointment.series is None,
        initial={"who": patient.fhir_id if patient else None},
    )
    if request.method == "POST" and form.is_valid():
        who = form.cleaned_data["who"]
        form_drafts.done(request)
        if who in (ME, SOMEONE):
            return redirect("portal:about-details", visit.id, who)
        patient = next(each for each in caller.patients.values() if each.fhir_id == who)
        refused = _name(request, visit, patient, now)
        if not refused and form.also:
            others = urlencode({"for": [each.fhir_id for each in form.also]}, doseq=True)
            return redirect(f"{reverse('portal:also', args=[visit.id])}?{others}")
        if not refused:
            return redirect(_next(request, visit))
        form.add_error("who", refused)
    return _page(request, visit, "about", form, now)


def _guest(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    known = guests.details(request.session)
    form = form_drafts.form(request, GuestForm, initial=asdict(known) if known else None)
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        guests.remember(request.session, form.details)
        if guests.is_proven(request.session, form.details):
            return _name_guest(request, visit, form.details, now)
        return _send(request, visit, form.details, now)
    return _page(request, visit, "about_guest", form, now)


def _send(request: HttpRequest, visit: Visit, guest: GuestDetails, now: datetime) -> HttpResponse:
    codes.send(request, [guest.contact], guest.language, now=now)
    return redirect("portal:proof", visit.id)


def _is_right(request: HttpRequest, guest: GuestDetails, form: CodeForm, now: datetime) -> bool:
    if not codes.is_right(request, [guest.contact], form, now=now):
        return False
    guests.prove(request.session, guest)
    return True


def _name_guest(request: HttpRequest, visit: Visit, guest: GuestDetails, now: datetime) -> HttpResponse:
    register = partial(guests.record_of, guest, now=now)
    refused = _name(request, visit, Patient(**guest.columns), now, register=register)
    if refused:
        messages.error(request, refused)
        return redirect(steps.page_of(visit, steps.ABOUT))
    return redirect(_next(request, visit))


def _name(
    request: HttpRequest,
    visit: Visit,
    patient: Patient,
    now: datetime,
    *,
    register: Callable[[], Patient] | None = None,
) -> str:
    """Set the visit's patient, whom `register` stores first. Returns the reason if that is refused, else an empty
    string.
    """
    if unfit := requirements.patient_issues(visit.appointment, patient):
        return unfit[0].text
    try:
        held_together.name(visit, register or patient, caller=fresh_caller(request), now=now)
    except (HoldExpired, IllegalTransition):
        raise  # hold_required shows what happened to the hold
    except SchedulingError as refusal:
        return series_refusal_text(refusal)
    return ""


def _next(request: HttpRequest, visit: Visit) -> str:
    return steps.next_page(own_visit(request, visit.id, visit.now), caller_of(request), after=steps.ABOUT)


def _page(request: HttpRequest, visit: Visit, page: str, form: Form, now: datetime, **more: Any) -> HttpResponse:
    within = page in ("about_details", "proof")
    progress = steps.progress(visit, caller_of(request), steps.ABOUT, within=within)
    asks = steps.QUESTIONS in steps.of(visit, caller_of(request))
    context = {"visit": visit, "form": form, "now": now, "progress": progress, "asks": asks, **more}
    return render(request, f"portal/booking/{page}.html", context)
