"""One visit, as staff see and handle it."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Appointment
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.calendar.views.dialogs import done
from portal.staff.visits import record
from portal.staff.visits.forms import AnswerForm, StaffCancelForm
from portal.staff.visits.record import StaffVisit
from scheduling import booking, notifications
from scheduling.errors import SchedulingError

ANSWERED = {
    Appointment.Status.BOOKED: _lazy("The visit is booked, and the patient is told."),
    Appointment.Status.PENDING: _lazy("Your answer is noted. Others have still to answer."),
    Appointment.Status.CANCELLED: _lazy("The request is declined. The time is free, and the patient is told."),
}


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
    if not (shown.visit.is_promised or shown.visit.is_held):
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
    return _back(request, shown.visit.id, now)


@staff_required
@require_POST
def answer(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Accept or decline what a patient has asked for: from the visit's page, or in the calendar's dialog."""
    now = timezone.now()
    shown, form = _read(request, appointment_id, now), AnswerForm(request.POST)
    if not form.is_valid():
        raise Http404
    say = messages.success
    try:
        answered = booking.respond(shown.visit.id, form.cleaned_data["answer"], caller=caller_of(request), now=now)
        told = str(ANSWERED[Appointment.Status(answered.status)])
    except SchedulingError as refusal:
        told, say = str(refusal), messages.error
    if getattr(request, "htmx", False):
        return done(request, told, shown.visit.start)
    say(request, told)
    return _back(request, appointment_id, now)


def _back(request: HttpRequest, appointment_id: str, now: datetime) -> HttpResponse:
    """To the visit, if it is still one that they work with."""
    is_still_theirs = record.read(caller_of(request), appointment_id, now=now) is not None
    return redirect("portal:staff-visit", appointment_id) if is_still_theirs else redirect("portal:board")


def _read(request: HttpRequest, appointment_id: str, now: datetime) -> StaffVisit:
    shown = record.read(caller_of(request), appointment_id, now=now)
    if shown is None:
        raise Http404
    disclosures.opened(caller_of(request), shown.visit.appointment, now=now)
    return shown
