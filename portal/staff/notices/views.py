"""Views of the notices to a member of staff: the list, the newest ones, and their settings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures, form_drafts
from portal.common.callers import any_staff_required, caller_of
from portal.staff.notices.downloads import NOTICES
from portal.staff.notices.forms import NoticesForm
from portal.staff.notices.listing import rows_of
from scheduling import staff_notices
from scheduling.errors import SchedulingError, VersionConflict

MOST_AT_ONCE = 5


@any_staff_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the notices of the last days."""
    caller, now = caller_of(request), timezone.now()
    rows = rows_of(staff_notices.notices_of(caller, now=now), now=now)
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, NOTICES, rows, now=now)
    disclosures.listed(caller, (row.visit.appointment for row in rows), "notices", now=now)
    return render(request, "portal/staff/notices/index.html", {"rows": rows, "now": now})


@any_staff_required
@require_GET
def latest(request: HttpRequest) -> HttpResponse:
    """Show the newest notices that have not been seen, for the top of an open page."""
    caller, now = caller_of(request), timezone.now()
    rows = rows_of(staff_notices.unseen_notices_of(caller, most=MOST_AT_ONCE, now=now), now=now)
    disclosures.listed(caller, (row.visit.appointment for row in rows), "notices", now=now)
    return render(request, "portal/staff/notices/_latest.html", {"rows": rows})


@any_staff_required
@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """Record that the notices up to a moment are seen, and go back to the page."""
    now = timezone.now()
    until = parse_datetime(request.POST.get("until", ""))
    if until is not None and timezone.is_aware(until):
        staff_notices.dismiss(caller_of(request), until=until, now=now)
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    return redirect(came_from if is_ours else "portal:staff-notices")


@any_staff_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def settings(request: HttpRequest) -> HttpResponse:
    """Show and save which notices a member of staff gets, and how."""
    caller = caller_of(request)
    assert caller.user is not None  # staff have signed in
    form = form_drafts.form(request, NoticesForm, preferences=staff_notices.preferences_of(caller.user))
    if request.method == "POST" and form.is_valid():
        try:
            staff_notices.save_preferences(form.preferences, caller=caller)
        except VersionConflict:
            form_drafts.done(request)
            messages.error(request, _("You have changed this in another window. Look at it, and try again."))
            return redirect("portal:staff-notices-settings")
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("Saved."))
            return redirect("portal:staff-notices-settings")
    return render(request, "portal/staff/notices/settings.html", {"form": form})
