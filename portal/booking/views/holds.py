"""Views that hold a chosen time, extend or release the hold, and say when the time is lost."""

from contextlib import suppress
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import money
from clinic.models import HealthcareService
from clinic.visit_place import with_chosen_zone
from portal.appointments import visits
from portal.appointments.visits import Visit, own_visit
from portal.booking import holds, referrals, steps
from portal.booking.former_holds import former_hold, patient_of
from portal.booking.held_pages import give_back, hold_required, keep_longer
from portal.booking.lost_times import REFUSED, Loss, lost, menu_of
from portal.common import form_drafts, limits, tickets
from portal.common.callers import caller_of, holder_of
from portal.finding.catalogue import bookable
from portal.finding.forms import TimeForm
from scheduling import booking, requirements
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
    """Hold the chosen time. On GET, show the time and ask for confirmation, or say why it could not be held."""
    now = timezone.now()
    service = get_object_or_404(bookable(tickets.services(request.session)), fhir_id=service_id)
    form = TimeForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        messages.error(request, _("Choose one of the times below."))
        return redirect("portal:choose-time", service_id)
    if request.method == "GET":
        return _show(request, service, form, now)
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


def _show(request: HttpRequest, service: HealthcareService, form: TimeForm, now: datetime) -> HttpResponse:
    """Show the time with the refusal of the POST that led here, or ask for confirmation."""
    match request.GET.get(REFUSED):
        case "lost":
            start, _schedules = form.cleaned_data["time"]
            loss: Loss = "taken" if start > now else "passed"
            return lost(request, menu_of(request, service), start, loss, kept="kept" in request.GET, now=now)
        case "too-many" if held := visits.held_by(caller_of(request), now=now):
            return _show_held(request, service, form, held)
    return _ask(request, service, form)


def _ask(request: HttpRequest, service: HealthcareService, form: TimeForm) -> HttpResponse:
    start, schedules = form.cleaned_data["time"]
    menu = menu_of(request, service)
    try:
        choice = menu.choice_of(menu.offerings(schedules), start)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:choose-time", service.fhir_id)
    asks = requirements.active_questionnaires(service).exists()
    context = {"service": service, "menu": menu, "choice": choice, "asks": asks, "price": money.price_text(service)}
    return render(request, "portal/booking/chosen.html", context)


def _hold(request: HttpRequest, service: HealthcareService, form: TimeForm, now: datetime) -> HttpResponse:
    start, schedules = form.cleaned_data["time"]
    caller = holder_of(request)
    former = former_hold(request, form.cleaned_data["instead_of"], caller, now)
    menu = menu_of(request, service)
    ticket = referrals.ticket_for(request.session, service, caller, now=now)
    try:
        offerings = menu.offerings(schedules)
        appointment = booking.hold(
            BookingRequest(
                service=service,
                offerings=offerings,
                start=start,
                patient=(ticket.patient if ticket else None) or patient_of(former, service, caller),
                extra=with_chosen_zone(referrals.elements(request.session, ticket), menu.zone),
            ),
            caller=caller,
            now=now,
            instead_of=former.id if former else None,
        )
    except (TimeTaken, TimeNotOffered):
        return _refused(request, "lost", **{"kept": "1"} if former else {})
    except TooManyHolds:
        return _refused(request, "too-many")
    except SchedulingError as refusal:
        messages.error(request, " ".join(issue.text for issue in refusal.issues))
        return redirect("portal:choose-time", service.fhir_id)
    if former and former.appointment.service != service:
        form_drafts.forget(request.session)
    holds.remember(request.session, own_visit(request, appointment.fhir_id, now))
    return redirect(steps.next_page(appointment, caller))


def _refused(request: HttpRequest, why: str, **more: str) -> HttpResponse:
    """Redirect to the page that says why the time could not be held, so that reloading it sends nothing again."""
    sent = {name: request.POST[name] for name in ("time", "zone") if name in request.POST}
    return redirect(f"{request.path}?{urlencode({**sent, REFUSED: why, **more})}")


def _show_held(request: HttpRequest, service: HealthcareService, form: TimeForm, held: list[Visit]) -> HttpResponse:
    """Render the times that the caller holds already, to go on with or to release for this one."""
    context = {
        "service": service,
        "menu": menu_of(request, service),
        "held": held,
        "time": form.cleaned_data and form["time"].value(),
    }
    return render(request, "portal/booking/held.html", context, status=409)
