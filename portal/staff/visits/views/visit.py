"""Views of one visit for staff."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Appointment
from portal.appointments.refusals import refusal_text
from portal.common import disclosures
from portal.common.callers import any_staff_required, caller_of, staff_required, worker_required
from portal.staff.back_link import BackLink, back_of, named_list
from portal.staff.calendar.dialogs import REFUSED, Undo, done
from portal.staff.visits import coverage_checks, payment_forms, record
from portal.staff.visits.forms import AnswerForm, CoverageCheckForm, NoteForm, RecallForm, StaffCancelForm
from portal.staff.visits.record import StaffVisit
from scheduling import access, booking, notifications, payments
from scheduling.booking import StatusRequest
from scheduling.errors import SchedulingError
from scheduling.interactions.details import change_details

ANSWERED = {
    Appointment.Status.BOOKED: gettext_lazy("The visit is booked, and the patient is told."),
    Appointment.Status.PENDING: gettext_lazy("Your answer is noted. Others have still to answer."),
    Appointment.Status.CANCELLED: gettext_lazy("The request is declined. The time is free, and the patient is told."),
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
        "record": record.payments_of(staff_visit.visit.appointment),
        "may_change": access.runs_visit(caller_of(request), staff_visit.visit.appointment),
        "may_handle_payments": access.may_handle_payments(caller_of(request), staff_visit.visit.appointment),
        "recall_form": RecallForm(auto_id="recall_%s"),
        "note_form": NoteForm(),
    }
    return render(request, "portal/staff/visits/visit.html", context)


@worker_required
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
    was_paid = staff_visit.visit.is_booked and booking.is_paid_online(staff_visit.visit.appointment)
    form = StaffCancelForm(request.POST if request.method == "POST" else None, was_paid=was_paid)
    if form.is_valid():
        return _cancel(request, staff_visit, form, now)
    template = f"portal/staff/visits/{'cancel_dialog' if in_dialog else 'cancel'}.html"
    status = REFUSED if in_dialog and form.errors else 200
    context = _context(request, staff_visit) | {
        "form": form,
        "balance": payments.balance_of(staff_visit.visit.appointment),
    }
    return render(request, template, context, status=status)


def _cancel(request: HttpRequest, staff_visit: StaffVisit, form: StaffCancelForm, now: datetime) -> HttpResponse:
    cancelled = StatusRequest(
        reason={"text": form.cleaned_data["reason"]},
        tell=form.cleaned_data["tell"],
        by_patient=form.cleaned_data.get("by_patient", False),
    )
    try:
        booking.cancel(staff_visit.visit.id, cancelled, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        return _finish(request, staff_visit, refusal_text(refusal), messages.error, now)
    message = _("The visit is cancelled, and its time is free.")
    if getattr(request, "htmx", False) and staff_visit.visit.is_booked:
        undo: Undo = {"url": reverse("portal:staff-restore", args=[staff_visit.visit.id]), "fields": {}}
        return done(request, message, staff_visit.visit.start, undo=undo)
    return _finish(request, staff_visit, message, messages.success, now)


@any_staff_required
@require_http_methods(["GET", "POST"])
def payment(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show what was paid for the visit, with the forms for what can be done about it."""
    now = timezone.now()
    staff_visit = _read(request, appointment_id, now)
    appointment = staff_visit.visit.appointment
    if not access.may_handle_payments(caller_of(request), appointment):
        raise PermissionDenied
    payments = record.payments_of(appointment)
    context = _context(request, staff_visit)
    if payments is None:
        return redirect(context["visit_page"])
    action = request.POST.get("action", "")
    forms = payment_forms.forms_for(request, payments, action)
    form = forms.get(action)
    if form and form.is_valid() and payment_forms.decide(request, appointment, action, form, now):
        return redirect(back_of(request).on(reverse("portal:staff-payment", args=[appointment_id])))
    return render(request, "portal/staff/visits/payment.html", context | {"record": payments, "forms": forms})


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
        return _finish(request, staff_visit, refusal_text(refusal), messages.error, now)
    return _finish(request, staff_visit, _("The visit is booked again."), messages.success, now)


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
    return _finish(request, staff_visit, message, say, now)


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
        return _finish(request, staff_visit, refusal_text(refusal), messages.error, now)
    if "from_list" in request.POST and not undo:
        worklist = named_list(request) or BackLink(reverse("portal:worklist"), "")
        return redirect(worklist.with_parameters(recorded=appointment_id))
    message = _("Undone.") if undo else _("Recorded: the patient will come.")
    return _finish(request, staff_visit, message, messages.success, now)


@any_staff_required
@require_POST
def check_coverage(request: HttpRequest, appointment_id: str, coverage_id: str) -> HttpResponse:
    """Verify or reject a coverage of the visit's patient, who is told."""
    now = timezone.now()
    staff_visit, form = _read(request, appointment_id, now), CoverageCheckForm(request.POST)
    if not form.is_valid() or coverage_id not in {each.fhir_id for each in staff_visit.coverages}:
        raise Http404
    try:
        message = coverage_checks.decide(form, coverage_id, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        return _finish(request, staff_visit, refusal_text(refusal), messages.error, now)
    return _finish(request, staff_visit, message, messages.success, now)


@staff_required
@require_POST
def verify_identity(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Record that the clinic has checked the patient's name and birth date, or undo that."""
    now = timezone.now()
    staff_visit = _read(request, appointment_id, now)
    if staff_visit.patient is None:
        raise Http404
    verified = {"identity_verified": "undo" not in request.POST}
    try:
        change_details(staff_visit.patient.fhir_id, verified, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        return _finish(request, staff_visit, refusal_text(refusal), messages.error, now)
    return _finish(request, staff_visit, _("Recorded."), messages.success, now)


def _finish(
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
        "may_check": access.may_verify_coverage(caller_of(request)),
        "visit_page": returns.on(reverse("portal:staff-visit", args=[visit_id])),
        "move_page": returns.on(reverse("portal:staff-move", args=[visit_id])),
        "room_page": returns.on(reverse("portal:staff-room", args=[visit_id])),
        "payment_page": returns.on(reverse("portal:staff-payment", args=[visit_id])),
        "cancel_page": returns.on(reverse("portal:staff-cancel", args=[visit_id])),
    }


def _read(request: HttpRequest, appointment_id: str, now: datetime) -> StaffVisit:
    staff_visit = record.read(caller_of(request), appointment_id, now=now)
    if staff_visit is None:
        raise Http404
    disclosures.opened(caller_of(request), staff_visit.visit.appointment, now=now)
    return staff_visit
