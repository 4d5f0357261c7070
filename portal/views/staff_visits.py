"""One visit, as staff see and handle it."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal import staff_visits
from portal.callers import caller_of, staff_required
from portal.staff_forms import StaffCancelForm
from portal.staff_visits import StaffVisit
from scheduling import booking, notifications
from scheduling.errors import SchedulingError


@staff_required
@require_GET
def visit(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Patient, reason, answers, messages, history, and what comes next."""
    shown = _read(request, appointment_id, timezone.now())
    context = {
        "shown": shown,
        "visit": shown.visit,
        "zone": shown.visit.zone,
        "told": notifications.timeline(shown.visit.appointment),
        "back": request.path,
    }
    return render(request, "portal/staff_visit/visit.html", context)


@staff_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Ask why, and whether the patient is told; then cancel."""
    now = timezone.now()
    shown = _read(request, appointment_id, now)
    if not (shown.visit.is_booked or shown.visit.is_held):
        return redirect("portal:staff-visit", appointment_id)
    form = StaffCancelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _cancel(request, shown, form, now)
    return render(request, "portal/staff_visit/cancel.html", {"shown": shown, "visit": shown.visit, "form": form})


def _cancel(request: HttpRequest, shown: StaffVisit, form: StaffCancelForm, now: datetime) -> HttpResponse:
    reason = {"text": form.cleaned_data["reason"]}
    try:
        booking.cancel(
            shown.visit.id, caller=caller_of(request), now=now, reason=reason, tell=form.cleaned_data["tell"]
        )
        messages.success(request, _("The visit is cancelled, and its time is free."))
    except SchedulingError as refusal:
        messages.error(request, str(refusal))
    is_still_theirs = staff_visits.read(caller_of(request), shown.visit.id, now=now) is not None
    return redirect("portal:staff-visit", shown.visit.id) if is_still_theirs else redirect("portal:board")


def _read(request: HttpRequest, appointment_id: str, now: datetime) -> StaffVisit:
    shown = staff_visits.read(caller_of(request), appointment_id, now=now)
    if shown is None:
        raise Http404
    return shown
