"""Hold a chosen time, and say so when it is lost."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.models import HealthcareService
from portal import choosing
from portal.callers import caller_of, details_for, patient_of, sign_in_for
from portal.forms import TimeForm
from portal.views.booking import bookable
from scheduling import booking
from scheduling.booking import BookingRequest
from scheduling.errors import SchedulingError, TimeNotOffered, TimeTaken

HELD = "held"  # the session's key for the hold that the next one replaces


@require_http_methods(["GET", "POST"])
def hold(request: HttpRequest, service_id: str) -> HttpResponse:
    """Take the hold. Asked by GET, as after signing in, show the time and ask once more."""
    now = timezone.now()
    service = get_object_or_404(bookable(), fhir_id=service_id)
    form = TimeForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        messages.error(request, _("Choose one of the times below."))
        return redirect("portal:choose-time", service_id)
    here = f"{reverse('portal:hold', args=[service_id])}?{urlencode({'time': form['time'].value()})}"
    if caller_of(request).user is None:
        return sign_in_for(here)
    if caller_of(request).patient is None:
        return details_for(here)
    return _hold(request, service, form, now) if request.method == "POST" else _ask(request, service, form)


def _ask(request: HttpRequest, service: HealthcareService, form: TimeForm) -> HttpResponse:
    start, schedules = form.cleaned_data["time"]
    menu = choosing.read_menu(service)
    try:
        choice = menu.choice_of(menu.offerings(schedules), start)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:choose-time", service.fhir_id)
    return render(request, "portal/booking/chosen.html", {"service": service, "choice": choice})


def _hold(request: HttpRequest, service: HealthcareService, form: TimeForm, now: datetime) -> HttpResponse:
    start, schedules = form.cleaned_data["time"]
    menu = choosing.read_menu(service)
    try:
        appointment = booking.hold(
            BookingRequest(
                service=service,
                offerings=menu.offerings(schedules),
                start=start,
                patient=patient_of(request),
                comment=form.cleaned_data["comment"],
            ),
            caller=caller_of(request),
            now=now,
            instead_of=request.session.get(HELD),
        )
    except (TimeTaken, TimeNotOffered):
        what = _("That time has just been taken.") if start > now else _("That time has passed.")
        return lost(request, service, start, what, form.cleaned_data["comment"], now=now)
    except SchedulingError as refusal:
        messages.error(request, _said(refusal.issues))
        return redirect("portal:choose-time", service.fhir_id)
    request.session[HELD] = appointment.fhir_id
    return redirect("portal:confirm", appointment.fhir_id)


def lost(
    request: HttpRequest, service: HealthcareService, wanted: datetime, what: str, comment: str, *, now: datetime
) -> HttpResponse:
    """What happened to a time, what was kept, and the nearest that can be had instead."""
    menu = choosing.read_menu(service)
    context = {
        "service": service,
        "what": what,
        "kept": comment,
        "zones": menu.zones,
        "alternatives": choosing.nearest(menu, wanted, now=now),
    }
    return render(request, "portal/booking/lost.html", context, status=409)


def _said(issues: Iterable[Any]) -> str:
    return " ".join(issue.text for issue in issues)
