"""View of the checklist of services."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.common import csv_lists
from portal.common.callers import caller_of, manager_required
from portal.staff.hours.checklist import checklist as read_checklist
from portal.staff.hours.downloads import CHECKLIST


@manager_required
@require_GET
def checklist(request: HttpRequest) -> HttpResponse:
    """Show managers all active services, with their first free times or the problems that block them."""
    caller = caller_of(request)
    entries = read_checklist(caller, now=timezone.now())
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, CHECKLIST, entries, now=timezone.now())
    blocked = sum(not entry.verdict.can_be_booked for entry in entries)
    return render(request, "portal/staff/hours/checklist.html", {"entries": entries, "blocked": blocked})
