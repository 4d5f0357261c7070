"""Views of the waiting list for staff: who waits, who was offered what and why, free time and who it suits, and putting
a patient on the list.
"""

from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Appointment, Patient, WaitlistCall
from clinic.time_text import clock
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures
from portal.common.callers import caller_of, staff_required, worker_required
from portal.common.days import moment_of
from portal.finding import times
from portal.staff.back_link import named_list
from portal.staff.calendar.dialogs import done
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.local_times import DAY
from portal.staff.calendar.parameters import selection_or_404
from portal.staff.calendar.requested_visits import find_patients
from portal.staff.calendar.selection import Selection
from portal.staff.waitlist import waits
from portal.staff.waitlist.downloads import CALLS, GAPS, OFFERS, WAITING, Waiting
from portal.staff.waitlist.forms import CallForm, FindForm, PriorityForm
from portal.staff.waitlist.gaps import GapRow, read_candidates, read_gaps
from portal.waitlist.forms import PreferencesForm
from scheduling import access, booking, waitlist
from scheduling.booking import WaitlistRequest
from scheduling.errors import SchedulingError

LAST = timedelta(days=30)  # of which the filled share is shown
MOST_OFFERS = 100
MOST_FOUND = 20
LONGEST = timedelta(days=2)  # of a gap that an address may name


@staff_required
@require_GET
def waiting_list(request: HttpRequest) -> HttpResponse:
    """Show who waits for each service, in the order in which they are asked."""
    caller, now = caller_of(request), timezone.now()
    queues = waits.read_queues(caller, now=now)
    if csv_lists.is_wanted(request):
        return csv_lists.download(
            request, WAITING, (Waiting(queue, row) for queue in queues for row in queue.rows), now=now
        )
    disclosures.listed(caller, (row.entry for queue in queues for row in queue.rows), "waiting list", now=now)
    context = {
        "queues": queues,
        "outcomes": WaitlistCall.Outcome.choices,
        "figure": waits.figure_of(caller, now - LAST, now),
    }
    return render(request, "portal/staff/waitlist/waiting_list.html", context)


@staff_required
@require_GET
def offers(request: HttpRequest) -> HttpResponse:
    """Show the last offers: to whom, which time, what came of it, and who was passed over for which reason; and the
    last calls.
    """
    caller, now = caller_of(request), timezone.now()
    if csv_lists.is_wanted(request):
        if request.GET.get("of") == "calls":
            return csv_lists.download(request, CALLS, waits.read_calls(caller), now=now)
        return csv_lists.download(request, OFFERS, waits.read_offers(caller), now=now)
    rows, calls = waits.read_offers(caller, most=MOST_OFFERS), waits.read_calls(caller, most=MOST_OFFERS)
    entries = [row.entry for row in rows] + [row.call.entry for row in calls]
    disclosures.listed(caller, entries, "offers of the waiting list", now=now)
    return render(request, "portal/staff/waitlist/offers.html", {"offers": rows, "calls": calls})


