"""Parameters of requests to the calendar's pages: the selected calendars and the pressed button."""

from datetime import datetime

from django.http import Http404, HttpRequest, QueryDict

from clinic.models import Appointment, Schedule
from portal.appointments import visits
from portal.appointments.same_day import others_on_a_new_day
from portal.appointments.visits import Visit
from portal.common import disclosures
from portal.common.callers import caller_of
from portal.common.days import moment_of
from portal.staff.calendar import requested_visits
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.selection import PEOPLE, SESSION, Selection, calendars, kind_of, select
from scheduling import access
from scheduling.errors import NotFound
from scheduling.visit_zone import zone_of_schedule

UPDATES = ("pick", "refresh", "find", "more", "forget")  # buttons that update the form and save nothing


def selection_of(request: HttpRequest) -> Selection:
    """Return the calendar named in the query, else the caller's selection.

    Raises NotFound if they work with no calendar, Http404 if the named one is not theirs.
    """
    caller = caller_of(request)
    every = calendars(caller)
    if not every:
        raise NotFound("There is no calendar that you work by.")
    named = CalendarQueryForm(request.GET).value("schedule")
    if not named:
        return select(every, caller, request.session.get(SESSION, {}))
    if named not in {each.fhir_id for each in every}:
        raise Http404
    return select(every, caller, {"calendars": [named]})


def selection_or_404(request: HttpRequest) -> Selection:
    """Return the caller's selection. Raises Http404 if they work with no calendar."""
    try:
        return selection_of(request)
    except NotFound:
        raise Http404 from None


def calendar_of(request: HttpRequest, selection: Selection) -> Schedule:
    """Return the calendar of the form. Raises Http404 if the caller does not work with it."""
    schedule_id = request.POST.get("calendar") or request.GET.get("schedule")
    found = selection.one(schedule_id) if schedule_id else selection.shown[0]
    if found is None:
        raise Http404
    return found


def appointment_or_404(request: HttpRequest, fhir_id: str, now: datetime) -> Appointment:
    """Return the visit if the caller works with it. Raises Http404 otherwise."""
    seen = access.staff_appointments(caller_of(request)).filter(fhir_id=fhir_id, deleted_at=None)
    appointment = seen.exclude(start=None).select_related("service", "patient", "site").first()
    if appointment is None:
        raise Http404
    disclosures.opened(caller_of(request), appointment, now=now)
    return appointment


def calendar_of_visit(request: HttpRequest, appointment: Appointment, selection: Selection) -> Schedule:
    """Return the requested calendar, else the visit's own."""
    if "calendar" in request.POST or "schedule" in request.GET:
        return calendar_of(request, selection)
    own = [selection.one(each.fhir_id) for each in requested_visits.schedules_of(appointment)]
    known = sorted((each for each in own if each), key=lambda each: kind_of(each) != PEOPLE)
    return next(iter(known), selection.shown[0])


def at_its_site(selection: Selection, schedule: Schedule) -> list[Schedule]:
    """Return the calendars of the same site."""
    return [each for each in selection.every if each.site_id == schedule.site_id]


def is_update(request: HttpRequest) -> bool:
    """True if a button or a search for a patient only updates the form and saves nothing."""
    return request.method == "POST" and (any(button in request.POST for button in UPDATES) or is_search(request))


def is_search(request: HttpRequest) -> bool:
    """True if the form is_search for patients: by its button, or by Enter in the search box with nobody chosen yet."""
    named = any(request.POST.get(name) for name in ("patient", "given", "family"))
    return "find" in request.POST or (bool(request.POST.get("search", "").strip()) and not named)


def form_data(request: HttpRequest, schedule: Schedule) -> QueryDict | None:
    """Return the posted data, with a picked free time in place of the typed one; None for a GET."""
    if request.method != "POST":
        return None
    data = request.POST.copy()
    if picked := moment_of(data.get("pick", "")):
        local = picked.astimezone(zone_of_schedule(schedule))
        data["date"], data["time"], data["again"] = local.date().isoformat(), f"{local:%H:%M}", str(local.fold)
    if "forget" in data:
        data["patient"] = ""
    return data


def another_that_day(
    request: HttpRequest, appointment: Appointment, start: datetime, schedule: Schedule, *, now: datetime
) -> list[Visit]:
    """Return the patient's other visits for the service on the day of `start`, unless the form confirms another."""
    if "another" in request.POST or "undo" in request.POST:
        return []
    others = others_on_a_new_day(appointment, start, zone_of_schedule(schedule), caller=caller_of(request))
    return visits.at_their_sites(others, now=now)
