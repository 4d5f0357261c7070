"""Views with which staff book a new visit."""

from dataclasses import dataclass
from datetime import datetime, time
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import time_text
from clinic.models import Appointment, Patient, Schedule
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.calendar import requested_visits
from portal.staff.calendar.dialogs import REFUSED, Context, done, refused, show
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.parameters import (
    another_that_day,
    at_its_site,
    calendar_of,
    form_data,
    is_search,
    is_update,
    selection_or_404,
)
from portal.staff.calendar.requested_visits import RequestedVisit
from portal.staff.calendar.selection import Selection
from portal.staff.calendar.visit_forms import VisitForm, WhenForm
from scheduling import access, booking
from scheduling.booking import BookingRequest
from scheduling.errors import SchedulingError
from scheduling.interactions import registration
from scheduling.visit_zone import zone_of_schedule

NINE = time(9)
LEAST_LETTERS = 2
FIRST, MOST, COUNTED = 8, 50, 500  # patients found: listed at first, listed on request, counted


@dataclass(frozen=True, slots=True)
class Matches:
    """The listed patients of a search, and the number of all matches."""

    patients: list[Patient]
    total: int

    @property
    def others(self) -> int:
        return min(self.total, COUNTED) - len(self.patients)

    @property
    def has_uncounted(self) -> bool:
        return self.total > COUNTED

    @property
    def can_show_more(self) -> bool:
        return self.others > 0 and len(self.patients) < MOST


@staff_required
@require_http_methods(["GET", "POST"])
def new_visit(request: HttpRequest) -> HttpResponse:
    """Book a visit for a patient, with free times to pick and the reasons of a refusal."""
    now = timezone.now()
    selection = selection_or_404(request)
    schedule = calendar_of(request, selection)
    form = _visit_form(request, selection, schedule, now)
    if request.method == "POST" and not is_update(request) and form.is_valid():
        return _book(request, form, schedule, now)
    status = REFUSED if request.method == "POST" and form.errors else 200
    return show(request, "visit_form", _visit_context(request, form, schedule, now), status=status)


def _visit_form(request: HttpRequest, selection: Selection, schedule: Schedule, now: datetime) -> VisitForm:
    services = requested_visits.services_on([schedule])
    local = CalendarQueryForm(request.GET).value("start") or datetime.combine(
        now.astimezone(zone_of_schedule(schedule)).date(), NINE
    )
    initial = {"calendar": schedule.fhir_id, **WhenForm.initial_values(local.replace(tzinfo=None))}
    if len(services) == 1:
        initial["service"] = services[0].fhir_id
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


def _book(request: HttpRequest, form: VisitForm, schedule: Schedule, now: datetime) -> HttpResponse:
    """Book the visit. A refusal keeps everything that was typed and makes no patient."""
    caller, given = caller_of(request), form.cleaned_data
    requested_visit, patient = _requested_visit(form, schedule), _patient(request, form)
    if requested_visit is None or (patient is None and not form.is_new_patient):
        form.add_error("search", _("Choose the patient again."))
        return show(request, "visit_form", _visit_context(request, form, schedule, now), status=REFUSED)
    alike = [] if patient else _alike(request, form)
    if alike:
        context = _visit_context(request, form, schedule, now) | {"alike": alike}
        return show(request, "visit_form", context, status=REFUSED)
    unsaved = Appointment(patient=patient, service=requested_visit.service)
    if same_day := another_that_day(request, unsaved, given["start"], schedule, now=now):
        context = _visit_context(request, form, schedule, now) | {"same_day": same_day}
        return show(request, "visit_form", context, status=REFUSED)
    try:
        booked = booking.book(
            BookingRequest(
                service=requested_visit.service,
                offerings=requested_visits.arrange(requested_visit, given["start"], now=now),
                start=given["start"],
                patient=patient,
                register=None if patient else partial(_register, request, form, now),
                comment=given["comment"],
                override=given["override"],
                tell=given["tell"],
                activate=given["activate"],
            ),
            caller=caller,
            now=now,
        )
    except SchedulingError as refusal:
        refusal_context = refused(refusal, may_override=_may_override(request, form, schedule, refusal, now))
        context = _visit_context(request, form, schedule, now) | refusal_context
        return show(request, "visit_form", context, status=REFUSED)
    start = given["start"].astimezone(zone_of_schedule(schedule))
    message = _("The visit is booked for %(time)s.") % {"time": time_text.day_and_time(start)}
    return done(request, message, start, warnings=booked.warnings)


def _alike(request: HttpRequest, form: VisitForm) -> list[Patient]:
    """Return the patients who may be the same person, unless staff have said that all of them are others."""
    caller = caller_of(request)
    found = registration.similar_patients(form.new_patient, access.visible(Patient, caller))
    if {each.fhir_id for each in found} <= _different(request):
        return []
    disclosures.listed(caller, found, "patient finder", now=timezone.now())
    return found


def _different(request: HttpRequest) -> set[str]:
    return set(request.POST.get("different", "").split(","))


def _register(request: HttpRequest, form: VisitForm, now: datetime) -> Patient:
    """Register the new patient; if a colleague has just registered the same person, return that record."""
    rows = access.visible(Patient, caller_of(request)).exclude(fhir_id__in=_different(request))
    patient, _is_new = registration.find_or_register(form.new_patient, rows, now=now)
    return patient


def _may_override(
    request: HttpRequest, form: VisitForm, schedule: Schedule, refusal: SchedulingError, now: datetime
) -> bool:
    requested_visit = _requested_visit(form, schedule)
    try:
        offerings = (
            requested_visits.arrange(requested_visit, form.cleaned_data["start"], now=now) if requested_visit else ()
        )
    except SchedulingError:
        return False
    return requested_visits.may_be_overridden(refusal, caller_of(request), offerings)


def _visit_context(request: HttpRequest, form: VisitForm, schedule: Schedule, now: datetime) -> Context:
    requested_visit = _requested_visit(form, schedule)
    return {
        "form": form,
        "zone": zone_of_schedule(schedule),
        "schedule": schedule,
        **_free(requested_visit, form, schedule, now),
        "start": form.start,
        "patient": _patient(request, form),
        "different": request.POST.get("different", ""),
        "may_override": "anyway" in request.POST,
        "matches": _matches(request) if is_search(request) or "more" in request.POST else None,
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


def _patient(request: HttpRequest, form: VisitForm) -> Patient | None:
    patient_id = form["patient"].value()
    if not patient_id or "forget" in request.POST:
        return None
    return access.visible(Patient, caller_of(request)).filter(fhir_id=patient_id, deleted_at=None).first()


@staff_required
@require_POST
def patients(request: HttpRequest) -> HttpResponse:
    """Return the matching patients as choices of the form. A POST, so that names stay out of addresses."""
    return render(request, "portal/staff/calendar/_patients.html", {"matches": _matches(request)})


def _matches(request: HttpRequest) -> Matches | None:
    """Return the matches of the search, or None if too little was typed."""
    typed = request.POST.get("search", "").strip()
    if len(typed) < LEAST_LETTERS:
        return None
    found = requested_visits.find_patients(caller_of(request), typed)
    limit = MOST if "more" in request.POST else FIRST
    patients = list(found[: limit + 1])
    total = len(patients) if len(patients) <= limit else found.order_by().values("pk")[: COUNTED + 1].count()
    disclosures.listed(caller_of(request), patients[:limit], "patient finder", now=timezone.now())
    return Matches(patients[:limit], total)
