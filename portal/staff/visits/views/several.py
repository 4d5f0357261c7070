"""Views with which staff cancel or move several visits that were booked together."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic.models import Appointment
from portal.appointments import several
from portal.appointments.refusals import series_refusal_text
from portal.appointments.several import Several, SeveralForm
from portal.appointments.visits import Visit
from portal.booking.planned_form import PlannedTimesForm
from portal.common import disclosures
from portal.common.callers import caller_of, worker_required
from portal.staff.back_link import back_of
from portal.staff.calendar import requested_visits
from portal.staff.calendar.parameters import calendar_of_visit, selection_or_404
from portal.staff.calendar.visit_forms import WhenForm
from portal.staff.visits import record
from portal.staff.visits.forms import StaffCancelForm
from portal.staff.visits.record import StaffVisit
from scheduling import booking
from scheduling.availability import Offering, moved_visit_of
from scheduling.booking import Occurrences, RescheduleRequest, StatusRequest
from scheduling.errors import SchedulingError
from scheduling.visit_zone import zone_of_place


class StaffPlannedForm(PlannedTimesForm):
    """Form that moves several visits: other times for those that are taken, and whether the patient is told."""

    tell = forms.BooleanField(label=gettext_lazy("Tell the patient"), required=False, initial=True)


@worker_required
@require_http_methods(["GET", "POST"])
def cancel_several(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show the visits and ask for the reason, then cancel them."""
    now = timezone.now()
    staff_visit, together = _read(request, appointment_id, now)
    form = StaffCancelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        only = [each.id for each in together.visits]
        cancelled = StatusRequest(
            reason={"text": form.cleaned_data["reason"]}, tell=form.cleaned_data["tell"], only=only
        )
        try:
            ended = booking.cancel_series(appointment_id, together.which, cancelled, caller=caller_of(request), now=now)
            messages.success(request, several.cancelled_text(len(ended)))
        except SchedulingError as refusal:
            messages.error(request, series_refusal_text(refusal))
        return redirect(_page(request, staff_visit.visit))
    return render(request, "portal/staff/visits/cancel_several.html", _context(request, staff_visit, together, form))


@worker_required
@require_http_methods(["GET", "POST"])
def move_several(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Ask for the new time of one of the visits, show what becomes of all of them, then move them."""
    now = timezone.now()
    staff_visit, together = _read(request, appointment_id, now)
    visit = staff_visit.visit
    if visit.appointment.is_combined or visit.appointment.service is None:
        raise Http404
    zone = zone_of_place(visit.appointment)
    initial = WhenForm.initial_values(visit.appointment.start.astimezone(zone)) if visit.appointment.start else {}
    when = WhenForm(request.GET if "date" in request.GET else None, zone=zone, initial=initial)
    context = _context(request, staff_visit, together, when)
    if when.is_bound and when.is_valid() and when.cleaned_data["start"]:
        start = when.cleaned_data["start"]
        offerings = _offerings(request, visit.appointment, start, now)
        planned = several.planned_moves(visit.appointment, together.visits, offerings, start, now=now)
        form = StaffPlannedForm(
            request.POST if request.method == "POST" else None, planned=planned, zone=zone, is_move=True
        )
        if form.is_valid():
            return _move(request, staff_visit, together, offerings, form, now)
        context |= {
            "planned_form": form,
            "moves": list(zip(together.visits, form.rows(zone, offerings[0].rules.duration), strict=True)),
        }
    return render(request, "portal/staff/visits/move_several.html", context)


def _offerings(request: HttpRequest, appointment: Appointment, start: datetime, now: datetime) -> tuple[Offering, ...]:
    """Return the schedules of the visits from now on: with the calendar that the address names, else their own."""
    if not request.GET.get("schedule"):
        return moved_visit_of(appointment).own
    selection = selection_or_404(request)
    schedule = calendar_of_visit(request, appointment, selection)
    return requested_visits.arrange_move(appointment, schedule, start, now=now)


def _move(
    request: HttpRequest,
    staff_visit: StaffVisit,
    together: Several,
    offerings: tuple[Offering, ...],
    form: StaffPlannedForm,
    now: datetime,
) -> HttpResponse:
    starts = form.starts
    moves = {
        visit.id: RescheduleRequest(offerings=offerings, start=starts[number])
        for number, visit in enumerate(together.visits, 1)
        if number in starts
    }
    try:
        moved = booking.reschedule_series(
            staff_visit.visit.id, moves, caller=caller_of(request), now=now, tell=form.cleaned_data["tell"]
        )
        messages.success(request, several.moved_text(len(moved)))
    except SchedulingError as refusal:
        messages.error(request, series_refusal_text(refusal))
        return redirect(request.get_full_path())
    return redirect(_page(request, staff_visit.visit))


def _read(request: HttpRequest, appointment_id: str, now: datetime) -> tuple[StaffVisit, Several]:
    """Return the visit and the visits that the address names. Raises Http404 if they are not several."""
    staff_visit = record.read(caller_of(request), appointment_id, now=now)
    which = SeveralForm(request.GET).value("which") or Occurrences.ALL
    if staff_visit is None:
        raise Http404
    together = several.several_of(staff_visit.visit, staff_visit.together, Occurrences(which))
    if len(together.visits) < 2:
        raise Http404
    disclosures.opened(caller_of(request), staff_visit.visit.appointment, now=now)
    return staff_visit, together


def _page(request: HttpRequest, visit: Visit) -> str:
    return back_of(request).on(reverse("portal:staff-visit", args=[visit.id]))


def _context(request: HttpRequest, staff_visit: StaffVisit, together: Several, form: forms.Form) -> dict[str, Any]:
    return {
        "staff_visit": staff_visit,
        "visit": staff_visit.visit,
        "several": together,
        "form": form,
        "returns": back_of(request),
        "visit_page": _page(request, staff_visit.visit),
    }
