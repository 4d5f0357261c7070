"""Views that join the waiting list: from the times of a service, and from a booked visit."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal.appointments import manage_links, waiting
from portal.appointments.visits import Visit, own_visit
from portal.common import form_drafts
from portal.common.callers import caller_of, details_for, holder_of, visitor_required
from portal.finding import times
from portal.waitlist import drafts
from portal.waitlist.forms import JoinForm, PreferencesForm
from portal.waitlist.joining import add, waiting_service
from scheduling.access import Caller
from scheduling.booking import WaitlistRequest


@require_http_methods(["GET", "POST"])
@form_drafts.page
def join(request: HttpRequest, service_id: str) -> HttpResponse:
    """Ask for the times that somebody would take. Who has not signed in is asked for their details next."""
    service, now = waiting_service(service_id), timezone.now()
    caller = caller_of(request)
    if caller.user is not None and not caller.patients:
        return details_for(request.get_full_path())
    form = form_drafts.form(request, JoinForm, caller=caller, menu=times.read_menu(service), query=request.GET, now=now)
    if request.method == "POST" and form.is_valid():
        if caller.user is None:
            holder_of(request)
            drafts.keep(request, service)
            form_drafts.done(request)
            return redirect("portal:wait-about", service.fhir_id)
        who = form.cleaned_data.get("who") or next(iter(caller.patients.values())).fhir_id
        patient = next(each for each in caller.patients.values() if each.fhir_id == who)
        wait = WaitlistRequest(service=service, patient=patient, preferences=form.preferences())
        if entry := add(request, form, wait, caller, now):
            return redirect("portal:waiting", waiting.token_of(entry))
    context = {"form": form, "service": service, "back": reverse("portal:choose-time", args=[service.fhir_id])}
    return render(request, "portal/waitlist/join.html", context)


@visitor_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def join_with_visit(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Ask for the earlier times to which the caller's visit would move."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    return _join_with(request, visit, caller_of(request), reverse("portal:visit", args=[visit.id]), now)


@never_cache
@require_http_methods(["GET", "POST"])
@form_drafts.page
def join_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Do the same by a manage link."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return redirect("portal:manage", token)
    back = reverse("portal:manage", args=[token])
    return _join_with(request, visit, manage_links.caller_by_link(visit), back, now)


def _join_with(request: HttpRequest, visit: Visit, caller: Caller, back: str, now: datetime) -> HttpResponse:
    """Join with a booked visit; who waits with it already is led to the page of the entry."""
    service = visit.appointment.service
    if service is None or not visit.can_wait:
        messages.error(request, _("You cannot wait for an earlier time of this visit. Please call the clinic."))
        return redirect(back)
    if there := waiting.entry_about(visit.appointment, now=now):
        return redirect("portal:waiting", there.token)
    form = form_drafts.form(request, PreferencesForm, menu=times.read_menu(service, moved=visit.appointment), now=now)
    if request.method == "POST" and form.is_valid():
        preferences = form.preferences(replaces=visit.appointment.reference)
        wait = WaitlistRequest(service=service, patient=visit.appointment.patient, preferences=preferences)
        if entry := add(request, form, wait, caller, now):
            return redirect("portal:waiting", waiting.token_of(entry))
    context = {"form": form, "service": service, "visit": visit, "back": back}
    return render(request, "portal/waitlist/join.html", context)
