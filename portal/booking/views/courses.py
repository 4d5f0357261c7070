"""The view that shows the visits of a course before they are held, and holds them together."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import money
from clinic.models import HealthcareService, Patient
from clinic.visit_place import with_chosen_zone
from portal.appointments import visits
from portal.appointments.refusals import series_refusal_text
from portal.appointments.visits import Visit, own_visit
from portal.booking import holds, referrals, steps
from portal.booking.former_holds import former_hold, held_with, patient_of
from portal.booking.lost_times import REFUSED, lost, menu_of
from portal.booking.planned_form import PlannedTimesForm
from portal.common import form_drafts, limits
from portal.common.callers import caller_of, holder_of
from portal.finding.catalogue import bookable
from portal.finding.courses import CourseChoice, course_choice
from portal.finding.forms import TimeForm
from portal.finding.times import Menu, placed
from scheduling import availability, booking
from scheduling.availability import Course, Offering
from scheduling.availability.series import LONGEST_SERIES
from scheduling.booking import BookingRequest, SeriesRequest
from scheduling.core.intervals import Span
from scheduling.errors import Invalid, SchedulingError, TooManyHolds

CARRIED = ("time", "zone", "visits", "every", "instead_of")


@dataclass(frozen=True, kw_only=True)
class CourseRequest:
    """A course as the address names it: the number of visits, the first of them, and the schedules that take each."""

    service: HealthcareService
    choice: CourseChoice
    course: Course
    menu: Menu
    offerings: tuple[Offering, ...]
    first: datetime
    instead_of: str


@require_http_methods(["GET", "POST"])
@form_drafts.page
def course(request: HttpRequest, service_id: str) -> HttpResponse:
    """Show all visits of the course, with other times for those that are not free; on POST hold them together.

    The time and the rhythm come with the address; a button of the page of times posts them.
    """
    now = timezone.now()
    service = get_object_or_404(bookable(), fhir_id=service_id)
    if "time" in request.POST:
        sent = {name: request.POST[name] for name in CARRIED if name in request.POST}
        return redirect(f"{request.path}?{urlencode(sent)}")
    course_request = _read(request, service)
    if course_request is None:
        messages.error(request, _("Choose one of the times below."))
        return redirect("portal:choose-time", service_id)
    if request.method == "GET" and REFUSED in request.GET and (held := visits.held_by(caller_of(request), now=now)):
        return _show_held(request, course_request, held)
    caller = holder_of(request) if request.method == "POST" else caller_of(request)
    former = former_hold(request, course_request.instead_of, caller, now)
    patient, released = patient_of(former, service, caller), held_with(former)
    planned = availability.plan_course(
        service,
        course_request.offerings,
        course_request.course,
        course_request.first,
        now=now,
        engaged=_engaged(patient, course_request, released, now),
        without=released,
        patients=(patient,) if patient is not None else (),
    )
    if not planned[0].is_free:
        if request.method == "POST":
            return redirect(request.get_full_path())  # reloading the page then sends nothing again
        return lost(
            request,
            course_request.menu,
            course_request.first,
            "taken" if course_request.first > now else "passed",
            kept=False,
            now=now,
        )
    zone = course_request.menu.zone_of(placed(course_request.offerings))
    form = form_drafts.form(request, PlannedTimesForm, planned=planned, zone=zone)
    if request.method == "POST" and form.is_valid():
        if caller.user is None and not limits.allows(request, "hold"):
            return limits.slow_down(request)
        return _hold(request, course_request, form, former, patient, now)
    context = {
        "service": service,
        "menu": course_request.menu,
        "choice": course_request.menu.choice_of(course_request.offerings, course_request.first),
        "course": course_request.choice,
        "rows": form.rows(zone, course_request.offerings[0].rules.duration),
        "form": form,
        "price": money.price_text(service),
        "has_amount": bool(service.price),
        "total": money.total_text([service] * len(planned)) if service.price and not form.fields else "",
        "back": f"{reverse('portal:choose-time', args=[service.fhir_id])}?{_query_of_times(course_request)}",
    }
    return render(request, "portal/booking/course.html", context)


def _read(request: HttpRequest, service: HealthcareService) -> CourseRequest | None:
    """Return the course that the address asks for; None if it is not a possible one."""
    form, choice = TimeForm(request.GET), course_choice(service, request.GET)
    if not form.is_valid() or choice is None or choice.chosen is None:
        return None
    start, schedules = form.cleaned_data["time"]
    menu = menu_of(request, service)
    try:
        offerings = menu.offerings(schedules)
    except Invalid:
        return None
    return CourseRequest(
        service=service,
        choice=choice,
        course=choice.chosen,
        menu=menu,
        offerings=offerings,
        first=start,
        instead_of=form.cleaned_data["instead_of"],
    )


def _engaged(patient: Patient | None, course_request: CourseRequest, besides: list[int], now: datetime) -> list[Span]:
    """Return the time of the patient's other visits; none as long as the patient is not known."""
    if patient is None:
        return []
    first, last = course_request.first - timedelta(days=1), course_request.first + LONGEST_SERIES
    return booking.engagements_of(patient, first, last, now=now, besides=besides)


def _hold(
    request: HttpRequest,
    course_request: CourseRequest,
    form: PlannedTimesForm,
    former: Visit | None,
    patient: Patient | None,
    now: datetime,
) -> HttpResponse:
    starts = tuple(form.starts.values())
    caller = holder_of(request)
    first = BookingRequest(
        service=course_request.service,
        offerings=course_request.offerings,
        start=starts[0],
        patient=patient,
        extra=with_chosen_zone(referrals.elements(request.session), course_request.menu.zone),
    )
    series = SeriesRequest(first=first, starts=starts, zone=course_request.offerings[0].zone, changed=form.changed)
    try:
        held = booking.hold_series(series, caller=caller, now=now, instead_of=former.id if former else None)
    except TooManyHolds:
        return redirect(f"{request.get_full_path()}&{REFUSED}=too-many")
    except SchedulingError as refusal:
        form_drafts.keep(request)
        messages.error(request, series_refusal_text(refusal))
        return redirect(request.get_full_path())
    form_drafts.done(request)
    if former and former.appointment.service != course_request.service:
        form_drafts.forget(request.session)
    holds.remember(request.session, own_visit(request, held[0].fhir_id, now))
    return redirect(steps.next_page(held[0], caller))


def _show_held(request: HttpRequest, course_request: CourseRequest, held: list[Visit]) -> HttpResponse:
    """Render the times that the caller holds already, to go on with or to release for the course."""
    context = {
        "service": course_request.service,
        "menu": course_request.menu,
        "held": held,
        "time": request.GET["time"],
        "course": course_request.choice,
    }
    return render(request, "portal/booking/held.html", context, status=409)


def _query_of_times(course_request: CourseRequest) -> str:
    first = course_request.first.astimezone(course_request.menu.zone_of(placed(course_request.offerings)))
    query = {
        "visits": str(course_request.choice.visits),
        "every": course_request.choice.every,
        "date": f"{first:%Y-%m-%d}",
    }
    return urlencode(query | ({"zone": course_request.menu.zone.key} if course_request.menu.zone else {}))
