"""What a page of the calendar is asked for: which calendars, and by which button."""

from datetime import datetime

from django.http import Http404, HttpRequest, QueryDict

from clinic.models import Appointment, Schedule
from portal.appointments import visits
from portal.appointments.same_day import others_on_a_new_day
from portal.appointments.visits import Visit
from portal.common.callers import caller_of
from portal.common.days import moment_of
from portal.common.schedules import zone_of
from portal.staff.calendar.forms import LookForm
from portal.staff.calendar.selection import SESSION, Selection, calendars, select
from scheduling.errors import NotFound

ASKING = ("pick", "refresh", "find", "more", "forget")  # buttons that change the form and save nothing


def selection_of(request: HttpRequest) -> Selection:
    """The calendars that the caller looks at: the one that the address names, or those chosen before.

    Raises NotFound where they work by none, Http404 where that one is not theirs.
    """
    caller = caller_of(request)
    every = calendars(caller)
    if not every:
        raise NotFound("There is no calendar that you work by.")
    named = LookForm(request.GET).value("schedule")
    if not named:
        return select(every, caller, request.session.get(SESSION, {}))
    if named not in {each.fhir_id for each in every}:
        raise Http404
    return select(every, caller, {"calendars": [named]})


def selected(request: HttpRequest) -> Selection:
    """The calendars of whoever has some: 404 for who has none."""
    try:
        return selection_of(request)
    except NotFound:
        raise Http404 from None


def calendar_of(request: HttpRequest, selection: Selection) -> Schedule:
    """The calendar that the form is about: one that the caller works by, or 404."""
    asked = request.POST.get("calendar") or request.GET.get("schedule")
    found = selection.one(asked) if asked else selection.shown[0]
    if found is None:
        raise Http404
    return found


def at_its_site(selection: Selection, schedule: Schedule) -> list[Schedule]:
    """The calendars of its site."""
    return [each for each in selection.every if each.site_id == schedule.site_id]


def only_asks(request: HttpRequest) -> bool:
    """True if the form is changed by a button or a search for a patient, and not yet to be saved."""
    return request.method == "POST" and (any(button in request.POST for button in ASKING) or searches(request))


def searches(request: HttpRequest) -> bool:
    """True if the form looks for patients: by its button, or by Enter in the search box with nobody chosen yet."""
    named = any(request.POST.get(name) for name in ("patient", "given", "family"))
    return "find" in request.POST or (bool(request.POST.get("search", "").strip()) and not named)


def sent(request: HttpRequest, schedule: Schedule) -> QueryDict | None:
    """What was posted; a free time that was picked takes the place of the one typed."""
    if request.method != "POST":
        return None
    sent = request.POST.copy()
    if picked := moment_of(sent.get("pick", "")):
        local = picked.astimezone(zone_of(schedule))
        sent["date"], sent["time"], sent["again"] = local.date().isoformat(), f"{local:%H:%M}", str(local.fold)
    if "forget" in sent:
        sent["patient"] = ""
    return sent


def another_that_day(
    request: HttpRequest, appointment: Appointment, start: datetime, schedule: Schedule, *, now: datetime
) -> list[Visit]:
    """The patient's other visits of the kind on the day of `start`, until the form says that another is wanted."""
    if "another" in request.POST or "undo" in request.POST:
        return []
    others = others_on_a_new_day(appointment, start, zone_of(schedule), caller=caller_of(request))
    return visits.at_their_sites(others, now=now)
