"""The calendars that people at the clinic work by: as columns, as a week, as a month, as a list."""

from datetime import date, timedelta

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from clinic import formats, words
from portal.common.callers import caller_of, staff_required
from portal.common.days import day_of, moment_of
from portal.staff.calendar import feed
from portal.staff.calendar.changes import state_of
from portal.staff.calendar.days import read_days
from portal.staff.calendar.forms import LookForm
from portal.staff.calendar.selection import SESSION, Selection, calendars, select
from portal.staff.calendar.views.asked import selection_of
from portal.staff.calendar.wall import DAY, midnight
from scheduling.errors import NotFound

WEEK = 7
SIX_WEEKS = 6 * WEEK
LONGEST = timedelta(days=62)  # that the grid may ask for at once
OVERLAP = timedelta(minutes=1)  # who began to write before we looked may finish after it


@staff_required
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """One day, with a column for each calendar."""
    return _page(request, "day", 1)


@staff_required
@require_GET
def week(request: HttpRequest) -> HttpResponse:
    """The seven days of a week of all calendars chosen."""
    return _page(request, "week", WEEK)


@staff_required
@require_GET
def month(request: HttpRequest) -> HttpResponse:
    """How full the days of a month are."""
    return _page(request, "month", SIX_WEEKS)


@staff_required
@require_GET
def agenda(request: HttpRequest) -> HttpResponse:
    """One day as a list, where everything can be done by keyboard and without JavaScript."""
    return _page(request, "agenda", 1)


def _page(request: HttpRequest, view: str, length: int) -> HttpResponse:
    now = timezone.now()
    try:
        selection = selection_of(request)
    except NotFound:
        return render(request, "portal/staff/empty.html")
    asked = LookForm(request.GET)
    today = now.astimezone(selection.zone).date()
    chosen: date = asked.asked("date") or today
    days = read_days(caller_of(request), selection, _first(view, chosen), length, now=now)
    context = {
        "view": view,
        "selection": selection,
        "zone": selection.zone,
        "days": days,
        "weeks": [days[n : n + WEEK] for n in range(0, length, WEEK)],
        "chosen": chosen,
        "today": today,
        "previous": _beside(view, chosen, -1),
        "following": _beside(view, chosen, 1),
        "now": now.astimezone(selection.zone),
        "offset": f"{now.astimezone(selection.zone):%z}",  # a template's date filter would say that of the server
        "since": (now - OVERLAP).isoformat(),
        "hours": feed.hours_of(days),
        "resources": [{"id": each.fhir_id, "title": str(each.bookable.actor)} for each in selection.shown],
        "headings": {each.date.isoformat(): words.short_day(each.date) for each in days},
    }
    return render(request, f"portal/staff/{'month' if view == 'month' else 'calendar'}.html", context)


def _first(view: str, chosen: date) -> date:
    if view == "month":
        chosen = chosen.replace(day=1)
    since = (chosen.weekday() - formats.first_weekday()) % WEEK
    return chosen - timedelta(days=since) if view in ("week", "month") else chosen


def _beside(view: str, chosen: date, step: int) -> date:
    if view == "month":
        month = chosen.replace(day=15) + step * timedelta(days=30)
        return month.replace(day=1)
    return chosen + step * (WEEK if view == "week" else 1) * DAY


@staff_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Which calendars to look at from now on. Another site starts with the people there."""
    site = request.POST.get("site", "")
    remembered = request.session.get(SESSION, {})
    chosen: dict[str, str | list[str]] = {"site": site, "kind": request.POST.get("kind", "")}
    if site == request.POST.get("from") and not chosen["kind"]:
        chosen["calendars"] = request.POST.getlist("calendars")
    request.session[SESSION] = {**remembered, "calendars": [], **chosen}
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, None) else "portal:day")


@staff_required
@require_GET
def events(request: HttpRequest) -> HttpResponse:
    """What the grid shows between two days, as EventCalendar reads it; times are those on the wall of the site."""
    selection = _asked_selection(request)
    start, end = (day_of(request.GET.get(name, "")) for name in ("start", "end"))
    if start is None or end is None or not start < end <= start + LONGEST:
        days = LONGEST.days
        return JsonResponse(
            {"error": f"start and end are days such as 2026-11-24, the end after the start, at most {days} days."},
            status=400,
        )
    shown = midnight(start, selection.zone), midnight(end, selection.zone)
    apart = request.GET.get("view") != "week"
    shown_events = feed.events(caller_of(request), selection, *shown, now=timezone.now(), apart=apart)
    return JsonResponse(shown_events, safe=False)


@staff_required
@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """Whether anything on these calendars has changed: 304 as long as nothing has."""
    since = moment_of(request.GET.get("since", ""))
    if since is None:
        return JsonResponse({"error": "since is a moment such as 2026-11-24T09:00:00Z."}, status=400)
    state = f'"{state_of(_asked_selection(request), since)}"'
    if request.headers.get("If-None-Match") == state:
        return HttpResponseNotModified(headers={"ETag": state})
    return JsonResponse({"state": state}, headers={"ETag": state})


def _asked_selection(request: HttpRequest) -> Selection:
    """The calendars that the caller looks at; `calendars` are FHIR ids of one site, separated by commas."""
    named = [each for each in request.GET.get("calendars", "").split(",") if each]
    caller = caller_of(request)
    every = calendars(caller)
    if not every or not {each.fhir_id for each in every}.issuperset(named):
        raise Http404
    return select(every, caller, {"calendars": named} if named else request.session.get(SESSION, {}))
