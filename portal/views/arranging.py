"""Visits as the people of the clinic make, move and cancel them."""

from datetime import datetime, time, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import words
from clinic.models import Appointment, Patient, Schedule
from portal import arranging, disclosures
from portal.arranging import Wish
from portal.calendar import PEOPLE, Selection, kind_of, zone_of
from portal.calendar_forms import LookForm, MoveForm, VisitForm, WhenForm
from portal.callers import caller_of, staff_required
from portal.views.dialogs import REFUSED, Undo, done, selected, show
from portal.visits import Visit
from scheduling import access, booking
from scheduling.booking import BookingRequest
from scheduling.errors import SchedulingError, VersionConflict

ASKING = ("pick", "refresh", "find", "forget")  # buttons that change the form and save nothing
CHANGED = gettext_lazy(
    "Someone else has changed this visit. What you see is how it stands now; check it and save again."
)
NINE = time(9)
LEAST_LETTERS = 2
Context = dict[str, Any]


@staff_required
@require_http_methods(["GET", "POST"])
def new_visit(request: HttpRequest) -> HttpResponse:
    """Book for a patient: what, when, with whom, for whom; what stands in the way, and what else there is."""
    now = timezone.now()
    selection = selected(request)
    schedule = _calendar(request, selection)
    form = _visit_form(request, selection, schedule, now)
    if request.method == "POST" and not _only_asks(request) and form.is_valid():
        return _book(request, form, schedule, now)
    status = REFUSED if request.method == "POST" and form.errors else 200
    return show(request, "visit_form", _visit_context(request, form, schedule, now), status=status)


def _visit_form(request: HttpRequest, selection: Selection, schedule: Schedule, now: datetime) -> VisitForm:
    services = arranging.services_on([schedule])
    local = LookForm(request.GET).asked("start") or datetime.combine(now.astimezone(zone_of(schedule)).date(), NINE)
    initial = {"calendar": schedule.fhir_id, **WhenForm.shown(local.replace(tzinfo=None))}
    if len(services) == 1:
        initial["service"] = services[0].fhir_id
    form = VisitForm(
        _sent(request, schedule),
        initial=initial,
        schedules=_beside(selection, schedule),
        services=services,
        zone=zone_of(schedule),
    )
    if _only_asks(request):
        form.errors.clear()  # nothing is said about what is not finished
    return form


def _book(request: HttpRequest, form: VisitForm, schedule: Schedule, now: datetime) -> HttpResponse:
    """What is refused keeps everything that was typed, and makes no patient."""
    caller, given = caller_of(request), form.cleaned_data
    wish, patient = _wish(form, schedule), _patient(request, form)
    if wish is None or (patient is None and not form.is_new_patient):
        form.add_error("search", _("Choose the patient again."))
        return show(request, "visit_form", _visit_context(request, form, schedule, now), status=REFUSED)
    made = None
    try:
        offerings = arranging.arrange(wish, given["start"], now=now)
        made = None if patient else form.make_patient(now=now)
        booking.book(
            BookingRequest(
                service=wish.service,
                offerings=offerings,
                start=given["start"],
                patient=patient or made,
                comment=given["comment"],
                override=given["override"],
                tell=given["tell"],
            ),
            caller=caller,
            now=now,
        )
    except SchedulingError as refusal:
        if made is not None:
            made.delete()
        refused = _refused(refusal, may_override=_may_override(request, form, schedule, refusal, now))
        context = _visit_context(request, form, schedule, now) | refused
        return show(request, "visit_form", context, status=REFUSED)
    start = given["start"].astimezone(zone_of(schedule))
    return done(request, _("The visit is booked for %(time)s.") % {"time": words.day_and_time(start)}, start)


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
        "free": arranging.free_times(wish, form.start or now, zone_of(schedule), now=now) if wish else [],
        "start": form.start,
        "patient": _patient(request, form),
        "may_override": "anyway" in request.POST,
        "matches": _matches(request) if "find" in request.POST else None,
    }


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


def _matches(request: HttpRequest) -> list[Patient] | None:
    """None where too little was typed to look for."""
    typed = request.POST.get("search", "").strip()
    if len(typed) < LEAST_LETTERS:
        return None
    found = list(arranging.find_patients(caller_of(request), typed))
    disclosures.listed(caller_of(request), found, "patient finder", now=timezone.now())
    return found


