"""Views of the steps about visits and hours: templates of services, and the week of each calendar."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic.models import HealthcareService, Schedule
from portal.common import csv_lists, form_drafts
from portal.common.callers import caller_of, manager_required
from portal.common.schedules import SCHEDULE, name_of
from portal.staff.hours import listing
from portal.staff.hours.downloads import HOURS, lines_of
from portal.staff.setup.downloads import SERVICES
from portal.staff.setup.editing import row_of, take_over
from portal.staff.setup.steps import around
from portal.staff.setup.week_forms import CalendarWeekForm, TemplatesForm, initial_of
from scheduling import opening, setup
from scheduling.errors import SchedulingError, VersionConflict
from scheduling.setup import CLINIC_KINDS, TEMPLATES


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def services(request: HttpRequest) -> HttpResponse:
    """List the services, and add those that are chosen from the templates of a kind of clinic."""
    rows = HealthcareService.objects.filter(deleted_at=None).order_by("-active", "name", "pk")
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, SERVICES, rows, now=timezone.now())
    data = request.POST if request.method == "POST" else request.GET
    kind = data.get("kind", "")
    context = {
        "rows": rows,
        "kinds": CLINIC_KINDS,
        "kind": kind,
        **around("setup-services"),
    }
    if kind not in TEMPLATES:
        return render(request, "portal/staff/setup/services.html", context)
    form = form_drafts.form(request, TemplatesForm, kind=kind)
    if request.method == "POST" and form.is_valid():
        try:
            added = setup.add_services(form.chosen, form.week, caller=caller_of(request), now=timezone.now())
        except SchedulingError as refusal:
            form.add_error(None, str(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("Added: %(names)s.") % {"names": ", ".join(map(str, added))})
            return redirect("portal:setup-services")
    return render(request, "portal/staff/setup/services.html", {**context, "form": form})


@manager_required
@require_GET
def hours(request: HttpRequest) -> HttpResponse:
    """List the calendars with their hours in words."""
    calendars, _services = listing.lists(caller_of(request), now=timezone.now())
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, HOURS, lines_of(calendars, ()), now=timezone.now())
    return render(request, "portal/staff/setup/hours.html", {"calendars": calendars, **around("setup-hours")})


@manager_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def week(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """Set one week of hours on a calendar, for all its services."""
    row = row_of(Schedule, schedule_id, bookable__patient=None)
    form = form_drafts.form(request, CalendarWeekForm, initial=_current(row))
    theirs: list[tuple[str, str]] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            setup.set_week(
                row,
                form.own_week,
                version=form.cleaned_data["version"],
                caller=caller_of(request),
                now=timezone.now(),
            )
        except VersionConflict:
            theirs = take_over(form, row.version)
        except SchedulingError as refusal:
            form.add_error(None, str(refusal))
        else:
            form_drafts.done(request)
            messages.success(request, _("Saved."))
            return redirect("portal:setup-hours")
    named = Schedule.objects.select_related(*SCHEDULE).get(pk=row.pk)
    context = {"form": form, "name": name_of(named), "theirs": theirs, "row": row}
    return render(request, "portal/staff/setup/week.html", context, status=200 if theirs is None else 409)


def _current(schedule: Schedule) -> dict[str, object]:
    """The form's initial values: the calendar's own hours today, if it has some."""
    own = schedule.scheduling_parameters.exclude(availability=None).first()
    initial: dict[str, object] = {"version": schedule.version, "whose": CalendarWeekForm.SERVICES}
    if own is None:
        return initial
    today = timezone.now().date()
    found = opening.in_force(opening.read(own.availability), today).week
    return {**initial, **initial_of(found), "whose": CalendarWeekForm.OWN}
