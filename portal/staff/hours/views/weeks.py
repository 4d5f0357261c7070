"""Views of the weekly hours and their dated versions."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal.common import csv_lists, disclosures
from portal.common.callers import caller_of, staff_required
from portal.common.days import day_of
from portal.staff.hours import descriptions, listing
from portal.staff.hours.confirmation import editor_form, hours_page_required, is_changing, preview_or_save
from portal.staff.hours.downloads import HOURS, lines_of
from portal.staff.hours.editor import show_editor, version_from
from portal.staff.hours.hours_page import HoursPage
from portal.staff.hours.week_forms import HoursForm, RemoveVersionForm
from scheduling import opening
from scheduling.opening import Version

ALWAYS = "always"


@staff_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the calendars and services whose hours the caller may set."""
    caller, now = caller_of(request), timezone.now()
    calendars, services = listing.lists(caller, now=now)
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, HOURS, lines_of(calendars, services), now=now)
    concerned = opening.affected_visits(caller, now=now)
    disclosures.listed(caller, [each.appointment for each in concerned], "visits to look at", now=now)
    context = {"calendars": calendars, "services": services, "concerned": concerned}
    return render(request, "portal/staff/hours/index.html", context)


@require_http_methods(["GET", "POST"])
@hours_page_required
def edit(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Show and save the weekly hours; closures and extra time are on the same page."""
    if request.method == "GET":
        return show_editor(request, hours_page)
    version = version_from(hours_page, day_of(request.POST.get("since", "")))
    form = HoursForm(
        request.POST, terms=hours_page.terms, version=version, own=hours_page.has_own, today=hours_page.today
    )
    if not form.is_valid() or is_changing(request):
        return show_editor(request, hours_page, hours_form=form, chosen=version)
    week = form.cleaned_data.get("week")
    return preview_or_save(
        request,
        hours_page,
        form.change(hours_page.versions),
        first=form.cleaned_data["since"] if week else None,
        lines=_week_lines(Version(form.cleaned_data["since"], week), hours_page.today)
        if week
        else hours_page.services_hours,
        heading=_("Weekly hours") if week else _("The hours of the service"),
    )


@editor_form
def remove_version(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Remove one of the dated versions."""
    form = RemoveVersionForm(request.POST)
    if not form.is_valid() or is_changing(request):
        return redirect(hours_page.pages["edit"])
    version = version_from(hours_page, form.cleaned_data["since"])
    return preview_or_save(
        request,
        hours_page,
        form.change(hours_page.versions),
        first=form.cleaned_data["since"],
        heading=_("Without the hours “%(since)s”") % {"since": descriptions.since(version)},
    )


def _week_lines(version: Version, today: date) -> list[tuple[str, str]]:
    lines = descriptions.in_words(version.week, max(version.first or today, today))
    return [(_("Valid"), descriptions.since(version)), *lines]
