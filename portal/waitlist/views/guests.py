"""Views that ask a guest who joins the waiting list for their details, and for the proof of their address or number."""

from dataclasses import asdict
from datetime import datetime
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clinic.models import HealthcareService
from portal.appointments import waiting
from portal.booking import guests
from portal.booking.forms import GuestForm
from portal.booking.guests import GuestDetails
from portal.common import codes, form_drafts
from portal.common.callers import caller_of
from portal.common.codes import CodeForm
from portal.waitlist import drafts
from portal.waitlist.forms import PreferencesForm
from portal.waitlist.joining import add, waiting_service
from scheduling.booking import WaitlistRequest


@require_http_methods(["GET", "POST"])
@form_drafts.page
def about(request: HttpRequest, service_id: str) -> HttpResponse:
    """Ask for the guest's details."""
    service, now = waiting_service(service_id), timezone.now()
    wanted = drafts.kept(request, service, now=now)
    if caller_of(request).user is not None or wanted is None:
        return redirect("portal:wait", service.fhir_id)
    known = guests.details(request.session)
    form = form_drafts.form(request, GuestForm, initial=asdict(known) if known else None)
    if request.method == "POST" and form.is_valid():
        guest = form.details
        guests.remember(request.session, guest)
        if not guests.is_proven(request.session, guest):
            form_drafts.done(request)
            codes.send(request, [guest.contact], guest.language, now=now)
            return redirect("portal:wait-proof", service.fhir_id)
        if joined := _join(request, service, guest, form, wanted, now):
            return joined
    return render(request, "portal/waitlist/about.html", {"form": form, "service": service})


@require_http_methods(["GET", "POST"])
@form_drafts.page
def proof(request: HttpRequest, service_id: str) -> HttpResponse:
    """Ask for the code that was sent to the guest; with it they are on the list."""
    service, now = waiting_service(service_id), timezone.now()
    wanted, guest = drafts.kept(request, service, now=now), guests.details(request.session)
    if caller_of(request).user is not None or wanted is None or guest is None:
        return redirect("portal:wait", service.fhir_id)
    if "again" in request.POST:
        codes.send(request, [guest.contact], guest.language, now=now)
        return redirect("portal:wait-proof", service.fhir_id)
    form = form_drafts.form(request, CodeForm)
    if request.method == "POST" and form.is_valid() and codes.is_right(request, [guest.contact], form, now=now):
        guests.prove(request.session, guest)
        if joined := _join(request, service, guest, form, wanted, now):
            return joined
    return render(request, "portal/waitlist/proof.html", {"form": form, "service": service, "guest": guest})


def _join(
    request: HttpRequest,
    service: HealthcareService,
    guest: GuestDetails,
    form: GuestForm | CodeForm,
    wanted: PreferencesForm,
    now: datetime,
) -> HttpResponse | None:
    """Put the guest, whose contact is proven, on the list; None if that is refused."""
    register = partial(guests.record_of, guest, now=now)
    wait = WaitlistRequest(service=service, register=register, preferences=wanted.preferences())
    entry = add(request, form, wait, caller_of(request), now)
    if entry is None:
        return None
    drafts.forget(request)
    return redirect("portal:waiting", waiting.token_of(entry))
