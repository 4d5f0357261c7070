"""Views of the weekly hours and their dated versions."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.common.days import day_of
from portal.staff.hours import descriptions, listing
from portal.staff.hours.day_forms import ClosureForm, ExtraForm
from portal.staff.hours.hours_page import HoursPage
from portal.staff.hours.views.confirmation import hours_page_required, is_changing, preview_or_save, undo_of
from portal.staff.hours.week_forms import HoursForm, RemoveVersionForm, SinceForm
from scheduling import opening
from scheduling.opening import Version

ALWAYS = "always"


@staff_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the calendars and services whose hours the caller may set."""
    caller, now = caller_of(request), timezone.now()
    calendars, services = listing.lists(caller, now=now)
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
    version = _version(hours_page, day_of(request.POST.get("since", "")))
    form = HoursForm(request.POST, terms=hours_page.terms, version=version, own=hours_page.has_own)
    if not form.is_valid() or is_changing(request):
        return show_editor(request, hours_page, hours_form=form, chosen=version)
    week = form.cleaned_data.get("week")
    return preview_or_save(
        request,
        hours_page,
        form.change(hours_page.versions),
        first=form.cleaned_data["since"] if week else None,
        lines=_week_lines(Version(form.cleaned_data["since"], week)) if week else hours_page.services_hours,
        heading=_("Weekly hours") if week else _("The hours of the service"),
    )


@require_POST
@hours_page_required
def remove_version(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Remove one of the dated versions."""
    form = RemoveVersionForm(request.POST)
    if not form.is_valid() or is_changing(request):
        return redirect(hours_page.pages["edit"])
    version = _version(hours_page, form.cleaned_data["since"])
    return preview_or_save(
        request,
        hours_page,
        form.change(hours_page.versions),
        first=form.cleaned_data["since"],
        heading=_("Without the hours “%(since)s”") % {"since": descriptions.since(version)},
    )


def _week_lines(version: Version) -> list[tuple[str, str]]:
    return [(_("Valid"), descriptions.since(version)), *descriptions.in_words(version.week)]


def show_editor(
    request: HttpRequest,
    hours_page: HoursPage,
    *,
    hours_form: HoursForm | None = None,
    chosen: Version | None = None,
    closure_form: ClosureForm | None = None,
    extra_form: ExtraForm | None = None,
) -> HttpResponse:
    since = SinceForm(request.GET if request.GET.get("first", ALWAYS) != ALWAYS else None)
    version = chosen or _requested_version(hours_page, request.GET.get("first"), since)
    context = {
        "hours_page": hours_page,
        "version": version,
        "is_new": version.first not in {each.first for each in hours_page.versions},
        "form": hours_form or HoursForm(terms=hours_page.terms, version=version, own=hours_page.has_own),
        "since": since,
        "closure_form": closure_form or ClosureForm(terms=hours_page.terms),
        "extra_form": extra_form or ExtraForm(today=hours_page.today),
        "extra_times": hours_page.extra_times() if hours_page.terms.schedule else [],
        "undo": undo_of(request, hours_page),
    }
    return render(request, "portal/staff/hours/edit.html", context)


def _requested_version(hours_page: HoursPage, first: str | None, since: SinceForm) -> Version:
    """Return the requested version: by default the one in force today; for another day a new one from then on."""
    if first == ALWAYS:
        return hours_page.versions[0]
    if since.is_valid():
        day: date = since.cleaned_data["first"]
        known = {each.first for each in hours_page.versions}
        if day >= hours_page.today or day in known:
            return _version(hours_page, day)
        since.add_error("first", _("This day has passed. Enter today or a later day."))
    return opening.in_force(hours_page.versions, hours_page.today)


def _version(hours_page: HoursPage, first: date | None) -> Version:
    """Return a version that begins on this day, with the hours in force on it."""
    if first is None:
        return hours_page.versions[0]
    return Version(first, opening.in_force(hours_page.versions, first).week)
