"""The editor of the weekly hours, with closures and extra time on the same page."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from portal.staff.hours.confirmation import undo_of
from portal.staff.hours.day_forms import ClosureForm, ExtraForm
from portal.staff.hours.hours_page import HoursPage
from portal.staff.hours.kept_forms import KeptTimeForm
from portal.staff.hours.week_forms import HoursForm, SinceForm
from scheduling import opening
from scheduling.opening import Version

ALWAYS = "always"


def show_editor(
    request: HttpRequest,
    hours_page: HoursPage,
    *,
    hours_form: HoursForm | None = None,
    chosen: Version | None = None,
    closure_form: ClosureForm | None = None,
    extra_form: ExtraForm | None = None,
    kept_form: KeptTimeForm | None = None,
) -> HttpResponse:
    """Render the editor, with the given forms in place of fresh ones."""
    since = SinceForm(request.GET if request.GET.get("first", ALWAYS) != ALWAYS else None)
    version = chosen or _requested_version(hours_page, request.GET.get("first"), since)
    context = {
        "hours_page": hours_page,
        "version": version,
        "is_new": version.first not in {each.first for each in hours_page.versions},
        "form": hours_form
        or HoursForm(terms=hours_page.terms, version=version, own=hours_page.has_own, today=hours_page.today),
        "since": since,
        "closure_form": closure_form or ClosureForm(terms=hours_page.terms),
        "extra_form": extra_form or ExtraForm(today=hours_page.today),
        "kept_form": kept_form or KeptTimeForm(terms=hours_page.terms, today=hours_page.today),
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
            return version_from(hours_page, day)
        since.add_error("first", _("This day has passed. Enter today or a later day."))
    return opening.in_force(hours_page.versions, hours_page.today)


def version_from(hours_page: HoursPage, first: date | None) -> Version:
    """Return a version that begins on this day, with the hours in force on it."""
    if first is None:
        return hours_page.versions[0]
    return Version(first, opening.in_force(hours_page.versions, first).week)
