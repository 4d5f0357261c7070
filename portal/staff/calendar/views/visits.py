"""Views with which staff look at and move visits in the calendar."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic import time_text
from clinic.local_time import in_zone
from clinic.models import Appointment, Schedule, Slot
from clinic.translations import actor_name
from portal.appointments.several import Several
from portal.appointments.visits import Visit, suggestions_of
from portal.common.callers import caller_of, staff_required, worker_required
from portal.common.days import moment_of
from portal.staff.calendar import requested_visits
from portal.staff.calendar.dialogs import CHANGED, REFUSED, Context, Undo, done, refused, show
from portal.staff.calendar.entries import merge_groups, read_entries
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.parameters import (
    another_that_day,
    appointment_or_404,
    at_its_site,
    calendar_of_visit,
    form_data,
    is_update,
    selection_or_404,
)
from portal.staff.calendar.requested_visits import RequestedVisit
from portal.staff.calendar.selection import PEOPLE, Selection, kind_of
from portal.staff.calendar.series_moves import choices_of, move_together
from portal.staff.calendar.visit_forms import MoveForm, WhenForm
from scheduling import access, booking
from scheduling.booking import HERE
from scheduling.errors import SchedulingError, VersionConflict
from scheduling.visit_zone import zone_of_schedule

MINUTE = timedelta(minutes=1)


@staff_required
@require_GET
def peek(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Show a visit in short, and what can be done with it."""
    now = timezone.now()
    appointment = appointment_or_404(request, appointment_id, now)
    schedules = requested_visits.schedules_of(appointment)
    zone = zone_of_schedule(schedules[0]) if schedules else selection_or_404(request).zone
    suggestions = suggestions_of([appointment], {appointment.pk: zone}, now=now)
    context = {
        "visit": Visit(appointment, zone, now, suggestion=suggestions.get(appointment.pk)),
        "zone": zone,
        "with_whom": [actor_name(each.bookable.actor) for each in schedules if kind_of(each) == PEOPLE],
        "rooms": [actor_name(each.bookable.actor) for each in schedules if kind_of(each) != PEOPLE],
        "open": _address("portal:staff-visit", appointment),
        "cancel": _address("portal:staff-cancel", appointment),
        "is_here": appointment.status in HERE,
        "may_change": access.runs_visit(caller_of(request), appointment),
    }
    return show(request, "peek", context)


@staff_required
@require_GET
def group(request: HttpRequest, service_id: str) -> HttpResponse:
    """Show the patients of a group visit, each with a link to their own visit."""
    query = CalendarQueryForm(request.GET)
    start = moment_of(request.GET.get("start", ""))
    selection = selection_or_404(request)
    schedule = selection.one(query.value("schedule") or "")
    if start is None or schedule is None:
        raise Http404
    alone = Selection(every=selection.every, site=schedule.site, shown=[schedule])
    entries = read_entries(caller_of(request), alone, start, start + MINUTE, now=timezone.now())
    groups = [each for each in merge_groups(entries) if each.kind == "group" and each.start == start]
    found = next((each for each in groups if each.id == service_id), None)
    if found is None:
        raise Http404
    context = {
        "group": found,
        "zone": alone.zone,
        "schedule": schedule,
        "day": found.start,
        "start": f"{found.start:%Y-%m-%dT%H:%M}",
    }
    return show(request, "group", context)


def _address(page: str, appointment: Appointment) -> str:
    """Return the address of a page of the visit; empty if this clinic has no such page."""
    try:
        return reverse(page, args=[appointment.fhir_id])
    except NoReverseMatch:
        return ""


@worker_required
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Move a visit to another time, calendar or length. It keeps its old time until the new one is booked."""
    return _change(request, appointment_id, "move_form")


@worker_required
@require_http_methods(["GET", "POST"])
def suggest(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Answer a request with another time, calendar or length. It keeps its time until the patient accepts."""
    return _change(request, appointment_id, "suggest_form")


