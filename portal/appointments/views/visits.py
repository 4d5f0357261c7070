"""Views of a patient's visits: upcoming and past ones, and what can be done about each."""

from math import ceil

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.appointments import alternatives, several, suggestions, visits, waiting
from portal.appointments.cancellations import Cancellation
from portal.appointments.visits import own_visit
from portal.common import form_drafts
from portal.common.callers import caller_of, sign_in_required, visitor_required
from scheduling.notifications import calendar_of
from scheduling.waiting import wait_of


@sign_in_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the visits and holds of the caller and of the people they care for."""
    caller, now = caller_of(request), timezone.now()
    own = visits.with_dues(visits.of(caller, now=now))
    context = {
        "waits": waiting.entries_of(caller, now=now),
        "upcoming": [visit for visit in own if visit.is_upcoming],
        "past": [visit for visit in reversed(own) if not visit.is_upcoming],
        "names": len(caller.patients) > 1,
        "confirms_number": settings.SMS_ENABLED and caller.patient is not None,
    }
    return render(request, "portal/appointments/index.html", context)


@visitor_required
@require_GET
def detail(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show one visit, and what can be done about it."""
    visit = own_visit(request, appointment_id, timezone.now())
    if (answered := visit.appointment.suggested_for) is not None:
        if answered.start is None:
            return redirect("portal:waiting", waiting.token_of(answered))
        return redirect("portal:visit", answered.fhir_id)
    if visit.is_held:
        return redirect("portal:confirm", visit.id)
    together = visits.together(visit, caller_of(request))
    context = {
        "visit": visits.with_dues([visit])[0],
        "together": together,
        "wait": wait_of(visit.appointment, visit.zone, now=visit.now),
        "several": several.choices(visit, together),
        "offered": alternatives.offered_times(visit, now=visit.now),
    }
    return render(request, "portal/appointments/detail.html", context)


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
    """Return the visit as an iCalendar file; with `all`, those too that were booked together with it."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    together = visits.together(visit, caller_of(request)) if "all" in request.GET else []
    return HttpResponse(
        calendar_of([each.appointment for each in together if each.is_upcoming] or [visit.appointment], now=now),
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
@require_POST
def answer_times(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Choose another time of a visit that the clinic cannot keep, ask for a call, or cancel."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    alternatives.answer(request, visit, caller=caller_of(request), now=now)
    return redirect("portal:visit", visit.id)


@visitor_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def cancel(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Ask for confirmation, then cancel. When it is too late, say what to do instead."""
    now = timezone.now()
    visit = own_visit(request, appointment_id, now)
    page = reverse("portal:visit", args=[visit.id])
    after = reverse("portal:visits" if caller_of(request).user else "portal:services")
    return Cancellation(visit, caller_of(request), page, after).answer(request, now=now)
