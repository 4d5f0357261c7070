"""Views of the staff's calendars: day, week, month and agenda."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from clinic import formats, time_text
from portal.common import csv_lists
from portal.common.callers import any_staff_required, caller_of, staff_required
from portal.common.days import day_of, moment_of
from portal.staff.calendar import feed
from portal.staff.calendar.changes import state_of
from portal.staff.calendar.days import hours_shown, read_days
from portal.staff.calendar.downloads import CALENDAR, entries_of
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.local_times import DAY, new_visit_start
from portal.staff.calendar.parameters import selection_of
from portal.staff.calendar.selection import SESSION, Selection, calendars, run_by, select
from portal.staff.calendar.snapping import snap_minutes
from portal.staff.calendar.tallies import read_tallies, read_week_by_person
from scheduling.errors import NotFound

WEEK = 7
SIX_WEEKS = 6 * WEEK
SIDE_BY_SIDE = 3  # calendars that fit side by side in a week
GRID_COOKIE = "calendar_grid"  # set by calendar-grid.js
LONGEST = timedelta(days=62)  # longest period of one request for events
OVERLAP = timedelta(minutes=1)  # a transaction that began before this request may commit after it


@staff_required
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """Show one day, with a column for each calendar."""
    return _page(request, "day", _grid_or_list)


@staff_required
@require_GET
def week(request: HttpRequest) -> HttpResponse:
    """Show a week: a few calendars as a grid, many with a row for each."""
    return _page(request, "week", _week)


@staff_required
@require_GET
def month(request: HttpRequest) -> HttpResponse:
    """Show how full the days of a month are."""
    return _page(request, "month", _month)


@staff_required
@require_GET
def agenda(request: HttpRequest) -> HttpResponse:
    """Show one day as a list, which works by keyboard and without JavaScript."""
    return _page(request, "agenda", _list)


@dataclass(frozen=True, kw_only=True)
class CalendarRequest:
    """A request for a page of the calendar: its selection, first day and time."""

    request: HttpRequest
    view: str
    selection: Selection
    first: date
    now: datetime

    @property
    def days(self) -> int:
        return {"week": WEEK, "month": SIX_WEEKS}.get(self.view, 1)

    @property
    def is_grid(self) -> bool:
        """True if the browser draws the grid. Without JavaScript and on phones the page is a list."""
        return self.request.COOKIES.get(GRID_COOKIE) == "1" and not self.wants_list

    @property
    def wants_list(self) -> bool:
        return self.request.GET.get("as") == "list"


def _page(request: HttpRequest, view: str, context_of: Callable[[CalendarRequest], dict[str, Any]]) -> HttpResponse:
    now = timezone.now()
    try:
        selection = selection_of(request)
    except NotFound:
        return render(request, "portal/staff/empty.html")
    today = now.astimezone(selection.zone).date()
    chosen: date = CalendarQueryForm(request.GET).value("date") or today
    page = CalendarRequest(request=request, view=view, selection=selection, first=_first(view, chosen), now=now)
    if view != "month" and csv_lists.is_wanted(request):
        days = read_days(caller_of(request), selection, page.first, page.days, now=now)
        return csv_lists.download(request, CALENDAR, entries_of(days), now=now)
    context = {
        "view": view,
        "selection": selection,
        "run": run_by(caller_of(request), selection.shown),
        "zone": selection.zone,
        "first": page.first,
        "chosen": chosen,
        "new_visit_start": new_visit_start(chosen, now.astimezone(selection.zone)),
        "today": today,
        "previous": _beside(view, chosen, -1),
        "following": _beside(view, chosen, 1),
        "now": now.astimezone(selection.zone),
        "since": (now - OVERLAP).isoformat(),
        **context_of(page),
    }
    return render(request, f"portal/staff/calendar/{context['page']}.html", context)


def _grid_or_list(page: CalendarRequest) -> dict[str, Any]:
    """Return the context of a grid, which requests its events itself, or of a list of days."""
    listed: dict[str, Any] = {"days": []} if page.is_grid else _list(page)
    if page.is_grid:
        opening, visits = hours_shown(caller_of(page.request), page.selection, page.first, page.days, now=page.now)
    else:
        opening = [span for day in listed["days"] for span in day.opening]
        visits = [(entry.start, entry.end) for day in listed["days"] for entry in day.entries if entry.is_visit]
    working = feed.hours_of(opening)
    dates = [page.first + n * DAY for n in range(page.days)]
    return {
        **listed,
        "page": "calendar",
        "is_grid": page.is_grid,
        "may_draw": not page.wants_list,
        "offset": f"{page.now.astimezone(page.selection.zone):%z}",  # a template's filter would say the server's
        "working": working,
        "snap": snap_minutes(page.selection.shown),
        "hours": feed.frame_of(working, visits),
        "resources": [{"id": each.fhir_id, "title": page.selection.name_of(each)} for each in page.selection.shown],
        "headings": {each.isoformat(): time_text.short_day(each) for each in dates},
    }


def _list(page: CalendarRequest) -> dict[str, Any]:
    days = read_days(caller_of(page.request), page.selection, page.first, page.days, now=page.now)
    return {"page": "calendar", "days": days, "several": len(page.selection.shown) > 1}


def _week(page: CalendarRequest) -> dict[str, Any]:
    if len(page.selection.shown) <= SIDE_BY_SIDE and page.selection.has_one_zone:
        return _grid_or_list(page)
    people = read_week_by_person(caller_of(page.request), page.selection, page.first, page.days, now=page.now)
    return {"page": "week_by_person", "people": people}


def _month(page: CalendarRequest) -> dict[str, Any]:
    days = read_tallies(caller_of(page.request), page.selection, page.first, page.days, now=page.now)
    return {"page": "month", "weeks": [days[n : n + WEEK] for n in range(0, page.days, WEEK)]}


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


@any_staff_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Store the selected calendars in the session. Another site, or all of them, starts with its people."""
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
    """Return the events between two days for EventCalendar, in local times of each site."""
    selection = _requested_selection(request)
    start, end = (day_of(request.GET.get(name, "")) for name in ("start", "end"))
    if start is None or end is None or not start < end <= start + LONGEST:
        days = LONGEST.days
        return JsonResponse(
            {"error": f"start and end are days such as 2026-11-24, the end after the start, at most {days} days."},
            status=400,
        )
    apart = request.GET.get("view") != "week"
    shown_events = feed.events(caller_of(request), selection, start, end, now=timezone.now(), apart=apart)
    return JsonResponse(shown_events, safe=False)


@staff_required
@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """Answer 304 as long as nothing on these calendars has changed."""
    since = moment_of(request.GET.get("since", ""))
    if since is None:
        return JsonResponse({"error": "since is a moment such as 2026-11-24T09:00:00Z."}, status=400)
    state = f'"{state_of(_requested_selection(request), since)}"'
    if request.headers.get("If-None-Match") == state:
        return HttpResponseNotModified(headers={"ETag": state})
    return JsonResponse({"state": state}, headers={"ETag": state})


def _requested_selection(request: HttpRequest) -> Selection:
    """Return the calendars in the query's `calendars` (FHIR ids with commas), else the caller's."""
    named = [each for each in request.GET.get("calendars", "").split(",") if each]
    caller = caller_of(request)
    every = calendars(caller)
    if not every or not {each.fhir_id for each in every}.issuperset(named):
        raise Http404
    return select(every, caller, {"calendars": named} if named else request.session.get(SESSION, {}))
