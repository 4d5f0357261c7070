"""The calendars that people at the clinic work by."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal import calendar
from portal.callers import caller_of, staff_required
from portal.forms import DayForm

WEEK = 7


@staff_required
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """One day of one calendar, as a list."""
    return _calendar(request, "day", 1, timezone.now())


@staff_required
@require_GET
def week(request: HttpRequest) -> HttpResponse:
    """Monday to Sunday of one calendar."""
    return _calendar(request, "week", WEEK, timezone.now())


def _calendar(request: HttpRequest, page: str, length: int, now: datetime) -> HttpResponse:
    asked = DayForm(request.GET)
    schedules = calendar.calendars(caller_of(request))
    if not schedules:
        return render(request, "portal/staff/empty.html")
    shown = next((each for each in schedules if each.fhir_id == asked.asked("schedule")), None)
    if shown is None and asked.asked("schedule"):
        raise Http404
    context = _context(request, shown or schedules[0], schedules, length, now)
    return render(request, f"portal/staff/{page}.html", context)


def _context(request: HttpRequest, shown: Any, schedules: list[Any], length: int, now: datetime) -> dict[str, Any]:
    today = now.astimezone(calendar.zone_of(shown)).date()
    chosen: date = DayForm(request.GET).asked("date") or today
    first = chosen - timedelta(days=chosen.weekday()) if length == WEEK else chosen
    return {
        "options": [(each.fhir_id, calendar.name(each)) for each in schedules],
        "schedule": shown,
        "zone": calendar.zone_of(shown),
        "days": calendar.read_days(caller_of(request), shown, first, length, now=now),
        "chosen": chosen,
        "today": today,
        "previous": first - timedelta(days=length),
        "following": first + timedelta(days=length),
        "now": now.astimezone(calendar.zone_of(shown)),
    }
