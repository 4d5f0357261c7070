"""View of the checklist of services."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.common.callers import caller_of, staff_required
from portal.staff.hours.checklist import checklist as read_checklist


@staff_required
@require_GET
def checklist(request: HttpRequest) -> HttpResponse:
    """Show administrators all active services, with their first free times or the problems that block them."""
    caller = caller_of(request)
    if not caller.is_administrator:
        raise PermissionDenied
    entries = read_checklist(caller, now=timezone.now())
    blocked = sum(not entry.verdict.can_be_booked for entry in entries)
    return render(request, "portal/staff/hours/checklist.html", {"entries": entries, "blocked": blocked})
