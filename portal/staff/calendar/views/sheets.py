"""View of the printed day: a sheet for each calendar."""

from dataclasses import dataclass
from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.common.callers import caller_of, staff_required
from portal.staff.calendar.entries import CalendarEntry, read_entries
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.local_times import DAY, midnight
from portal.staff.calendar.parameters import selection_or_404
from portal.staff.calendar.selection import PEOPLE, Selection, calendars, kind_of
from portal.staff.sites import ALL_SITES


@dataclass(frozen=True, slots=True)
class Sheet:
    """The entries of one calendar on a day, in order."""

    name: str
    entries: list[CalendarEntry]

    @property
    def visits(self) -> int:
        return sum(entry.is_visit for entry in self.entries)


@staff_required
@require_GET
def sheets(request: HttpRequest) -> HttpResponse:
    """Show a sheet for each selected calendar; with `site`, for each person there, or at all sites."""
    now = timezone.now()
    selection = _people_at(request) if request.GET.get("site") else selection_or_404(request)
    zone = selection.zone
    day: date = CalendarQueryForm(request.GET).value("date") or now.astimezone(zone).date()
    entries = [
        entry
        for part in selection.by_zone
        for entry in read_entries(
            caller_of(request), part, midnight(day, part.zone), midnight(day + DAY, part.zone), now=now
        )
        if entry.kind != "buffer"
    ]
    every = [
        Sheet(selection.name_of(each), [entry for entry in entries if each.fhir_id in entry.calendars])
        for each in selection.shown
    ]
    context = {
        "day": day,
        "selection": selection,
        "zone": zone,
        "now": now.astimezone(zone),
        "sheets": [sheet for sheet in every if sheet.entries],
    }
    return render(request, "portal/staff/calendar/sheets.html", context)


def _people_at(request: HttpRequest) -> Selection:
    """Return the calendars of the people at a site that the caller works with, or of one named `practitioner`."""
    every, site_id = calendars(caller_of(request)), request.GET["site"]
    here = [each for each in every if site_id == ALL_SITES or (each.site and each.site.fhir_id == site_id)]
    people = [each for each in here if kind_of(each) == PEOPLE]
    if practitioner := request.GET.get("practitioner"):
        people = [each for each in people if practitioner in (each.actor.reference, each.bookable.actor.reference)]
    if not people:
        raise Http404
    if site_id == ALL_SITES:
        return Selection(every=every, site=None, shown=people, all_sites=True)
    return Selection(every=every, site=people[0].site, shown=people)
