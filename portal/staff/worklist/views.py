"""The page of what waits for the desk."""

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
    """Requests, failed messages and unconfirmed visits, with the way to each visit."""
    caller, now = caller_of(request), timezone.now()
    shown = read_worklist(caller, now=now)
    disclosures.listed(caller, (visit.appointment for visit in shown.visits), "worklist", now=now)
    return render(request, "portal/worklist/worklist.html", {"worklist": shown, "back": request.path})
