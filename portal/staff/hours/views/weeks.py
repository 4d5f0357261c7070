"""Staff set the weekly hours, version by version."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.common.days import day_of
from portal.staff.hours import listing, wording
from portal.staff.hours.day_forms import ClosureForm, ExtraForm
from portal.staff.hours.place import Place
from portal.staff.hours.views.deciding import decide, is_changing, of_place, undo_of
from portal.staff.hours.week_forms import HoursForm, RemoveVersionForm, SinceForm
from scheduling import opening
from scheduling.opening import Version

ALWAYS = "always"


@staff_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The calendars and services whose hours one may set."""
    caller, now = caller_of(request), timezone.now()
    calendars, services = listing.lists(caller, now=now)
    concerned = opening.concerned(caller, now=now)
    disclosures.listed(caller, [each.appointment for each in concerned], "visits to look at", now=now)
    context = {"calendars": calendars, "services": services, "concerned": concerned}
    return render(request, "portal/hours/index.html", context)


@require_http_methods(["GET", "POST"])
@of_place
def edit(request: HttpRequest, place: Place) -> HttpResponse:
    """The weekly hours, version by version; and what is beside them."""
    if request.method == "GET":
        return show_editor(request, place)
    version = _version(place, day_of(request.POST.get("since", "")))
    form = HoursForm(request.POST, terms=place.terms, version=version, own=place.has_own)
    if not form.is_valid() or is_changing(request):
        return show_editor(request, place, hours_form=form, chosen=version)
    week = form.cleaned_data.get("week")
    return decide(
        request,
        place,
        form.change(place.versions),
        first=form.cleaned_data["since"] if week else None,
        says=_week_says(Version(form.cleaned_data["since"], week)) if week else place.services_hours,
        heading=_("Weekly hours") if week else _("The hours of the service"),
    )


@require_POST
@of_place
def remove_version(request: HttpRequest, place: Place) -> HttpResponse:
    """Without one of the dated versions."""
    form = RemoveVersionForm(request.POST)
    if not form.is_valid() or is_changing(request):
        return redirect(place.pages["edit"])
    version = _version(place, form.cleaned_data["since"])
    return decide(
        request,
        place,
        form.change(place.versions),
        first=form.cleaned_data["since"],
        heading=_("Without the hours “%(since)s”") % {"since": wording.since(version)},
    )


def _week_says(version: Version) -> list[tuple[str, str]]:
    return [(_("Valid"), wording.since(version)), *wording.in_words(version.week)]


def show_editor(
    request: HttpRequest,
    place: Place,
    *,
    hours_form: HoursForm | None = None,
    chosen: Version | None = None,
    closure_form: ClosureForm | None = None,
    extra_form: ExtraForm | None = None,
) -> HttpResponse:
    since = SinceForm(request.GET if request.GET.get("first", ALWAYS) != ALWAYS else None)
    version = chosen or _asked(place, request.GET.get("first"), since)
    context = {
        "place": place,
        "version": version,
        "is_new": version.first not in {each.first for each in place.versions},
        "form": hours_form or HoursForm(terms=place.terms, version=version, own=place.has_own),
        "since": since,
        "closure_form": closure_form or ClosureForm(terms=place.terms),
        "extra_form": extra_form or ExtraForm(today=place.today),
        "extra_times": place.extra_times() if place.terms.schedule else [],
        "undo": undo_of(request, place),
    }
    return render(request, "portal/hours/edit.html", context)


def _asked(place: Place, first: str | None, since: SinceForm) -> Version:
    """The version that was asked for: the one in force today unless another is named, a new one from an unused day."""
    if first == ALWAYS:
        return place.versions[0]
    if since.is_valid():
        day: date = since.cleaned_data["first"]
        known = {each.first for each in place.versions}
        if day >= place.today or day in known:
            return _version(place, day)
        since.add_error("first", _("This day has passed. Enter today or a later day."))
    return opening.in_force(place.versions, place.today)


def _version(place: Place, first: date | None) -> Version:
    """The version that begins then, or one that would, with the hours that are in force by then."""
    if first is None:
        return place.versions[0]
    return Version(first, opening.in_force(place.versions, first).week)
