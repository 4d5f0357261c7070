"""Views that move a visit to another time. It keeps its old time until the new one is booked."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from clinic.visit_place import with_chosen_zone
from portal.appointments import manage_links, several, visits
from portal.appointments.same_day import SameDayForm, others_on_a_new_day
from portal.appointments.several import Several
from portal.appointments.visits import Visit, own_visit
from portal.booking.cards import show_cards
from portal.booking.combined_moves import CombinedMove
from portal.booking.several_moves import SeveralMove
from portal.common import form_drafts
from portal.common.callers import caller_of, visitor_required
from portal.common.htmx import HtmxRequest, is_part
from portal.finding import catalogue, times
from portal.finding.forms import TimeForm
from portal.finding.times_page import free_times, requested_zone
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import SchedulingError, TimeNotOffered, TimeTaken


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """A visit to move, its caller, the address of the visit's page, that of the waiting list for earlier times, and the
    visits that are moved with it, if any.
    """

    visit: Visit
    caller: Caller
    back: str
    wait_page: str
    several: Several | None = None


@visitor_required
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
@form_drafts.page
def move(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Let the caller choose another time for their visit, and confirm it."""
    now = timezone.now()
    visit, caller = own_visit(request, appointment_id, now), caller_of(request)
    together = several.requested(request, visit, caller)
    back, wait_page = (reverse(f"portal:{page}", args=[visit.id]) for page in ("visit", "wait-visit"))
    return _move(request, MoveRequest(visit, caller, back, wait_page, together), now)


@never_cache
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
@form_drafts.page
def move_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Move a visit by its manage link, after the patient's birth date: see `move`."""
    now = timezone.now()
    visit = manage_links.visit_of(token, now)
    if visit is None:
        return redirect("portal:manage", token)
    if not manage_links.is_known(request, visit, now):
        return manage_links.ask_birth_date(request, visit, token, now)
    caller = manage_links.caller_by_link(visit)
    together = several.requested(request, visit, caller)
    back, wait_page = (reverse(f"portal:{page}", args=[token]) for page in ("manage", "manage-wait"))
    return _move(request, MoveRequest(visit, caller, back, wait_page, together), now)


def _move(request: HttpRequest, moving: MoveRequest, now: datetime) -> HttpResponse:
    booked_service = moving.visit.appointment.service
    if not moving.visit.is_movable or booked_service is None:
        return redirect(moving.back)
    if moving.several is not None and not moving.several.can_be_moved:
        return redirect(moving.back)
    if moving.several is not None and moving.visit.appointment.is_combined:
        return CombinedMove(moving.several, moving.caller, moving.back).answer(request, now=now)
    if request.method == "POST" or "time" in request.GET:
        return _choose(request, moving, now)
    referred = [booked_service.fhir_id] if moving.visit.appointment.referral_id else []
    service = catalogue.with_facts(referred).filter(pk=booked_service.pk).first()
    if service is None:
        messages.error(request, _("This visit cannot be moved here. Please call the clinic."))
        return redirect(moving.back)
    htmx_request = cast(HtmxRequest, request)
    besides = _moved_with(moving)
    context = free_times(htmx_request, service, now=now, without=moving.visit.appointment, besides=besides)
    action = f"{request.path}{moving.several.query if moving.several else ''}"
    context |= {"action": action, "moved": moving.visit, "back": moving.back, "several": moving.several}
    if moving.visit.can_wait and moving.several is None:
        context["wait_page"] = moving.wait_page
    part = "_times" if is_part(htmx_request) else "choose_time"
    return render(request, f"portal/finding/{part}.html", context)


def _moved_with(moving: MoveRequest) -> tuple[int, ...]:
    """Return the primary keys of the other visits that are moved."""
    together = moving.several.movable if moving.several else []
    return tuple(each.appointment.pk for each in together if each.id != moving.visit.id)


def _choose(request: HttpRequest, moving: MoveRequest, now: datetime) -> HttpResponse:
    """Ask for confirmation, with the old time beside the new one; then move the visit."""
    time_form = TimeForm(request.POST if request.method == "POST" else request.GET)
    service = moving.visit.appointment.service
    assert service is not None  # _move
    if not time_form.is_valid():
        messages.error(request, _("Choose one of the times below."))
        return redirect(request.path)
    start, schedules = time_form.cleaned_data["time"]
    visit = moving.visit
    zone = requested_zone(request, service, moved=visit.appointment)
    menu = replace(times.read_menu(service, moved=visit.appointment), zone=zone, besides=_moved_with(moving))
    try:
        offerings = menu.offerings(schedules)
        if menu.moved and menu.moved.is_present(start, offerings):
            messages.info(request, _("Your visit is already at that time."))
            return redirect(moving.back)
        if request.method == "POST" and "confirm" not in request.POST:
            sent = {name: request.POST.get(name, "") for name in ("time", "zone")}
            which = {"which": moving.several.which.value} if moving.several else {}
            return redirect(f"{request.path}?{urlencode(sent | which)}")
        if moving.several is not None:
            move = SeveralMove(moving.several, moving.caller, moving.back, menu, offerings, start)
            return move.answer(request, now=now)
        choice = menu.choice_of(offerings, start)
        others = others_on_a_new_day(visit.appointment, start, choice.zone, caller=moving.caller)
        form = form_drafts.form(request, SameDayForm, same_day=visits.for_patient(others, now=now))
        if request.method == "GET" or not form.is_valid():
            context = {"visit": visit, "menu": menu, "choice": choice, "back": moving.back, "form": form}
            context["is_by_link"] = bool(moving.caller.visit)
            return render(request, "portal/booking/move.html", context)
        moved = booking.reschedule(
            visit.id,
            booking.RescheduleRequest(
                offerings=offerings,
                start=start,
                notes={"extension": with_chosen_zone(visit.appointment.extra, zone).get("extension", [])},
            ),
            caller=moving.caller,
            now=now,
        )
    except (TimeTaken, TimeNotOffered):
        messages.error(request, _("That time has just been taken. Your visit stays as it was. Choose another time."))
        return redirect(f"{request.path}?date={start.astimezone(moving.visit.zone):%Y-%m-%d}")
    except SchedulingError as refusal:
        messages.error(request, " ".join(issue.text for issue in refusal.issues))
        return redirect(moving.back)
    form_drafts.done(request)
    messages.success(request, _("Your visit has been moved."))
    show_cards(request, moved)
    return redirect(moving.back)
