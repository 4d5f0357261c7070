"""A patient's visits: all of them, one of them, and cancelling."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal import visits
from portal.callers import caller_of, patient_of, patient_required
from portal.forms import CancelForm
from portal.views.confirming import own_visit
from portal.visits import Visit
from scheduling import booking
from scheduling.errors import SchedulingError


@patient_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Upcoming and past visits, and what is still held."""
    own = visits.of(caller_of(request), patient_of(request), now=timezone.now())
    upcoming = [visit for visit in own if visit.is_upcoming]
    past = [visit for visit in reversed(own) if not visit.is_upcoming]
    return render(request, "portal/appointments/index.html", {"upcoming": upcoming, "past": past})


@patient_required
@require_GET
def detail(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """One visit, and what can be done about it."""
    visit = own_visit(request, appointment_id, timezone.now())
    if visit.is_held:
        return redirect("portal:confirm", visit.id)
    return render(request, "portal/appointments/detail.html", {"visit": visit})


@patient_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Ask once more, then cancel. Too late, say what to do instead."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    if not visit.is_booked:
        return redirect("portal:visit", visit.id)
    form = CancelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _cancel(request, visit, form.cleaned_data["reason"], now)
    return render(request, "portal/appointments/cancel.html", {"visit": visit, "form": form})


def _cancel(request: HttpRequest, visit: Visit, reason: str, now: datetime) -> HttpResponse:
    try:
        booking.cancel(visit.id, caller=caller_of(request), now=now, reason={"text": reason} if reason else None)
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:visit", visit.id)
    messages.success(request, _("Your visit is cancelled. The time is free for someone else."))
    return redirect("portal:visits")
