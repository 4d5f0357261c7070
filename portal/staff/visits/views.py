"""One visit, as staff see and handle it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Appointment
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.calendar.views.dialogs import REFUSED, Undo, done
from portal.staff.visits import record
from portal.staff.visits.back import back_of
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
    context = _context(request, shown) | {
        "zone": shown.visit.zone,
        "told": notifications.timeline(shown.visit.appointment),
        "back": request.get_full_path(),
    }
    return render(request, "portal/staff_visit/visit.html", context)


@staff_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Ask why, and whether the patient is told; then cancel. In the calendar's dialog, or on a page of its own."""
    now = timezone.now()
    shown = _read(request, appointment_id, now)
    in_dialog = bool(getattr(request, "htmx", False))
    if not (shown.visit.is_promised or shown.visit.is_held):
        if in_dialog:
            return done(request, _("This visit is not booked any more."), shown.visit.start)
        return redirect(back_of(request).on(reverse("portal:staff-visit", args=[appointment_id])))
    form = StaffCancelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _cancel(request, shown, form, now)
    template = f"portal/staff_visit/{'cancel_dialog' if in_dialog else 'cancel'}.html"
    status = REFUSED if in_dialog and form.errors else 200
    return render(request, template, _context(request, shown) | {"form": form}, status=status)


def _cancel(request: HttpRequest, shown: StaffVisit, form: StaffCancelForm, now: datetime) -> HttpResponse:
    reason = {"text": form.cleaned_data["reason"]}
    try:
        booking.cancel(
            shown.visit.id, caller=caller_of(request), now=now, reason=reason, tell=form.cleaned_data["tell"]
        )
    except SchedulingError as refusal:
        return _answered(request, shown, str(refusal), messages.error, now)
    told = _("The visit is cancelled, and its time is free.")
    if getattr(request, "htmx", False) and shown.visit.is_booked:
        undo: Undo = {"url": reverse("portal:staff-restore", args=[shown.visit.id]), "fields": {}}
        return done(request, told, shown.visit.start, undo=undo)
    return _answered(request, shown, told, messages.success, now)


@staff_required
@require_POST
def restore(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Undo a cancellation: from the calendar's message, or from the visit's page."""
    now = timezone.now()
    shown = _read(request, appointment_id, now)
    try:
        booking.restore(shown.visit.id, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        if getattr(request, "htmx", False):
            context = _context(request, shown) | {"refusal": str(refusal)}
            return render(request, "portal/staff_visit/not_restored.html", context, status=REFUSED)
        return _answered(request, shown, str(refusal), messages.error, now)
    return _answered(request, shown, _("The visit is booked again."), messages.success, now)


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
    return _answered(request, shown, told, say, now)


def _answered(
    request: HttpRequest, shown: StaffVisit, told: str, say: Callable[[HttpRequest, str], None], now: datetime
) -> HttpResponse:
    """In the calendar's dialog, back to the calendar; else to the visit, if it is still one that they work with."""
    if getattr(request, "htmx", False):
        return done(request, told, shown.visit.start)
    say(request, told)
    returns = back_of(request)
    if record.read(caller_of(request), shown.visit.id, now=now) is None:
        return redirect(returns.address)
    return redirect(returns.on(reverse("portal:staff-visit", args=[shown.visit.id])))


def _context(request: HttpRequest, shown: StaffVisit) -> dict[str, Any]:
    """The context of all pages of a visit: the visit, the list to go back to, and the pages that lead on from here."""
    returns, visit_id = back_of(request), shown.visit.id
    return {
        "shown": shown,
        "visit": shown.visit,
        "returns": returns,
        "visit_page": returns.on(reverse("portal:staff-visit", args=[visit_id])),
        "cancel_page": returns.on(reverse("portal:staff-cancel", args=[visit_id])),
    }


def _read(request: HttpRequest, appointment_id: str, now: datetime) -> StaffVisit:
    shown = record.read(caller_of(request), appointment_id, now=now)
    if shown is None:
        raise Http404
    disclosures.opened(caller_of(request), shown.visit.appointment, now=now)
    return shown
