"""Views with which staff book a new visit."""

from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic import time_text
from clinic.models import Appointment, Schedule
from portal.common.callers import caller_of, staff_required, worker_required
from portal.staff.calendar import patient_choice, requested_visits
from portal.staff.calendar.dialogs import REFUSED, Context, done, refused, show
from portal.staff.calendar.explanations import explanation_address
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.parameters import (
    another_that_day,
    appointment_or_404,
    at_its_site,
    calendar_of,
    calendar_of_visit,
    form_data,
    is_update,
    selection_or_404,
)
from portal.staff.calendar.requested_visits import RequestedVisit
from portal.staff.calendar.selection import Selection
from portal.staff.calendar.series_requests import series_request
from portal.staff.calendar.visit_forms import EXTRA_REASON, VisitForm, WhenForm
from scheduling import booking
from scheduling.availability import Offering
from scheduling.booking import BookingRequest
from scheduling.errors import SchedulingError
from scheduling.visit_zone import zone_of_schedule

NINE = time(9)


@worker_required
@require_http_methods(["GET", "POST"])
def new_visit(request: HttpRequest) -> HttpResponse:
    """Book a visit for a patient, with free times to pick and the reasons of a refusal.

    With `like`, the id of another visit, it begins with that visit's patient, service and calendar, weeks later.
    """
    now = timezone.now()
    selection = selection_or_404(request)
    like = appointment_or_404(request, request.GET["like"], now) if request.GET.get("like") else None
    schedule = calendar_of_visit(request, like, selection) if like else calendar_of(request, selection)
    form = _visit_form(request, selection, schedule, now, like)
    if request.method == "POST" and not is_update(request) and form.is_valid():
        return _book(request, form, schedule, now)
    status = REFUSED if request.method == "POST" and form.errors else 200
    return show(request, "visit_form", _visit_context(request, form, schedule, now), status=status)


def _visit_form(
    request: HttpRequest, selection: Selection, schedule: Schedule, now: datetime, like: Appointment | None
) -> VisitForm:
    services = requested_visits.services_on([schedule])
    later = _weeks_later(like, zone_of_schedule(schedule), now) if like else None
    local = (
        later
        or CalendarQueryForm(request.GET).value("start")
        or datetime.combine(now.astimezone(zone_of_schedule(schedule)).date(), NINE)
    )
    initial = {"calendar": schedule.fhir_id, **WhenForm.initial_values(local.replace(tzinfo=None))}
    if patient_id := request.GET.get("patient"):
        initial["patient"] = patient_id
    if len(services) == 1:
        initial["service"] = services[0].fhir_id
    if like is not None:
        initial["service"] = like.service.fhir_id if like.service and like.service in services else ""
        initial["patient"] = like.patient.fhir_id if like.patient else ""
    form = VisitForm(
        form_data(request, schedule),
        initial=initial,
        schedules=at_its_site(selection, schedule),
        services=services,
        zone=zone_of_schedule(schedule),
    )
    if is_update(request):
        form.errors.clear()  # an unfinished form shows no errors
    return form


