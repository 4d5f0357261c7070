"""Views of one visit for staff."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Appointment
from portal.appointments.refusals import refusal_text
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.back_link import back_of
from portal.staff.calendar.dialogs import REFUSED, Undo, done
from portal.staff.visits import record
from portal.staff.visits.forms import AnswerForm, StaffCancelForm
from portal.staff.visits.record import StaffVisit
from scheduling import booking, notifications
from scheduling.booking import StatusRequest
from scheduling.errors import SchedulingError

ANSWERED = {
    Appointment.Status.BOOKED: _lazy("The visit is booked, and the patient is told."),
    Appointment.Status.PENDING: _lazy("Your answer is noted. Others have still to answer."),
    Appointment.Status.CANCELLED: _lazy("The request is declined. The time is free, and the patient is told."),
}


@staff_required
@require_GET
def visit(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show the visit: patient, reason, answers, messages, history, and the next steps."""
    staff_visit = _read(request, appointment_id, timezone.now())
    context = _context(request, staff_visit) | {
        "zone": staff_visit.visit.zone,
        "timeline": notifications.timeline(staff_visit.visit.appointment),
        "back": request.get_full_path(),
    }
    return render(request, "portal/staff/visits/visit.html", context)


@staff_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Ask for the reason, then cancel the visit: in the calendar's dialog, or on a page of its own."""
    now = timezone.now()
    staff_visit = _read(request, appointment_id, now)
    in_dialog = bool(getattr(request, "htmx", False))
    if not (staff_visit.visit.is_promised or staff_visit.visit.is_held):
        if in_dialog:
            return done(request, _("This visit is not booked any more."), staff_visit.visit.start)
        return redirect(back_of(request).on(reverse("portal:staff-visit", args=[appointment_id])))
    form = StaffCancelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _cancel(request, staff_visit, form, now)
    template = f"portal/staff/visits/{'cancel_dialog' if in_dialog else 'cancel'}.html"
    status = REFUSED if in_dialog and form.errors else 200
    return render(request, template, _context(request, staff_visit) | {"form": form}, status=status)


def _cancel(request: HttpRequest, staff_visit: StaffVisit, form: StaffCancelForm, now: datetime) -> HttpResponse:
    cancelled = StatusRequest(reason={"text": form.cleaned_data["reason"]}, tell=form.cleaned_data["tell"])
    try:
        booking.cancel(staff_visit.visit.id, cancelled, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        return _answered(request, staff_visit, refusal_text(refusal), messages.error, now)
    message = _("The visit is cancelled, and its time is free.")
    if getattr(request, "htmx", False) and staff_visit.visit.is_booked:
        undo: Undo = {"url": reverse("portal:staff-restore", args=[staff_visit.visit.id]), "fields": {}}
        return done(request, message, staff_visit.visit.start, undo=undo)
    return _answered(request, staff_visit, message, messages.success, now)


@staff_required
@require_POST
def restore(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Undo a cancellation: from the calendar's message, or from the visit's page."""
    now = timezone.now()
    staff_visit = _read(request, appointment_id, now)
    try:
        booking.restore(staff_visit.visit.id, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        if getattr(request, "htmx", False):
            context = _context(request, staff_visit) | {"refusal": refusal_text(refusal)}
            return render(request, "portal/staff/visits/not_restored.html", context, status=REFUSED)
        return _answered(request, staff_visit, refusal_text(refusal), messages.error, now)
    return _answered(request, staff_visit, _("The visit is booked again."), messages.success, now)


@staff_required
@require_POST
def answer(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Accept or decline a request: from the visit's page, or in the calendar's dialog."""
    now = timezone.now()
    staff_visit, form = _read(request, appointment_id, now), AnswerForm(request.POST)
    if not form.is_valid():
        raise Http404
    say = messages.success
    try:
        answered = booking.respond(
            staff_visit.visit.id, form.cleaned_data["answer"], caller=caller_of(request), now=now
        )
        message = str(ANSWERED[Appointment.Status(answered.status)])
    except SchedulingError as refusal:
        message, say = refusal_text(refusal), messages.error
    return _answered(request, staff_visit, message, say, now)


@staff_required
@require_POST
def attendance(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Record that the patient will come, as they said on the phone, or undo that."""
    now = timezone.now()
    staff_visit = _read(request, appointment_id, now)
    undo = "undo" in request.POST
    use_case = booking.undo_attendance if undo else booking.confirm_attendance
    try:
        use_case(appointment_id, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        return _answered(request, staff_visit, refusal_text(refusal), messages.error, now)
    if "from_list" in request.POST and not undo:
        return redirect(f"{reverse('portal:worklist')}?{urlencode({'recorded': appointment_id})}")
    message = _("Undone.") if undo else _("Recorded: the patient will come.")
    return _answered(request, staff_visit, message, messages.success, now)


def _answered(
    request: HttpRequest, staff_visit: StaffVisit, message: str, say: Callable[[HttpRequest, str], None], now: datetime
) -> HttpResponse:
    """Close the calendar's dialog, or redirect to the visit, or to the list if the caller no longer works with it."""
    if getattr(request, "htmx", False):
        return done(request, message, staff_visit.visit.start)
    say(request, message)
    returns = back_of(request)
    from_list = "from_list" in request.POST
    if from_list or record.read(caller_of(request), staff_visit.visit.id, now=now) is None:
        return redirect(returns.address)
    return redirect(returns.on(reverse("portal:staff-visit", args=[staff_visit.visit.id])))


def _context(request: HttpRequest, staff_visit: StaffVisit) -> dict[str, Any]:
    """Return the context of all pages of a visit: the visit, the link back, and the addresses of its other pages."""
    returns, visit_id = back_of(request), staff_visit.visit.id
    return {
        "staff_visit": staff_visit,
        "visit": staff_visit.visit,
        "returns": returns,
        "visit_page": returns.on(reverse("portal:staff-visit", args=[visit_id])),
        "move_page": returns.on(reverse("portal:staff-move", args=[visit_id])),
        "cancel_page": returns.on(reverse("portal:staff-cancel", args=[visit_id])),
    }


def _read(request: HttpRequest, appointment_id: str, now: datetime) -> StaffVisit:
    staff_visit = record.read(caller_of(request), appointment_id, now=now)
    if staff_visit is None:
        raise Http404
    disclosures.opened(caller_of(request), staff_visit.visit.appointment, now=now)
    return staff_visit
