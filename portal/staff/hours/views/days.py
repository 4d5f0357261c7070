"""Staff close for once, and open for once."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic import time_text
from portal.common.callers import caller_of
from portal.common.days import day_of
from portal.staff.hours import closures, wording
from portal.staff.hours.day_forms import ClosureForm, ExtraForm, RemoveClosureForm
from portal.staff.hours.place import Place
from portal.staff.hours.views.deciding import decide, is_changing, of_place, show_preview
from portal.staff.hours.views.weeks import show_editor
from scheduling import opening
from scheduling.errors import NotFound, SchedulingError
from scheduling.opening import Change, Terms


@require_POST
@of_place
def add_closure(request: HttpRequest, place: Place) -> HttpResponse:
    """Closed for once."""
    form = ClosureForm(request.POST, terms=place.terms)
    if not form.is_valid() or is_changing(request):
        return show_editor(request, place, closure_form=form)
    entry = form.change([]).parameters["not_available"][0]
    said = closures.closure(entry, place.known_zone, place.today)
    return decide(
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
    if not form.is_valid() or is_changing(request):
        return redirect(place.pages["edit"])
    entry = form.cleaned_data["entry"]
    kept = _closures(place.terms)
    if entry not in kept:
        messages.info(request, _("This closure has been removed already."))
        return redirect(place.pages["edit"])
    said = closures.closure(entry, place.known_zone, place.today)
    return decide(
        request,
        place,
        form.change(kept),
        first=day_of(str((entry.get("during") or {}).get("start", ""))[: closures.DATE]),
        says=[(_("No longer closed"), said.when)],
        heading=_("Without this closure"),
    )


@require_POST
@of_place
def add_extra(request: HttpRequest, place: Place) -> HttpResponse:
    """Open for once."""
    form = ExtraForm(request.POST, today=place.today)
    if not form.is_valid() or is_changing(request):
        return show_editor(request, place, extra_form=form)
    caller, window = caller_of(request), form.window
    if request.POST.get("step") == "save":
        try:
            opening.add_extra(place.terms, window, form.cleaned_data["note"], caller=caller, now=place.now)
        except SchedulingError as refusal:
            form.add_error(None, str(refusal))
            return show_editor(request, place, extra_form=form)
        messages.success(request, _("The extra time is open."))
        return redirect(place.pages["edit"])
    day: date = form.cleaned_data["day"]
    return show_preview(
        request,
        place,
        opening.preview(place.terms, Change(extra=(window,)), day, caller=caller, now=place.now),
        says=[(time_text.full_day(day), wording.spans_in_words([(window.opens, window.closes)]))],
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
    if is_changing(request):
        return redirect(place.pages["edit"])
    if request.POST.get("step") == "save":
        opening.remove_extra(place.terms, slot, caller=caller_of(request), now=place.now)
        messages.success(request, _("The extra time is closed again."))
        return redirect(place.pages["edit"])
    extra = place.extra(slot)
    context = {
        "place": place,
        "heading": _("Without this extra time"),
        "says": [(time_text.full_day(extra.start), time_text.hours(extra.start, extra.end))],
        "stranded": opening.visits_in(place.terms, slot, caller=caller_of(request)),
        "changes": True,
    }
    return render(request, "portal/hours/preview.html", context)


def _closures(terms: Terms) -> list[dict[str, Any]]:
    return list(terms.row.not_available) if terms.row else []
