"""Views of a patient's visits: upcoming and past ones, and what can be done about each."""

from datetime import datetime
from math import ceil

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.appointments import suggestions, visits
from portal.appointments.forms import CancelForm
from portal.appointments.refusals import refusal_text
from portal.appointments.visits import Visit, own_visit
from portal.common import form_drafts
from portal.common.callers import caller_of, sign_in_required, visitor_required
from scheduling import booking
from scheduling.booking import StatusRequest
from scheduling.errors import SchedulingError
from scheduling.notifications import calendar_of


@sign_in_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the visits and holds of the caller and of the people they care for."""
    caller = caller_of(request)
    own = visits.of(caller, now=timezone.now())
    context = {
        "upcoming": [visit for visit in own if visit.is_upcoming],
        "past": [visit for visit in reversed(own) if not visit.is_upcoming],
        "names": len(caller.patients) > 1,
    }
    return render(request, "portal/appointments/index.html", context)


@visitor_required
@require_GET
def detail(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show one visit, and what can be done about it."""
    visit = own_visit(request, appointment_id, timezone.now())
    if visit.appointment.suggested_for is not None:
        return redirect("portal:visit", visit.appointment.suggested_for.fhir_id)
    if visit.is_held:
        return redirect("portal:confirm", visit.id)
    return render(request, "portal/appointments/detail.html", {"visit": visit})


@visitor_required
@require_GET
def join(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Redirect to the video room once it is open; before that, say when it opens."""
    visit = own_visit(request, appointment_id, timezone.now())
    if not visit.by_video:
        raise Http404
    if visit.is_room_open:
        return redirect(visit.meeting_url)
    opens_in = max(ceil((visit.room_opens - visit.now).total_seconds()), 0) if visit.meeting_url else 0
    return render(request, "portal/appointments/join.html", {"visit": visit, "opens_in": opens_in})


@visitor_required
@require_GET
def ics(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Return the visit as an iCalendar file."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    return HttpResponse(
        calendar_of([visit.appointment], now=now),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="visit.ics"'},
    )


@visitor_required
@require_POST
def answer_suggestion(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Accept or refuse the time that the clinic suggests for a request."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    suggestions.answer(request, visit, caller=caller_of(request), now=now)
    return redirect("portal:visit", visit.id)


@visitor_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def cancel(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Ask for confirmation, then cancel. When it is too late, say what to do instead."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    if not visit.is_promised:
        return redirect("portal:visit", visit.id)
    form = form_drafts.form(request, CancelForm) if visit.is_changeable or request.method == "POST" else None
    if request.method == "POST" and form and form.is_valid():
        form_drafts.done(request)
        return _cancel(request, visit, form.cleaned_data["reason"], now)
    context = {"visit": visit, "form": form, "back": reverse("portal:visit", args=[visit.id])}
    return render(request, "portal/appointments/cancel.html", context)


def _cancel(request: HttpRequest, visit: Visit, reason: str, now: datetime) -> HttpResponse:
    cancelled = StatusRequest(reason={"text": reason} if reason else None)
    try:
        booking.cancel(visit.id, cancelled, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
        return redirect("portal:visit", visit.id)
    messages.success(request, _("Your visit has been cancelled."))
    return redirect("portal:visits" if caller_of(request).user else "portal:services")
