"""The pages of a held time: they exist while the hold lasts, extend it once, and release it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from clinic.visit_place import chosen_zone
from portal.appointments import visits
from portal.appointments.visits import Visit, own_visit
from portal.booking import held_together, holds, steps
from portal.booking.lost_times import Loss, lost
from portal.common import form_drafts
from portal.common.callers import caller_of, sign_in_for
from portal.finding import times
from scheduling import booking
from scheduling.errors import HoldExpired, IllegalTransition, RuleBroken, SchedulingError

P = ParamSpec("P")
LET_GO = "let-go"
HeldView = Callable[Concatenate[HttpRequest, Visit, datetime, P], HttpResponse]


def hold_required(view: HeldView[P]) -> Callable[..., HttpResponse]:
    """Decorator for pages of a held time: `view` gets the visit and `now` in place of the id.

    Once the visit is booked, the page redirects to it. If the hold is lost, it shows the nearest alternatives and keeps
    what was typed. The form of every such page has a button `keep` that extends the hold, and buttons `let-go` that
    release it.
    """
    answered = form_drafts.page(view)

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, /, appointment_id: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        now = timezone.now()
        visit = visits.one(caller_of(request), appointment_id, now=now)
        if visit is None:
            if caller_of(request).user is None:
                return sign_in_for(request.get_full_path())
            raise Http404
        if visit.appointment.suggested_for is not None:
            return redirect("portal:visit", visit.appointment.suggested_for.fhir_id)
        if not visit.is_held:
            return _ended(request, visit, now)
        try:
            if request.method == "POST" and "keep" in request.POST:
                return keep_longer(request, visit, now)
            if request.method == "POST" and LET_GO in request.POST:
                form_drafts.keep(request)
                return give_back(request, visit, now, leaves=request.POST[LET_GO] == "leave")
            return answered(request, visit, now, *args, **kwargs)
        except (HoldExpired, IllegalTransition):
            return _ended(request, own_visit(request, appointment_id, now), now)

    return guarded


def give_back(request: HttpRequest, visit: Visit, now: datetime, *, leaves: bool) -> HttpResponse:
    """Release the hold, or all those of its series.

    Then redirect to the service's other times or, if the patient leaves, to the services.
    """
    caller = caller_of(request)
    try:
        held_together.cancel(visit, caller=caller, now=now)
    except IllegalTransition:
        pass  # it has ended by itself
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:services")
    if leaves or visit.appointment.service is None:
        holds.forget(request.session)
        form_drafts.forget(request.session)
        messages.success(request, _("The time is no longer held. Nothing is booked."))
        return redirect("portal:services")
    return redirect("portal:choose-time", visit.appointment.service.fhir_id)


def keep_longer(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Extend the hold, which is allowed once, and go back to the same page with what was typed."""
    form_drafts.keep(request)
    try:
        held_together.extend(visit, caller=caller_of(request), now=now)
    except RuleBroken:
        messages.error(request, _("You can extend a hold only once. Book this time, or choose another."))
    else:
        extended = own_visit(request, visit.id, now)
        holds.remember(request.session, extended)
        messages.success(request, _("We are holding the time for you a little longer."))
    return redirect(request.path)


def _ended(request: HttpRequest, visit: Visit, now: datetime) -> HttpResponse:
    """Render the page for a hold that has ended. Its time is among the alternatives if it is still free."""
    if visit.is_promised:
        return redirect("portal:booked", visit.id)
    if booking.open_payment_of(visit.appointment) is not None:
        return redirect("portal:payment", visit.id)
    if visit.appointment.service is None or visit.appointment.status not in ("pending", "cancelled"):
        return redirect("portal:visit", visit.id)
    if request.method == "POST":
        form_drafts.keep(request)
        return redirect(request.path)
    held = holds.standing(request, caller_of(request), now=now)
    if held and (held.appointment.service, held.start) == (visit.appointment.service, visit.start):
        return redirect(steps.next_page(held.appointment, caller_of(request)))  # the same time was taken again
    loss: Loss = "hold-ended" if visit.is_hold_over or visit.appointment.cancelation_reason else "let-go"
    menu = replace(times.read_menu(visit.appointment.service), zone=chosen_zone(visit.appointment))
    return lost(request, menu, visit.start, loss, kept=True, now=now)
