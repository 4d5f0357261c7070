"""Staff set when and how services are given. Nothing is saved before they have seen what it would do."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import words
from clinic.models import SchedulingParameters
from portal import hours
from portal.callers import caller_of, staff_required
from portal.hours import Place
from portal.hours_forms import (
    CalendarSettingsForm,
    ClosureForm,
    ExtraForm,
    HoursForm,
    ParametersForm,
    RemoveClosureForm,
    RemoveVersionForm,
    ServiceSettingsForm,
    SinceForm,
)
from scheduling import opening
from scheduling.errors import Forbidden, NotFound, SchedulingError, VersionConflict
from scheduling.opening import Change, Terms, Version

P = ParamSpec("P")
ALWAYS = "always"
UNDO = "hours-undo"
NOT_ENTERED = ("csrfmiddlewaretoken", "step", "version")


def of_place(view: Callable[Concatenate[HttpRequest, Place, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """What is set, for views below a calendar and a service, or a service: 404 or 403 for who may not set it."""

    @staff_required
    @wraps(view)
    def found(
        request: HttpRequest, /, service_id: str, schedule_id: str | None = None, *args: P.args, **named: P.kwargs
    ) -> HttpResponse:
        try:
            terms = opening.terms_of(caller_of(request), service_id, schedule_id)
        except NotFound as missing:
            raise Http404 from missing
        except Forbidden as refusal:
            raise PermissionDenied from refusal
        return view(request, Place(terms, timezone.now()), *args, **named)

    return found


@staff_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The calendars and services whose hours one may set."""
    calendars, services = hours.lists(caller_of(request), now=timezone.now())
    return render(request, "portal/hours/index.html", {"calendars": calendars, "services": services})


