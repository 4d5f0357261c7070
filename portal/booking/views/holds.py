"""Views that hold a chosen time, extend or release the hold, and say when the time is lost."""

from contextlib import suppress
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic.models import HealthcareService, Patient
from clinic.visit_place import with_chosen_zone
from portal.appointments import visits
from portal.appointments.visits import Visit, own_visit
from portal.booking import holds, referrals, steps
from portal.booking.held_pages import give_back, hold_required, keep_longer
from portal.booking.lost_times import lost, menu_of
from portal.common import form_drafts, limits
from portal.common.callers import caller_of, holder_of
from portal.finding.catalogue import bookable
from portal.finding.forms import TimeForm
from scheduling import booking, requirements
from scheduling.access import Caller
from scheduling.booking import BookingRequest
from scheduling.errors import (
    NotFound,
    SchedulingError,
    TimeNotOffered,
    TimeTaken,
    TooManyHolds,
)


@require_http_methods(["GET", "POST"])
def hold(request: HttpRequest, service_id: str) -> HttpResponse:
    """Hold the chosen time. On GET, show the time and ask for confirmation."""
    now = timezone.now()
    service = get_object_or_404(bookable(), fhir_id=service_id)
    form = TimeForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        messages.error(request, _("Choose one of the times below."))
        return redirect("portal:choose-time", service_id)
    if request.method == "GET":
        return _ask(request, service, form)
    if caller_of(request).user is None and not limits.allows(request, "hold"):
        return limits.slow_down(request)
    return _hold(request, service, form, now)


@require_POST
@hold_required
def keep(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Extend the hold, from a page that has no form of its own."""
    keep_longer(request, visit, now)
    return redirect(steps.next_page(visit, caller_of(request)))


@require_POST
def presence(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Note that a page of the hold is open, or was left."""
    with suppress(NotFound):
        booking.note_presence(
            appointment_id, here="left" not in request.POST, caller=caller_of(request), now=timezone.now()
        )
    return HttpResponse(status=204)


@require_POST
def let_go(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Release a hold, to choose another time (what was typed is kept) or to leave."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    if visit.is_booked:
        return redirect("portal:visit", visit.id)
    return give_back(request, visit, now, leaves="leave" in request.POST)


def _ask(request: HttpRequest, service: HealthcareService, form: TimeForm) -> HttpResponse:
    start, schedules = form.cleaned_data["time"]
    menu = menu_of(request, service)
    try:
        choice = menu.choice_of(menu.offerings(schedules), start)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:choose-time", service.fhir_id)
    asks = requirements.active_questionnaires(service).exists()
    context = {"service": service, "menu": menu, "choice": choice, "asks": asks}
    return render(request, "portal/booking/chosen.html", context)


def _hold(request: HttpRequest, service: HealthcareService, form: TimeForm, now: datetime) -> HttpResponse:
    start, schedules = form.cleaned_data["time"]
    caller = holder_of(request)
    former = _former(request, form.cleaned_data["instead_of"], caller, now)
    menu = menu_of(request, service)
    try:
        offerings = menu.offerings(schedules)
        appointment = booking.hold(
            BookingRequest(
                service=service,
                offerings=offerings,
                start=start,
                patient=_patient(caller, former, service),
                extra=with_chosen_zone(referrals.elements(request.session), menu.zone),
            ),
            caller=caller,
            now=now,
            instead_of=former.id if former else None,
        )
    except (TimeTaken, TimeNotOffered):
        return lost(request, menu, start, "taken" if start > now else "passed", kept=former is not None, now=now)
    except TooManyHolds:
        return _too_many(request, service, form, now)
    except SchedulingError as refusal:
        messages.error(request, " ".join(issue.text for issue in refusal.issues))
        return redirect("portal:choose-time", service.fhir_id)
    if former and former.appointment.service != service:
        form_drafts.forget(request.session)
    holds.remember(request.session, own_visit(request, appointment.fhir_id, now))
    return redirect(steps.next_page(appointment, caller))


def _former(request: HttpRequest, named: str, caller: Caller, now: datetime) -> Visit | None:
    """Return the hold that this one replaces: the one named in the form, else the latest of this browser."""
    fhir_id = named or holds.latest(request.session)
    former = visits.one(caller, fhir_id, now=now) if fhir_id else None
    return None if former is None or former.is_promised else former


def _patient(caller: Caller, former: Visit | None, service: HealthcareService) -> Patient | None:
    """Return the patient of the former hold for the same service, else the only person the caller can book for.

    A hold for another service is a new visit, so its patient is asked again.
    """
    if former and former.appointment.service == service and steps.is_for_own(former.appointment, caller):
        return former.appointment.patient
    return caller.patient if len(caller.patients) == 1 else None


def _too_many(request: HttpRequest, service: HealthcareService, form: TimeForm, now: datetime) -> HttpResponse:
    """Render the times that the caller holds already, to go on with or to release for this one."""
    held = [visit for visit in visits.of(caller_of(request), now=now) if visit.is_held]
    context = {
        "service": service,
        "menu": menu_of(request, service),
        "held": held,
        "time": form.cleaned_data and form["time"].value(),
    }
    return render(request, "portal/booking/held.html", context, status=409)
