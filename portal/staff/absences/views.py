"""Views by which staff enter absences, have other times offered, and follow each affected visit."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Absence
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures, form_drafts
from portal.common.callers import caller_of, staff_required, worker_required
from portal.staff.absences.absence_page import absence_page, span_of, spans_of
from portal.staff.absences.downloads import ABSENCES, VISITS, ConcernedVisit
from portal.staff.absences.forms import AbsenceForm
from portal.staff.absences.people import absentees
from scheduling import absences, access, booking
from scheduling.errors import SchedulingError, VersionConflict

LISTED = 100
# The steps of the page's buttons: the use case, and what the page says after it.
STEPS: dict[str, tuple[Callable[..., Absence], Any]] = {
    "offer": (booking.offer_times, gettext_lazy("Other times are being looked for. Nobody has been told yet.")),
    "send": (booking.send_offers, gettext_lazy("The messages are being sent.")),
    "undo": (booking.undo_offers, gettext_lazy("Undone. Nobody was told.")),
    "end": (booking.end_absence, gettext_lazy("The absence has ended. Visits that were not moved stay as booked.")),
}


@staff_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the absences to come, and those that are over."""
    caller, now = caller_of(request), timezone.now()
    past = "past" in request.GET
    rows = absences.absences_of(caller, now=now, past=past)
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, ABSENCES, spans_of(rows, absentees(caller)), now=now)
    context = {"absences": spans_of(rows[:LISTED], absentees(caller)), "past": past}
    return render(request, "portal/staff/absences/index.html", context)


@worker_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def new(request: HttpRequest) -> HttpResponse:
    """Ask who is away, and block that time."""
    caller = caller_of(request)
    initial = {"who": request.GET.get("who", ""), "first": request.GET.get("day", timezone.now().date())}
    form = form_drafts.form(request, AbsenceForm, people=absentees(caller), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            absence = booking.record_absence(form.request, caller=caller, now=timezone.now())
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("The time is blocked. No new visits are booked in it."))
            return redirect("portal:staff-absence", absence.pk)
    return render(request, "portal/staff/absences/edit.html", {"form": form})


@worker_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def change(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Change the time, the reason or the notice of an absence."""
    caller = caller_of(request)
    absence = _visible(request, absence_id)
    people = absentees(caller)
    if not any(each.is_of(absence) for each in people):
        raise PermissionDenied
    form = form_drafts.form(request, AbsenceForm, people=people, absence=absence)
    if request.method == "POST" and form.is_valid():
        try:
            booking.change_absence(absence.pk, form.request, caller=caller, now=timezone.now())
        except VersionConflict:
            form_drafts.done(request)
            messages.error(
                request, _("Somebody else has changed this absence in the meantime. Look at it, and try again.")
            )
            return redirect("portal:staff-absence", absence.pk)
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("Saved."))
            return redirect("portal:staff-absence", absence.pk)
    context = {"form": form, "span": span_of(absence, caller)}
    return render(request, "portal/staff/absences/edit.html", context)


@staff_required
@require_GET
def absence(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Show the visits of an absence: whom to call, who has not answered yet, and which are settled."""
    caller, now = caller_of(request), timezone.now()
    page = absence_page(_visible(request, absence_id), caller=caller, now=now)
    if csv_lists.is_wanted(request):
        rows = (ConcernedVisit(group.heading, row) for group in page.groups for row in group.rows)
        return csv_lists.download(request, VISITS, rows, now=now)
    disclosures.listed(caller, page.visits, "absence", now=now)
    return render(request, "portal/staff/absences/absence.html", {"page": page})


@staff_required
@require_POST
def step(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Offer other times, send the messages, undo that, or end the absence."""
    _visible(request, absence_id)
    version = request.POST.get("version", "")
    if request.POST.get("step") not in STEPS or not version.isdecimal():
        raise Http404
    act, words = STEPS[request.POST["step"]]
    try:
        act(absence_id, int(version), caller=caller_of(request), now=timezone.now())
        messages.success(request, words)
    except VersionConflict:
        messages.error(request, _("Somebody else has changed this absence in the meantime. This is how it is now."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:staff-absence", absence_id)


@staff_required
@require_POST
def book(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Book one of the held times for a patient on the phone."""
    _visible(request, absence_id)
    visit, hold = request.POST.get("visit", ""), request.POST.get("hold", "")
    try:
        booking.choose_alternative(visit, hold, caller=caller_of(request), now=timezone.now())
        messages.success(request, _("The visit is moved, and the patient gets a message about it."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:staff-absence", absence_id)


@staff_required
@require_POST
def called(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Record that a patient was called whose visit is cancelled."""
    _visible(request, absence_id)
    rebooking = request.POST.get("rebooking", "")
    if not rebooking.isdecimal():
        raise Http404
    try:
        booking.note_call(int(rebooking), caller=caller_of(request), now=timezone.now())
        messages.success(request, _("Recorded."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:staff-absence", absence_id)


def _visible(request: HttpRequest, absence_id: int) -> Absence:
    """Return the absence. Raises Http404 if the caller may not see it."""
    related = [f"bookable__{actor}" for actor in ("practitioner", "location", "device")]
    rows = access.absences(caller_of(request)).filter(pk=absence_id).select_related(*related)
    found = rows.first()
    if found is None:
        raise Http404
    return found
