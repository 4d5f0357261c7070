"""Views of an entry of the waiting list by its link, without signing in. A GET changes nothing, since the programs that
check links in mail open them.
"""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Appointment
from portal.appointments import manage_links, waiting
from portal.appointments.refusals import refusal_text
from portal.appointments.visits import own_visit
from portal.appointments.waiting import WaitingEntry
from portal.booking import holds, steps
from portal.common import form_drafts
from portal.common.callers import caller_of, holder_of, sign_in_for
from portal.finding import times
from portal.waitlist.forms import OfferForm, PreferencesForm
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import SchedulingError


@never_cache
@require_GET
def entry(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is waited for, and the time that is offered now, if there is one."""
    found = _read(token, timezone.now())
    if found is None:
        return render(request, "portal/appointments/expired.html", status=410)
    if found.entry.start is not None:  # it has become a visit
        return redirect("portal:manage", manage_links.token_of(found.entry))
    context = {"waiting": found, "token": token, "is_own": found.entry.patient_id in caller_of(request).patients}
    return render(request, "portal/waitlist/entry.html", context)


@never_cache
@require_POST
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Take the offered time, or let it pass to the next."""
    now = timezone.now()
    found, form = _read(token, now), OfferForm(request.POST)
    if found is None or not form.is_valid():
        raise Http404
    hold, caller = form.cleaned_data["hold"], _caller(found)
    try:
        if form.cleaned_data["answer"] == "pass":
            booking.decline_offer(found.id, hold, caller=caller, now=now)
            messages.success(request, _("The time goes to the next person. You stay on the waiting list."))
            return redirect("portal:waiting", token)
        if found.visit is None and found.offer is not None and booking.is_more_needed(found.offer.appointment):
            return _go_on(request, found, hold, now)
        visit = booking.take_offer(found.id, hold, caller=caller, now=now)
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
        return redirect("portal:waiting", token)
    messages.success(request, _taken_text(visit, found))
    return redirect("portal:manage", manage_links.token_of(visit))


@never_cache
@require_http_methods(["GET", "POST"])
@form_drafts.page
def change(request: HttpRequest, token: str) -> HttpResponse:
    """Let the patient change what they would like; their place on the list stays."""
    now = timezone.now()
    found = _read(token, now)
    if found is None:
        raise Http404
    if found.is_over or found.entry.service is None:
        return redirect("portal:waiting", token)
    moved = found.visit.appointment if found.visit else None
    menu = times.read_menu(found.entry.service, moved=moved)
    form = form_drafts.form(request, PreferencesForm, menu=menu, preferences=found.preferences, now=now)
    if request.method == "POST" and form.is_valid():
        preferences = form.preferences(replaces=found.preferences.replaces)
        try:
            booking.change_preferences(found.id, preferences, caller=_caller(found), now=now)
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("Saved. Your place on the waiting list stays the same."))
            return redirect("portal:waiting", token)
    context = {"form": form, "service": found.entry.service, "visit": found.visit, "token": token}
    return render(request, "portal/waitlist/change.html", context)


@never_cache
@require_POST
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Leave the waiting list."""
    now = timezone.now()
    found = _read(token, now)
    if found is None:
        raise Http404
    try:
        booking.leave_waitlist(found.id, caller=_caller(found), now=now)
        messages.success(request, _("You have left the waiting list."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:waiting", token)


def _go_on(request: HttpRequest, found: WaitingEntry, hold_id: str, now: datetime) -> HttpResponse:
    """Hold the offered time in this browser, and go on to what is still to be paid or answered before it is booked.

    A patient with an account signs in first.
    """
    patient, caller = found.patient, caller_of(request)
    if patient is not None and patient.user_id is not None and patient.pk not in caller.patients:
        messages.info(request, _("Sign in to take this time: something is still needed before it is booked."))
        return sign_in_for(request.get_full_path().removesuffix("answer/"))
    hold = booking.hold_offer(found.id, hold_id, holder_of(request), caller=_caller(found), now=now)
    visit = own_visit(request, hold.fhir_id, now)
    holds.remember(request.session, visit)
    return redirect(steps.next_page(visit, caller))


def _read(token: str, now: datetime) -> WaitingEntry | None:
    return waiting.entry_by_token(token, now=now)


def _caller(found: WaitingEntry) -> Caller:
    """The holder of the entry's link, who acts for its patient."""
    return Caller(visit=found.id, visit_patient=found.patient.reference if found.patient else "")


def _taken_text(visit: Appointment, found: WaitingEntry) -> str:
    if visit.fhir_id != found.id:
        return _("Your visit has been moved to the earlier time.")
    return _("You have requested this visit.") if visit.is_request else _("Your visit is booked.")