def _weeks_later(appointment: Appointment, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the first local time still to come that is a whole number of weeks after the visit, at its time of day."""
    assert appointment.start is not None  # `appointment_or_404` finds no other
    start, today = appointment.start.astimezone(zone).replace(tzinfo=None), now.astimezone(zone).replace(tzinfo=None)
    return start + timedelta(weeks=max((today - start) // timedelta(weeks=1), 0) + 1)


def _book(request: HttpRequest, form: VisitForm, schedule: Schedule, now: datetime) -> HttpResponse:
    """Book the visit. A refusal keeps everything that was typed and makes no patient."""
    caller, given = caller_of(request), form.cleaned_data
    requested_visit, patient = _requested_visit(form, schedule), patient_choice.chosen_patient(request, form)
    if requested_visit is None or (patient is None and not form.is_new_patient):
        form.add_error("search", _("Choose the patient again."))
        return show(request, "visit_form", _visit_context(request, form, schedule, now), status=REFUSED)
    alike = [] if patient else patient_choice.alike(request, form, now)
    if alike:
        context = _visit_context(request, form, schedule, now) | {"alike": alike}
        return show(request, "visit_form", context, status=REFUSED)
    unsaved = Appointment(patient=patient, service=requested_visit.service)
    if same_day := another_that_day(request, unsaved, given["start"], schedule, now=now):
        context = _visit_context(request, form, schedule, now) | {"same_day": same_day}
        return show(request, "visit_form", context, status=REFUSED)
    try:
        visit = BookingRequest(
            service=requested_visit.service,
            offerings=requested_visits.arrange(requested_visit, given["start"], now=now),
            start=given["start"],
            patient=patient,
            register=None if patient else partial(patient_choice.register, request, form, now),
            comment=given["comment"],
            override=given["override"],
            overbook=given["overbook"],
            tell=given["tell"],
            activate=given["activate"],
        )
        if given["visits"]:
            request_for_all = series_request(visit, given["visits"], given["weeks"] or 1, given["leave_out"], now=now)
            together = booking.book_series(request_for_all, caller=caller, now=now)
        else:
            together = (booking.book(visit, caller=caller, now=now),)
    except SchedulingError as refusal:
        offerings = _offerings(form, schedule, now)
        may_override = bool(offerings) and requested_visits.may_be_overridden(refusal, caller, offerings)
        may_overbook = not given["visits"] and requested_visits.may_be_overbooked(
            refusal, caller, requested_visit.service, offerings, given["start"], now=now
        )
        if may_overbook:
            form["override"].label = EXTRA_REASON
        reasons = refused(refusal, may_override=may_override, may_overbook=may_overbook)
        context = _visit_context(request, form, schedule, now) | reasons
        return show(request, "visit_form", context, status=REFUSED)
    start = given["start"].astimezone(zone_of_schedule(schedule))
    message = _("The visit is booked for %(time)s.") % {"time": time_text.day_and_time(start)}
    if len(together) > 1:
        message = ngettext("%(count)d visit is booked.", "%(count)d visits are booked.", len(together))
        message %= {"count": len(together)}
    return done(request, message, start, warnings=together[0].warnings)


def _offerings(form: VisitForm, schedule: Schedule, now: datetime) -> tuple[Offering, ...]:
    """Return the schedules of the requested visit; none if it is not possible there at all."""
    requested_visit = _requested_visit(form, schedule)
    try:
        return requested_visits.arrange(requested_visit, form.cleaned_data["start"], now=now) if requested_visit else ()
    except SchedulingError:
        return ()


def _visit_context(request: HttpRequest, form: VisitForm, schedule: Schedule, now: datetime) -> Context:
    requested_visit = _requested_visit(form, schedule)
    return {
        "form": form,
        "zone": zone_of_schedule(schedule),
        "schedule": schedule,
        **_free(requested_visit, form, schedule, now),
        "start": form.start,
        "why": explanation_address(form["service"].value(), schedule, form.start),
        **patient_choice.choice_of(request, form, now),
        "may_override": "anyway" in request.POST,
        "may_overbook": "extra" in request.POST,
    }


def _free(requested_visit: RequestedVisit | None, form: VisitForm, schedule: Schedule, now: datetime) -> Context:
    """Return the nearest free times, or None and the reason if no possible visit is chosen."""
    if requested_visit is not None:
        zone = zone_of_schedule(schedule)
        return requested_visits.free_times_context(requested_visit, form.start or now, zone, now=now)
    if form["service"].value():
        why = _("%(who)s does not offer the visit that you chose. Choose another visit or calendar.")
        return {"free": None, "why_none": why % {"who": schedule.bookable}}
    return {"free": None, "why_none": ""}


def _requested_visit(form: VisitForm, schedule: Schedule) -> RequestedVisit | None:
    service_id = form["service"].value()
    service = next((each for each in requested_visits.services_on([schedule]) if each.fhir_id == service_id), None)
    return RequestedVisit(service=service, calendar=schedule) if service else None


@staff_required
@require_POST
def patients(request: HttpRequest) -> HttpResponse:
    """Return the matching patients as choices of the form. A POST, so that names stay out of addresses."""
    return render(
        request, "portal/staff/calendar/_patients.html", {"matches": patient_choice.matches(request, timezone.now())}
    )