@worker_required
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Find the patient who is to be put on a list. What is typed is never part of an address."""
    caller = caller_of(request)
    form = FindForm(request.POST if request.method == "POST" else None, services=access.services_worked_with(caller))
    found: list[Patient] | None = None
    if form.is_valid():
        found = list(find_patients(caller, form.cleaned_data["search"])[:MOST_FOUND])
        disclosures.listed(caller, found, "patient finder", now=timezone.now())
    return render(request, "portal/staff/waitlist/find.html", {"form": form, "found": found})


@worker_required
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, service_id: str, patient_id: str) -> HttpResponse:
    """Put a patient on the list of a service, or wait with a booked visit of theirs, which the query names."""
    caller, now = caller_of(request), timezone.now()
    service = get_object_or_404(access.services_worked_with(caller), fhir_id=service_id)
    patient = get_object_or_404(access.visible(Patient, caller), fhir_id=patient_id, deleted_at=None)
    visit = _visit_to_move(request, service.pk, patient.pk)
    data = request.POST if request.method == "POST" else None
    form = PreferencesForm(data, menu=times.read_menu(service, moved=visit), now=now)
    if form.is_valid():
        preferences = form.preferences(replaces=visit.reference if visit else "")
        try:
            booking.join_waitlist(
                WaitlistRequest(service=service, patient=patient, preferences=preferences), caller=caller, now=now
            )
        except SchedulingError as refusal:
            form.add_error(None, " ".join(issue.text for issue in refusal.issues))
        else:
            messages.success(request, _("%(name)s is on the waiting list.") % {"name": patient})
            return redirect("portal:waiting-list")
    context = {"form": form, "service": service, "patient": patient, "visit": visit}
    return render(request, "portal/staff/waitlist/join.html", context)


@staff_required
@require_POST
def prioritise(request: HttpRequest, entry_id: str) -> HttpResponse:
    """Mark how urgent an entry is."""
    form = PriorityForm(request.POST)
    if not form.is_valid():
        raise Http404
    entry = _entry(request, entry_id)
    try:
        booking.prioritise(entry.fhir_id, form.cleaned_data["priority"], caller=caller_of(request), now=timezone.now())
        messages.success(request, _("Saved."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return _to_list(request)


@staff_required
@require_POST
def call(request: HttpRequest, entry_id: str) -> HttpResponse:
    """Note a call to somebody who waits, and what came of it."""
    form = CallForm(request.POST)
    if not form.is_valid():
        raise Http404
    outcome, note = WaitlistCall.Outcome(form.cleaned_data["outcome"]), form.cleaned_data["note"]
    try:
        waitlist.note_call(entry_id, outcome, note, caller=caller_of(request), now=timezone.now())
        messages.success(request, _("The call is noted."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return _to_list(request)


@staff_required
@require_POST
def remove_call(request: HttpRequest, call_id: int) -> HttpResponse:
    """Remove a call that was noted by mistake."""
    try:
        waitlist.remove_call(call_id, caller=caller_of(request), now=timezone.now())
        messages.success(request, _("The call is removed."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return _to_list(request)


@staff_required
@require_POST
def remove(request: HttpRequest, entry_id: str) -> HttpResponse:
    """Take a patient off the list."""
    entry = _entry(request, entry_id)
    try:
        booking.leave_waitlist(entry.fhir_id, caller=caller_of(request), now=timezone.now())
        messages.success(request, _("%(name)s is no longer on the waiting list.") % {"name": entry.patient})
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:waiting-list")


@staff_required
@require_GET
def gaps(request: HttpRequest) -> HttpResponse:
    """Show the gaps of a day or week, and for a chosen one who on the waiting list it suits and why not the others."""
    caller, now = caller_of(request), timezone.now()
    selection, query = selection_or_404(request), CalendarQueryForm(request.GET)
    by_week = request.GET.get("view") == "week"
    day: date = query.value("date") or now.astimezone(selection.zone).date()
    first = day - day.weekday() * DAY if by_week else day
    length = 7 if by_week else 1
    days = read_gaps(selection, first, length, now=now)
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, GAPS, (gap for _day, found in days for gap in found), now=now)
    chosen = _chosen(selection, request.GET.get("calendar", ""), query.value("start"), query.value("end"))
    queues = read_candidates(caller, chosen.gap, selection.zone, now=now) if chosen else []
    disclosures.listed(caller, (row.candidate.entry for queue in queues for row in queue.rows), "free time", now=now)
    context = {
        "selection": selection,
        "zone": selection.zone,
        "days": days,
        "day": day,
        "by_week": by_week,
        "previous": day - length * DAY,
        "following": day + length * DAY,
        "chosen": chosen,
        "queues": [queue for queue in queues if queue.rows],
        "without_time": [queue.service for queue in queues if not queue.rows],
        "back": request.get_full_path(),
        "outcomes": WaitlistCall.Outcome.choices,
        "in_dialog": _is_in_dialog(request),
    }
    page = "gaps_dialog" if _is_in_dialog(request) else "gaps"
    return render(request, f"portal/staff/waitlist/{page}.html", context)


@staff_required
@require_POST
def give(request: HttpRequest, schedule_id: str, entry_id: str) -> HttpResponse:
    """Offer the time to somebody who waits, or book it for them, who are on the phone."""
    caller, now, selection = caller_of(request), timezone.now(), selection_or_404(request)
    moments = (moment_of(request.POST.get(name, "")) for name in ("start", "gap_start", "gap_end"))
    start, first, last = moments
    chosen = _chosen(selection, schedule_id, first, last)
    if chosen is None or start is None:
        raise Http404
    try:
        if "book" in request.POST:
            visit = waitlist.book_gap(entry_id, start, chosen.gap, caller=caller, now=now)
            if _is_in_dialog(request):
                return done(request, _("The visit is booked."), chosen.start)
            messages.success(request, _("The visit is booked."))
            back = {"back": f"{reverse('portal:waiting-list-gaps')}?{urlencode({'date': chosen.start.date()})}"}
            return redirect(f"{reverse('portal:staff-visit', args=[visit.fhir_id])}?{urlencode(back)}")
        offer = waitlist.offer_gap(entry_id, start, chosen.gap, caller=caller, now=now)
        until = clock(offer.expires.astimezone(selection.zone))
        text = _("The time is offered, and kept until %(time)s.") % {"time": until}
        if _is_in_dialog(request):
            return done(request, text, chosen.start)
        messages.success(request, text)
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect(f"{reverse('portal:waiting-list-gaps')}?{urlencode({'date': chosen.start.date()})}")


def _is_in_dialog(request: HttpRequest) -> bool:
    """True if the request comes from the panel beside the calendar."""
    return bool(getattr(request, "htmx", False))


def _entry(request: HttpRequest, entry_id: str) -> Appointment:
    return get_object_or_404(access.waiting(caller_of(request)).select_related("patient"), fhir_id=entry_id)


def _to_list(request: HttpRequest) -> HttpResponse:
    """Go back to the free time that the request names, else to the list."""
    came_from = named_list(request)
    return redirect(came_from.address if came_from else "portal:waiting-list")


def _visit_to_move(request: HttpRequest, service: int, patient: int) -> Appointment | None:
    """The booked visit that the query names. Raises Http404 unless the caller works with it."""
    if not (fhir_id := request.GET.get("visit")):
        return None
    visits = access.staff_appointments(caller_of(request)).select_related("service", "site", "patient")
    booked = visits.filter(status=Appointment.Status.BOOKED, deleted_at=None)
    return get_object_or_404(booked, fhir_id=fhir_id, service=service, patient=patient)


def _chosen(selection: Selection, schedule_id: str, start: datetime | None, end: datetime | None) -> GapRow | None:
    """The gap that a request names. Raises Http404 for a calendar that the caller does not work with."""
    if not schedule_id or start is None or end is None:
        return None
    schedule = selection.one(schedule_id)
    if schedule is None or not start < end <= start + LONGEST:
        raise Http404
    return GapRow(schedule, start.astimezone(selection.zone), end.astimezone(selection.zone))
