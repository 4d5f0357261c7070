"""View of the worklist."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.staff.worklist.worklist import read_worklist


@staff_required
@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the requests, failed messages and unconfirmed visits, each with a link to its visit."""
    caller, now = caller_of(request), timezone.now()
    tasks = read_worklist(caller, now=now, recorded=request.GET.get("recorded", ""))
    disclosures.listed(caller, (visit.appointment for visit in tasks.visits), "worklist", now=now)
    return render(request, "portal/staff/worklist/worklist.html", {"worklist": tasks, "back": request.path})