@staff_required
@require_GET
def peek(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """A visit at a glance, and what can be done with it."""
    now = timezone.now()
    appointment = _appointment(request, appointment_id)
    schedules = arranging.schedules_of(appointment)
    zone = zone_of(schedules[0]) if schedules else selected(request).zone
    context = {
        "visit": Visit(appointment, zone, now),
        "zone": zone,
        "schedules": schedules,
        "open": _address("portal:staff-visit", appointment),
        "cancel": _address("portal:staff-cancel", appointment),
    }
    return show(request, "peek", context)


def _address(page: str, appointment: Appointment) -> str:
    """A page of the visit, where this clinic has one."""
    try:
        return reverse(page, args=[appointment.fhir_id])
    except NoReverseMatch:
        return ""


@staff_required
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Another time, calendar or length. The old one stands until the new one is had."""
    now = timezone.now()
    appointment = _appointment(request, appointment_id)
    selection = selected(request)
    schedule = _calendar_to_move_to(request, appointment, selection)
    form = _move_form(request, appointment, selection, schedule)
    if request.method == "POST" and not _only_asks(request) and form.is_valid():
        return _move(request, form, appointment, schedule, now)
    status = REFUSED if request.method == "POST" and form.errors else 200
    context = _move_context(request, form, appointment, schedule, now)
    if (seen := LookForm(request.GET).asked("version")) and seen != appointment.version:
        context["refusal"] = [CHANGED]
    return show(request, "move_form", context, status=status)


def _move_form(request: HttpRequest, appointment: Appointment, selection: Selection, schedule: Schedule) -> MoveForm:
    zone, asked = zone_of(schedule), LookForm(request.GET)
    assert appointment.start is not None  # `_appointment` finds no other
    assert appointment.end is not None
    local = asked.asked("start") or appointment.start.astimezone(zone)
    if local.replace(tzinfo=None) == appointment.start.astimezone(zone).replace(tzinfo=None, fold=0):
        local = appointment.start.astimezone(zone)  # only the calendar changes, not which of two hours it is
    minutes = asked.asked("minutes") or int((appointment.end - appointment.start).total_seconds() // 60)
    form = MoveForm(
        _sent(request, schedule),
        initial={
            "calendar": schedule.fhir_id,
            "minutes": minutes,
            "version": appointment.version,
            **WhenForm.shown(local.replace(tzinfo=None)),
        },
        schedules=_who_could(selection, schedule, appointment),
        zone=zone,
    )
    if _only_asks(request):
        form.errors.clear()
    return form


def _move(
    request: HttpRequest, form: MoveForm, appointment: Appointment, schedule: Schedule, now: datetime
) -> HttpResponse:
    given, caller = form.cleaned_data, caller_of(request)
    before = _undo(form, appointment, schedule)
    override = given["override"] or (_("Undone") if "undo" in request.POST else "")
    try:
        offerings = arranging.to_move(
            appointment, schedule, given["start"], now=now, duration=timedelta(minutes=given["minutes"])
        )
        moved = booking.reschedule(
            appointment.fhir_id,
            offerings=offerings,
            start=given["start"],
            caller=caller,
            now=now,
            version=given["version"],
            override=override,
            tell=given["tell"],
        )
    except VersionConflict:
        return _changed_meanwhile(request, form, appointment, schedule, now)
    except SchedulingError as refusal:
        refused = _refused(refusal, may_override=_may_override_move(request, form, appointment, schedule, refusal, now))
        context = _move_context(request, form, appointment, schedule, now) | refused
        return show(request, "move_form", context, status=REFUSED)
    start = given["start"].astimezone(zone_of(schedule))
    before["fields"]["version"] = moved.version
    return done(request, _("Moved to %(time)s.") % {"time": words.day_and_time(start)}, start, undo=before)


def _changed_meanwhile(
    request: HttpRequest, form: MoveForm, appointment: Appointment, schedule: Schedule, now: datetime
) -> HttpResponse:
    """As it stands now, with what was asked for: whoever saves once more has seen it."""
    appointment.refresh_from_db()
    form.data = {**request.POST.dict(), "version": str(appointment.version)}
    context = _move_context(request, form, appointment, schedule, now) | {"refusal": [CHANGED]}
    return show(request, "move_form", context, status=REFUSED)


def _undo(form: MoveForm, appointment: Appointment, schedule: Schedule) -> Undo:
    """Back to where the visit stands: its calendar, the old time on that calendar's wall, its length."""
    assert appointment.start is not None
    assert appointment.end is not None
    own = arranging.schedules_of(appointment)
    kind = arranging.alike(own, schedule)
    local = appointment.start.astimezone(zone_of(kind))
    return {
        "url": reverse("portal:staff-move", args=[appointment.fhir_id]),
        "fields": {
            "calendar": kind.fhir_id,
            "date": local.date().isoformat(),
            "time": f"{local:%H:%M}",
            "again": str(local.fold),
            "minutes": int((appointment.end - appointment.start).total_seconds() // 60),
            "undo": "1",
            **({"tell": "on"} if form.cleaned_data["tell"] else {}),
        },
    }


def _may_override_move(
    request: HttpRequest,
    form: MoveForm,
    appointment: Appointment,
    schedule: Schedule,
    refusal: SchedulingError,
    now: datetime,
) -> bool:
    try:
        offerings = arranging.to_move(appointment, schedule, form.cleaned_data["start"], now=now)
    except SchedulingError:
        return False
    return arranging.may_be_overridden(refusal, caller_of(request), offerings)


def _move_context(
    request: HttpRequest, form: MoveForm, appointment: Appointment, schedule: Schedule, now: datetime
) -> Context:
    zone = zone_of(schedule)
    around = form.start or appointment.start or now
    wish = None
    if appointment.service is not None:
        wish = Wish(service=appointment.service, calendar=schedule, without=appointment)
    return {
        "form": form,
        "visit": Visit(appointment, zone, now),
        "zone": zone,
        "schedule": schedule,
        "free": arranging.free_times(wish, around, zone, now=now) if wish else [],
        "start": form.start,
        "may_override": "anyway" in request.POST,
    }


def _calendar_to_move_to(request: HttpRequest, appointment: Appointment, selection: Selection) -> Schedule:
    """The one that is asked for, else the one it is on."""
    if "calendar" in request.POST or "schedule" in request.GET:
        return _calendar(request, selection)
    own = [selection.one(each.fhir_id) for each in arranging.schedules_of(appointment)]
    known = sorted((each for each in own if each), key=lambda each: kind_of(each) != PEOPLE)
    return next(iter(known), selection.shown[0])


def _refused(refusal: SchedulingError, *, may_override: bool = False) -> Context:
    return {
        "refusal": list(dict.fromkeys(issue.text for issue in refusal.issues)),
        "may_override": may_override,
    }


def _appointment(request: HttpRequest, fhir_id: str) -> Appointment:
    """A visit that the caller works with, or 404."""
    seen = access.at_work(caller_of(request)).filter(fhir_id=fhir_id, deleted_at=None)
    appointment = seen.exclude(start=None).select_related("service", "patient", "site").first()
    if appointment is None:
        raise Http404
    disclosures.opened(caller_of(request), appointment, now=timezone.now())
    return appointment


def _calendar(request: HttpRequest, selection: Selection) -> Schedule:
    """The calendar that the form is about: one that the caller works by, or 404."""
    asked = request.POST.get("calendar") or request.GET.get("schedule")
    found = selection.one(asked) if asked else selection.shown[0]
    if found is None:
        raise Http404
    return found


def _beside(selection: Selection, schedule: Schedule) -> list[Schedule]:
    """The calendars of its site."""
    return [each for each in selection.every if each.site_id == schedule.site_id]


def _who_could(selection: Selection, schedule: Schedule, appointment: Appointment) -> list[Schedule]:
    """Those of its site that give the visit's service; and the one asked for, to be told why not."""
    giving = arranging.giving(appointment.service, schedule.site_id) if appointment.service else set[int]()
    return [each for each in _beside(selection, schedule) if each.pk in giving or each == schedule]


def _only_asks(request: HttpRequest) -> bool:
    return request.method == "POST" and any(button in request.POST for button in ASKING)


def _sent(request: HttpRequest, schedule: Schedule) -> QueryDict | None:
    """What was posted; a free time that was picked takes the place of the one typed."""
    if request.method != "POST":
        return None
    sent = request.POST.copy()
    if picked := parse_datetime(sent.get("pick", "")):
        local = picked.astimezone(zone_of(schedule))
        sent["date"], sent["time"], sent["again"] = local.date().isoformat(), f"{local:%H:%M}", str(local.fold)
    if "forget" in sent:
        sent["patient"] = ""
    return sent
