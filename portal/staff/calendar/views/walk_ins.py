"""Views of walk-ins: patients who come without a visit, and the undo of one."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import time_text
from clinic.models import Appointment, HealthcareService, Location, Schedule
from clinic.translations import actor_name
from portal.appointments.refusals import refusal_text
from portal.common.callers import caller_of, worker_required
from portal.staff.calendar import patient_choice, requested_visits
from portal.staff.calendar.dialogs import REFUSED, Context, Undo, done, refused, show
from portal.staff.calendar.explanations import explanation_address
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.next_free import next_free, read_value
from portal.staff.calendar.parameters import another_that_day, appointment_or_404, is_update
from portal.staff.calendar.requested_visits import RequestedVisit
from portal.staff.calendar.selection import calendars
from portal.staff.calendar.visit_forms import WalkInForm
from portal.staff.sites import chosen_site, sites
from scheduling import booking
from scheduling.availability import Offering
from scheduling.booking import BookingRequest, StatusRequest
from scheduling.errors import SchedulingError
from scheduling.visit_zone import zone_of_schedule


@dataclass(frozen=True, kw_only=True)
class WalkInRequest:
    """A request of the walk-in page: its site, and the caller's calendars there with their services."""

    request: HttpRequest
    site: Location
    other_sites: list[Location]
    calendars: list[Schedule]
    services: list[HealthcareService]
    form: WalkInForm
    now: datetime

    @property
    def service(self) -> HealthcareService | None:
        return next((each for each in self.services if each.fhir_id == self.form["service"].value()), None)

    def show(self, context: Context | None = None, *, status: int = 200) -> HttpResponse:
        service = self.service
        free = next_free(service, self.site, self.calendars, now=self.now) if service else []
        given = {
            "form": self.form,
            "site": self.site,
            "other_sites": self.other_sites,
            "service": service,
            "free": free,
            "calendars": self.calendars,
            "services_missing": not self.services,
            **patient_choice.choice_of(self.request, self.form, self.now),
            "may_override": "anyway" in self.request.POST,
        }
        return show(self.request, "walk_in", given | (context or {}), status=status)


@worker_required
@require_http_methods(["GET", "POST"])
def walk_in(request: HttpRequest) -> HttpResponse:
    """Show who is free next today for a service; one press books that time for the patient, who has arrived."""
    page = _read(request, timezone.now())
    if request.method != "POST" or is_update(request):
        page.form.errors.clear()  # an unfinished form shows no errors
        return page.show()
    taken = read_value(request.POST.get("take", ""), page.calendars)
    if not page.form.is_valid() or page.service is None or taken is None:
        return page.show(status=REFUSED)
    return _book(page, page.service, *taken)


def _read(request: HttpRequest, now: datetime) -> WalkInRequest:
    caller = caller_of(request)
    known = sites(caller)
    site = chosen_site(known, request.GET.get("site", ""))
    here = [each for each in calendars(caller) if each.site_id == site.pk]
    services = requested_visits.services_on(here)
    initial = {"patient": request.GET.get("patient", "")}
    if len(services) == 1:
        initial["service"] = services[0].fhir_id
    form = WalkInForm(request.POST if request.method == "POST" else None, initial=initial, services=services)
    return WalkInRequest(
        request=request,
        site=site,
        other_sites=[each for each in known if each != site],
        calendars=here,
        services=services,
        form=form,
        now=now,
    )


def _book(page: WalkInRequest, service: HealthcareService, schedule: Schedule, start: datetime) -> HttpResponse:
    """Book the visit. A refusal keeps everything that was typed and makes no patient."""
    request, form, now = page.request, page.form, page.now
    caller, patient = caller_of(request), patient_choice.chosen_patient(request, form)
    if patient is None and not form.is_new_patient:
        form.add_error("search", _("Choose the patient again."))
        return page.show(status=REFUSED)
    asked: Context = {"taken": form.cleaned_data["take"]}
    if patient is None and (alike := patient_choice.alike(request, form, now)):
        return page.show(asked | {"alike": alike}, status=REFUSED)
    unsaved = Appointment(patient=patient, service=service)
    if same_day := another_that_day(request, unsaved, start, schedule, now=now):
        return page.show(asked | {"same_day": same_day}, status=REFUSED)
    offerings: tuple[Offering, ...] = ()
    try:
        offerings = requested_visits.arrange(RequestedVisit(service=service, calendar=schedule), start, now=now)
        visit = booking.walk_in(
            BookingRequest(
                service=service,
                offerings=offerings,
                start=start,
                patient=patient,
                register=None if patient else partial(patient_choice.register, request, form, now),
                comment=form.cleaned_data["comment"],
                override=form.cleaned_data["override"],
                activate=form.cleaned_data["activate"],
            ),
            caller=caller,
            now=now,
        )
    except SchedulingError as refusal:
        local = start.astimezone(zone_of_schedule(schedule))
        reasons = refused(
            refusal, may_override=bool(offerings) and requested_visits.may_be_overridden(refusal, caller, offerings)
        )
        why = explanation_address(service.fhir_id, schedule, local)
        return page.show(asked | reasons | {"why": why}, status=REFUSED)
    return _booked(page, visit, schedule, start)


def _booked(page: WalkInRequest, visit: Appointment, schedule: Schedule, start: datetime) -> HttpResponse:
    """Close the calendar's dialog, or redirect to the board: there the visit is, with its undo."""
    if getattr(page.request, "htmx", False):
        local = start.astimezone(zone_of_schedule(schedule))
        values = {"time": time_text.clock(local), "name": actor_name(schedule.bookable.actor)}
        message = _("Booked for %(time)s, %(name)s, and marked as arrived.") % values
        address = reverse("portal:staff-undo-walk-in", args=[visit.fhir_id])
        undo: Undo = {"url": address, "fields": {"version": visit.version}}
        return done(page.request, message, local, undo=undo, warnings=visit.warnings)
    for warning in visit.warnings:
        messages.warning(page.request, warning)
    return redirect(f"{reverse('portal:board')}?{urlencode({'site': page.site.fhir_id, 'walked_in': visit.fhir_id})}")


@worker_required
@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Take back a walk-in that nobody has changed since: it was entered in error, and its time is free again."""
    now = timezone.now()
    appointment = appointment_or_404(request, appointment_id, now)
    if request.method != "POST":
        return redirect("portal:staff-visit", appointment_id)
    version = CalendarQueryForm(request.POST).value("version")
    if version is None:
        raise Http404
    try:
        booking.change_status(
            appointment_id,
            Appointment.Status.ENTERED_IN_ERROR,
            StatusRequest(version=version, tell=False),
            caller=caller_of(request),
            now=now,
        )
    except SchedulingError as refusal:
        return show(
            request, "not_undone", {"refusal": refusal_text(refusal), "appointment": appointment}, status=REFUSED
        )
    if getattr(request, "htmx", False):
        return done(request, _("Undone."), appointment.start or now)
    messages.success(request, _("Undone."))
    site = {"site": appointment.site.fhir_id} if appointment.site else {}
    return redirect(f"{reverse('portal:board')}?{urlencode(site)}")