def _change(request: HttpRequest, appointment_id: str, page: str) -> HttpResponse:
    """Show the form of a new time for the visit, and move it or suggest the time once the form is sent."""
    now = timezone.now()
    appointment = appointment_or_404(request, appointment_id, now)
    selection = selection_or_404(request)
    schedule = calendar_of_visit(request, appointment, selection)
    together = choices_of(request, appointment, schedule, now) if page == "move_form" else []
    form = _move_form(request, appointment, selection, schedule, together)
    if request.method == "POST" and not is_update(request) and form.is_valid():
        chosen = next((each for each in together if each.which == form.cleaned_data.get("which")), None)
        if chosen is not None:
            return _move_series(request, form, chosen, schedule, now)
        act = _move if page == "move_form" else _suggest
        return act(request, form, appointment, schedule, now)
    status = REFUSED if request.method == "POST" and form.errors else 200
    context = _move_context(request, form, appointment, schedule, now)
    if (seen := CalendarQueryForm(request.GET).value("version")) and seen != appointment.version:
        context["refusal"] = [CHANGED]
    return show(request, page, context, status=status)


def _move_form(
    request: HttpRequest,
    appointment: Appointment,
    selection: Selection,
    schedule: Schedule,
    together: Sequence[Several],
) -> MoveForm:
    zone, query = zone_of_schedule(schedule), CalendarQueryForm(request.GET)
    assert appointment.start is not None  # `appointment_or_404` finds no other
    assert appointment.end is not None
    local = query.value("start") or in_zone(appointment.start, zone)
    if local.replace(tzinfo=None) == in_zone(appointment.start, zone).replace(tzinfo=None, fold=0):
        local = in_zone(appointment.start, zone)  # only the calendar changes, not which of two equal hours it is
    minutes = query.value("minutes") or int((appointment.end - appointment.start).total_seconds() // 60)
    form = MoveForm(
        form_data(request, schedule),
        initial={
            "calendar": schedule.fhir_id,
            "minutes": minutes,
            "version": appointment.version,
            **WhenForm.initial_values(local.replace(tzinfo=None)),
        },
        schedules=_who_could(selection, schedule, appointment),
        together=together,
        zone=zone,
    )
    if is_update(request):
        form.errors.clear()
    return form


def _move_series(
    request: HttpRequest, form: MoveForm, together: Several, schedule: Schedule, now: datetime
) -> HttpResponse:
    appointment = together.visit.appointment
    try:
        return move_together(request, form, together, schedule, _undo(form, appointment, schedule), now)
    except SchedulingError as refusal:
        return _refused(request, form, appointment, schedule, refusal, "move_form", now)


def _move(
    request: HttpRequest, form: MoveForm, appointment: Appointment, schedule: Schedule, now: datetime
) -> HttpResponse:
    given, caller = form.cleaned_data, caller_of(request)
    if same_day := another_that_day(request, appointment, given["start"], schedule, now=now):
        context = _move_context(request, form, appointment, schedule, now) | {"same_day": same_day}
        return show(request, "move_form", context, status=REFUSED)
    before = _undo(form, appointment, schedule)
    new_length = _new_length(appointment, given["start"], form.length, schedule)
    override = given["override"] or (_("Undone") if "undo" in request.POST else "")
    try:
        offerings = requested_visits.arrange_move(
            appointment, schedule, given["start"], now=now, duration=timedelta(minutes=given["minutes"])
        )
        moved = booking.reschedule(
            appointment.fhir_id,
            booking.RescheduleRequest(
                offerings=offerings,
                start=given["start"],
                version=given["version"],
                override=override,
                tell=given["tell"],
            ),
            caller=caller,
            now=now,
        )
    except SchedulingError as refusal:
        return _refused(request, form, appointment, schedule, refusal, "move_form", now)
    start = given["start"].astimezone(zone_of_schedule(schedule))
    before["fields"]["version"] = moved.version
    if new_length:
        message = _("The visit now lasts %(length)s.") % {"length": time_text.length(new_length)}
    else:
        message = _("Moved to %(time)s.") % {"time": time_text.day_and_time(start)}
    return done(request, message, start, undo=before, warnings=moved.warnings)


def _new_length(
    appointment: Appointment, start: datetime | None, length: timedelta | None, schedule: Schedule
) -> timedelta | None:
    """Return the requested length if nothing else of the visit changes, else None."""
    assert appointment.start is not None
    assert appointment.end is not None
    if start != appointment.start or length == appointment.end - appointment.start:
        return None
    is_own = Slot.objects.filter(appointment=appointment, schedule=schedule, deleted_at=None).exists()
    return length if is_own else None


def _suggest(
    request: HttpRequest, form: MoveForm, appointment: Appointment, schedule: Schedule, now: datetime
) -> HttpResponse:
    given = form.cleaned_data
    if same_day := another_that_day(request, appointment, given["start"], schedule, now=now):
        context = _move_context(request, form, appointment, schedule, now) | {"same_day": same_day}
        return show(request, "suggest_form", context, status=REFUSED)
    try:
        offerings = requested_visits.arrange_move(
            appointment, schedule, given["start"], now=now, duration=timedelta(minutes=given["minutes"])
        )
        booking.suggest(
            appointment.fhir_id,
            booking.RescheduleRequest(
                offerings=offerings, start=given["start"], version=given["version"], override=given["override"]
            ),
            caller=caller_of(request),
            now=now,
        )
    except SchedulingError as refusal:
        return _refused(request, form, appointment, schedule, refusal, "suggest_form", now)
    start = given["start"].astimezone(zone_of_schedule(schedule))
    message = _("%(time)s is suggested to the patient, and held until they answer.")
    return done(request, message % {"time": time_text.day_and_time(start)}, start)


def _refused(
    request: HttpRequest,
    form: MoveForm,
    appointment: Appointment,
    schedule: Schedule,
    refusal: SchedulingError,
    page: str,
    now: datetime,
) -> HttpResponse:
    """Render the form with the reasons. If somebody else has changed the visit, it has the current version and the
    typed data: saving again then overwrites that version.
    """
    if isinstance(refusal, VersionConflict):
        appointment.refresh_from_db()
        form.data = {**request.POST.dict(), "version": str(appointment.version)}
        reasons: Context = {"refusal": [CHANGED]}
    else:
        may_override = _may_override_move(request, form, appointment, schedule, refusal, now)
        reasons = refused(refusal, may_override=may_override)
    context = _move_context(request, form, appointment, schedule, now) | reasons
    return show(request, page, context, status=REFUSED)


def _undo(form: MoveForm, appointment: Appointment, schedule: Schedule) -> Undo:
    """Return the Undo of a move: the visit's calendar, local time and length so far."""
    assert appointment.start is not None
    assert appointment.end is not None
    own = requested_visits.schedules_of(appointment)
    kind = requested_visits.alike(own, schedule)
    local = in_zone(appointment.start, zone_of_schedule(kind))
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
        start = form.cleaned_data["start"]
        offerings = requested_visits.arrange_move(appointment, schedule, start, now=now, duration=form.length)
    except SchedulingError:
        return False
    return requested_visits.may_be_overridden(refusal, caller_of(request), offerings)


def _move_context(
    request: HttpRequest, form: MoveForm, appointment: Appointment, schedule: Schedule, now: datetime
) -> Context:
    zone = zone_of_schedule(schedule)
    around = form.start or appointment.start or now
    new_length = _new_length(appointment, form.start, form.length, schedule)
    requested_visit = None
    if appointment.service is not None:
        requested_visit = RequestedVisit(
            service=appointment.service, calendar=schedule, without=appointment, duration=form.length
        )
    return {
        "form": form,
        "visit": Visit(appointment, zone, now),
        "zone": zone,
        "schedule": schedule,
        **(
            requested_visits.free_times_context(requested_visit, around, zone, now=now)
            if requested_visit
            else {"free": None}
        ),
        "start": form.start,
        "new_length": new_length,
        "new_end": form.start + new_length if form.start and new_length else None,
        "dragged": "start" in request.GET,
        "held_for": settings.SUGGESTION_HELD_FOR,
        "may_override": "anyway" in request.POST,
    }


def _who_could(selection: Selection, schedule: Schedule, appointment: Appointment) -> list[Schedule]:
    """Return the calendars of the site that offer the service, and the requested one, whose refusal says why."""
    giving = (
        requested_visits.schedules_giving(appointment.service, schedule.site_id) if appointment.service else set[int]()
    )
    return [each for each in at_its_site(selection, schedule) if each.pk in giving or each == schedule]