@require_http_methods(["GET", "POST"])
@of_place
def edit(request: HttpRequest, place: Place) -> HttpResponse:
    """The weekly hours, version by version; and what is beside them."""
    if request.method == "GET":
        return _editor(request, place)
    version = _version(place, _date(request.POST.get("since", "")))
    form = HoursForm(request.POST, terms=place.terms, version=version, own=place.has_own)
    if not form.is_valid() or _is_changing(request):
        return _editor(request, place, hours_form=form, chosen=version)
    week = form.cleaned_data.get("week")
    return _decide(
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
    if not form.is_valid() or _is_changing(request):
        return redirect(place.pages["edit"])
    version = _version(place, form.cleaned_data["since"])
    return _decide(
        request,
        place,
        form.change(place.versions),
        first=form.cleaned_data["since"],
        heading=_("Without the hours “%(since)s”") % {"since": hours.since(version)},
    )


@require_POST
@of_place
def add_closure(request: HttpRequest, place: Place) -> HttpResponse:
    """Closed for once."""
    form = ClosureForm(request.POST, terms=place.terms)
    if not form.is_valid() or _is_changing(request):
        return _editor(request, place, closure_form=form)
    entry = form.change([]).parameters["not_available"][0]
    said = hours.closure(entry, place.known_zone, place.today)
    return _decide(
        request,
        place,
        form.change(_closures(place.terms)),
        first=form.cleaned_data["first"],
        says=[(_("Closed"), said.when), *([(_("Why"), said.description)] if said.description else [])],
        heading=_("A closure"),
    )


@require_POST
@of_place
def remove_closure(request: HttpRequest, place: Place) -> HttpResponse:
    """Open after all."""
    form = RemoveClosureForm(request.POST)
    if not form.is_valid() or _is_changing(request):
        return redirect(place.pages["edit"])
    entry = form.cleaned_data["entry"]
    closures = _closures(place.terms)
    if entry not in closures:
        messages.info(request, _("This closure has been removed already."))
        return redirect(place.pages["edit"])
    said = hours.closure(entry, place.known_zone, place.today)
    return _decide(
        request,
        place,
        form.change(closures),
        first=_date(str((entry.get("during") or {}).get("start", ""))[: hours.DATE]),
        says=[(_("No longer closed"), said.when)],
        heading=_("Without this closure"),
    )


@require_POST
@of_place
def add_extra(request: HttpRequest, place: Place) -> HttpResponse:
    """Open for once."""
    form = ExtraForm(request.POST, today=place.today)
    if not form.is_valid() or _is_changing(request):
        return _editor(request, place, extra_form=form)
    caller, window = caller_of(request), form.window
    if request.POST.get("step") == "save":
        try:
            opening.add_extra(place.terms, window, form.cleaned_data["note"], caller=caller, now=place.now)
        except SchedulingError as refusal:
            form.add_error(None, str(refusal))
            return _editor(request, place, extra_form=form)
        messages.success(request, _("The extra time is open."))
        return redirect(place.pages["edit"])
    day: date = form.cleaned_data["day"]
    return _preview(
        request,
        place,
        opening.preview(place.terms, Change(extra=(window,)), day, caller=caller, now=place.now),
        says=[(words.full_day(day), hours.spans_in_words([(window.opens, window.closes)]))],
        heading=_("Extra time"),
        changes=True,
    )


@require_POST
@of_place
def remove_extra(request: HttpRequest, place: Place, slot_id: str) -> HttpResponse:
    """No longer open for once."""
    try:
        slot = opening.extra_time(place.terms, slot_id)
    except NotFound as missing:
        raise Http404 from missing
    if _is_changing(request):
        return redirect(place.pages["edit"])
    if request.POST.get("step") == "save":
        opening.remove_extra(place.terms, slot, caller=caller_of(request), now=place.now)
        messages.success(request, _("The extra time is closed again."))
        return redirect(place.pages["edit"])
    extra = place.extra(slot)
    context = {
        "place": place,
        "heading": _("Without this extra time"),
        "says": [(words.full_day(extra.start), words.hours(extra.start, extra.end))],
        "stranded": opening.visits_in(place.terms, slot, caller=caller_of(request)),
        "changes": True,
    }
    return render(request, "portal/hours/preview.html", context)


@require_http_methods(["GET", "POST"])
@of_place
def settings(request: HttpRequest, place: Place) -> HttpResponse:
    """How the service is given: lengths, buffers, notice, what a patient needs."""
    kind: type[ParametersForm] = CalendarSettingsForm if place.terms.schedule else ServiceSettingsForm
    form = kind(request.POST if request.method == "POST" else None, terms=place.terms)
    if not form.is_bound or not form.is_valid() or _is_changing(request):
        given = hours.how_given(place.terms.row, place.terms.general)
        context = {"place": place, "form": form, "given": given, "undo": _undo_of(request, place)}
        return render(request, "portal/hours/settings.html", context)
    change = form.change()
    return _decide(
        request,
        place,
        change,
        first=None,
        page="settings",
        says=hours.changed_settings(form, place.terms, change),
        heading=_("How it is given"),
    )


@require_POST
@of_place
def undo(request: HttpRequest, place: Place) -> HttpResponse:
    """What the last save replaced, once more; not if someone else has saved since."""
    kept = _undo_of(request, place)
    if kept is None:
        messages.error(request, _("Someone else has changed this since. Nothing was undone."))
        return redirect(place.pages["edit"])
    change = Change(parameters=kept["parameters"])
    try:
        opening.save(place.terms, change, version=kept["version"], caller=caller_of(request), now=place.now)
    except VersionConflict:
        messages.error(request, _("Someone else has changed this since. Nothing was undone."))
    else:
        messages.success(request, _("Undone. It is as it was before."))
    del request.session[UNDO]
    return redirect(kept["back"])


def _decide(
    request: HttpRequest,
    place: Place,
    change: Change,
    *,
    first: date | None,
    heading: str,
    page: str = "edit",
    says: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    """Save, where that is asked; else show what it would do in the four weeks from `first` on.

    Who started from an earlier version is told so first, and sees what their change does to the present one.
    """
    caller, terms = caller_of(request), place.terms
    is_late = request.POST.get("version") != str(terms.resource.version)
    if request.POST.get("step") == "save" and not is_late:
        try:
            opening.save(terms, change, version=terms.resource.version, caller=caller, now=place.now)
        except VersionConflict:
            is_late = True
        else:
            return _saved(request, place, change, place.pages[page])
    return _preview(
        request,
        place,
        opening.preview(terms, change, max(first or place.today, place.today), caller=caller, now=place.now),
        says=says or [],
        heading=heading,
        is_late=is_late,
        changes=opening.changes(terms, change),
    )


def _preview(
    request: HttpRequest,
    place: Place,
    preview: opening.Preview | None,
    *,
    is_late: bool = False,
    **context: Any,
) -> HttpResponse:
    entered = [(name, value) for name, values in request.POST.lists() if name not in NOT_ENTERED for value in values]
    shown = {
        "place": place,
        "preview": preview,
        "stranded": preview.stranded if preview else [],
        "total": hours.total(preview) if preview else None,
        "weeks": hours.by_week(preview) if preview else [],
        "days": hours.by_day(preview) if preview else [],
        "entered": entered,
        "is_late": is_late,
        **context,
    }
    return render(request, "portal/hours/preview.html", shown, status=409 if is_late else 200)


def _saved(request: HttpRequest, place: Place, change: Change, page: str) -> HttpResponse:
    """Back to the page, which offers to undo what can be: all that is in the scheduling parameters."""
    terms = place.terms
    earlier = terms.row or SchedulingParameters()
    messages.success(request, _("Saved. Visits that are booked stay as they are."))
    if opening.changes_only_parameters(terms, change):
        request.session[UNDO] = {
            "place": place.pages["edit"],
            "back": page,
            "version": terms.resource.version + 1,
            "parameters": {name: getattr(earlier, name) for name in change.parameters},
        }
    return redirect(page)


def _week_says(version: Version) -> list[tuple[str, str]]:
    return [(_("They hold"), hours.since(version)), *hours.in_words(version.week)]


def _undo_of(request: HttpRequest, place: Place) -> dict[str, Any] | None:
    kept: dict[str, Any] | None = request.session.get(UNDO)
    is_this = kept and kept["place"] == place.pages["edit"] and kept["version"] == place.terms.resource.version
    return kept if is_this else None


def _editor(
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
        "undo": _undo_of(request, place),
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


def _closures(terms: Terms) -> list[dict[str, Any]]:
    return list(terms.row.not_available) if terms.row else []


def _is_changing(request: HttpRequest) -> bool:
    """Whether what was entered is to be changed once more."""
    return request.POST.get("step") == "change"


def _date(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
