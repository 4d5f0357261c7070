"""Visits as the people of the clinic make them."""

from dataclasses import dataclass
from datetime import datetime, time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import time_text
from clinic.models import Appointment, Patient, Schedule
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.common.schedules import zone_of
from portal.staff.calendar import arranging
from portal.staff.calendar.arranging import Wish
from portal.staff.calendar.forms import LookForm
from portal.staff.calendar.selection import Selection
from portal.staff.calendar.views.asked import (
    another_that_day,
    at_its_site,
    calendar_of,
    only_asks,
    searches,
    selected,
    sent,
)
from portal.staff.calendar.views.dialogs import REFUSED, Context, done, refused, show
from portal.staff.calendar.visit_forms import VisitForm, WhenForm
from scheduling import access, booking
from scheduling.booking import BookingRequest
from scheduling.errors import SchedulingError
from scheduling.interactions import registration

NINE = time(9)
LEAST_LETTERS = 2
FIRST, MOST, COUNTED = 8, 50, 500  # of those found: shown, shown when asked for more, counted


@dataclass(frozen=True, slots=True)
class Matches:
    """The patients found who are shown, and how many there are in all."""

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
    """Book for a patient: what, when, with whom, for whom; what stands in the way, and what else there is."""
    now = timezone.now()
    selection = selected(request)
    schedule = calendar_of(request, selection)
    form = _visit_form(request, selection, schedule, now)
    if request.method == "POST" and not only_asks(request) and form.is_valid():
        return _book(request, form, schedule, now)
    status = REFUSED if request.method == "POST" and form.errors else 200
    return show(request, "visit_form", _visit_context(request, form, schedule, now), status=status)


def _visit_form(request: HttpRequest, selection: Selection, schedule: Schedule, now: datetime) -> VisitForm:
    services = arranging.services_on([schedule])
    local = LookForm(request.GET).value("start") or datetime.combine(now.astimezone(zone_of(schedule)).date(), NINE)
    initial = {"calendar": schedule.fhir_id, **WhenForm.shown(local.replace(tzinfo=None))}
    if len(services) == 1:
        initial["service"] = services[0].fhir_id
    form = VisitForm(
        sent(request, schedule),
        initial=initial,
        schedules=at_its_site(selection, schedule),
        services=services,
        zone=zone_of(schedule),
    )
    if only_asks(request):
        form.errors.clear()  # nothing is said about what is not finished
    return form


def _book(request: HttpRequest, form: VisitForm, schedule: Schedule, now: datetime) -> HttpResponse:
    """What is refused keeps everything that was typed, and makes no patient."""
    caller, given = caller_of(request), form.cleaned_data
    wish, patient = _wish(form, schedule), _patient(request, form)
    if wish is None or (patient is None and not form.is_new_patient):
        form.add_error("search", _("Choose the patient again."))
        return show(request, "visit_form", _visit_context(request, form, schedule, now), status=REFUSED)
    alike = [] if patient else _alike(request, form)
    if alike:
        context = _visit_context(request, form, schedule, now) | {"alike": alike}
        return show(request, "visit_form", context, status=REFUSED)
    wished = Appointment(patient=patient, service=wish.service)
    if same_day := another_that_day(request, wished, given["start"], schedule, now=now):
        context = _visit_context(request, form, schedule, now) | {"same_day": same_day}
        return show(request, "visit_form", context, status=REFUSED)
    made = None
    try:
        offerings = arranging.arrange(wish, given["start"], now=now)
        if patient is None:
            patient, is_new = _register(request, form, now)
            made = patient if is_new else None
        booking.book(
            BookingRequest(
                service=wish.service,
                offerings=offerings,
                start=given["start"],
                patient=patient,
                comment=given["comment"],
                override=given["override"],
                tell=given["tell"],
                activate=given["activate"],
            ),
            caller=caller,
            now=now,
        )
    except SchedulingError as refusal:
        if made is not None:
            made.delete()
        said = refused(refusal, may_override=_may_override(request, form, schedule, refusal, now))
        context = _visit_context(request, form, schedule, now) | said
        return show(request, "visit_form", context, status=REFUSED)
    start = given["start"].astimezone(zone_of(schedule))
    return done(request, _("The visit is booked for %(time)s.") % {"time": time_text.day_and_time(start)}, start)


def _alike(request: HttpRequest, form: VisitForm) -> list[Patient]:
    """The patients who could be the new one, unless all of them have been said to be somebody else."""
    caller = caller_of(request)
    found = registration.alike(form.new_patient, access.visible(Patient, caller))
    if {each.fhir_id for each in found} <= _different(request):
        return []
    disclosures.listed(caller, found, "patient finder", now=timezone.now())
    return found


def _different(request: HttpRequest) -> set[str]:
    return set(request.POST.get("different", "").split(","))


def _register(request: HttpRequest, form: VisitForm, now: datetime) -> tuple[Patient, bool]:
    """The new patient; the one whom a colleague has just registered, unless that is somebody else."""
    rows = access.visible(Patient, caller_of(request)).exclude(fhir_id__in=_different(request))
    return registration.record_of(form.new_patient, rows, now=now)


def _may_override(
    request: HttpRequest, form: VisitForm, schedule: Schedule, refusal: SchedulingError, now: datetime
) -> bool:
    wish = _wish(form, schedule)
    try:
        offerings = arranging.arrange(wish, form.cleaned_data["start"], now=now) if wish else ()
    except SchedulingError:
        return False
    return arranging.may_be_overridden(refusal, caller_of(request), offerings)


def _visit_context(request: HttpRequest, form: VisitForm, schedule: Schedule, now: datetime) -> Context:
    wish = _wish(form, schedule)
    return {
        "form": form,
        "zone": zone_of(schedule),
        "schedule": schedule,
        **_free(wish, form, schedule, now),
        "start": form.start,
        "patient": _patient(request, form),
        "different": request.POST.get("different", ""),
        "may_override": "anyway" in request.POST,
        "matches": _matches(request) if searches(request) or "more" in request.POST else None,
    }


def _free(wish: Wish | None, form: VisitForm, schedule: Schedule, now: datetime) -> Context:
    """The nearest free times, or why there can be none: `free` is None where no visit is chosen that can be had."""
    if wish is not None:
        return arranging.free_or_why(wish, form.start or now, zone_of(schedule), now=now)
    if form["service"].value():
        why = _("%(who)s does not offer the visit that you chose. Choose another visit or calendar.")
        return {"free": None, "why_none": why % {"who": schedule.bookable}}
    return {"free": None, "why_none": ""}


def _wish(form: VisitForm, schedule: Schedule) -> Wish | None:
    asked = form["service"].value()
    service = next((each for each in arranging.services_on([schedule]) if each.fhir_id == asked), None)
    return Wish(service=service, calendar=schedule) if service else None


def _patient(request: HttpRequest, form: VisitForm) -> Patient | None:
    asked = form["patient"].value()
    if not asked or "forget" in request.POST:
        return None
    return access.visible(Patient, caller_of(request)).filter(fhir_id=asked, deleted_at=None).first()


@staff_required
@require_POST
def patients(request: HttpRequest) -> HttpResponse:
    """Those who could be meant, as choices of the form. Sent, not asked for: names stay out of addresses."""
    return render(request, "portal/staff/_patients.html", {"matches": _matches(request)})


def _matches(request: HttpRequest) -> Matches | None:
    """None where too little was typed to look for."""
    typed = request.POST.get("search", "").strip()
    if len(typed) < LEAST_LETTERS:
        return None
    found = arranging.find_patients(caller_of(request), typed)
    limit = MOST if "more" in request.POST else FIRST
    shown = list(found[: limit + 1])
    total = len(shown) if len(shown) <= limit else found.order_by().values("pk")[: COUNTED + 1].count()
    disclosures.listed(caller_of(request), shown[:limit], "patient finder", now=timezone.now())
    return Matches(shown[:limit], total)
