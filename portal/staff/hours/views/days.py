"""Views that add and remove closures and extra time."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clinic import time_text
from portal.common.callers import caller_of
from portal.common.days import day_of
from portal.staff.hours import closures, descriptions
from portal.staff.hours.confirmation import (
    editor_form,
    is_changing,
    preview_or_save,
    record_stranded,
    show_preview,
)
from portal.staff.hours.day_forms import ClosureForm, ExtraForm, RemoveClosureForm
from portal.staff.hours.editor import show_editor
from portal.staff.hours.hours_page import HoursPage
from scheduling import opening
from scheduling.errors import NotFound, SchedulingError
from scheduling.opening import Change, OpenSpan, Terms


@editor_form
def add_closure(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Add a closure, after a preview."""
    form = ClosureForm(request.POST, terms=hours_page.terms)
    if not form.is_valid() or is_changing(request):
        return show_editor(request, hours_page, closure_form=form)
    entry = form.change([]).parameters["not_available"][0]
    closure = closures.closure(entry, hours_page.known_zone, hours_page.today)
    return preview_or_save(
        request,
        hours_page,
        form.change(_closures(hours_page.terms)),
        first=form.cleaned_data["first"],
        lines=[(_("Closed"), closure.when), *([(_("Why"), closure.description)] if closure.description else [])],
        heading=_("A closure"),
    )


@editor_form
def remove_closure(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Remove a closure, after a preview."""
    form = RemoveClosureForm(request.POST)
    if not form.is_valid() or is_changing(request):
        return redirect(hours_page.pages["edit"])
    entry = form.cleaned_data["entry"]
    kept = _closures(hours_page.terms)
    if entry not in kept:
        messages.info(request, _("This closure has already been removed."))
        return redirect(hours_page.pages["edit"])
    closure = closures.closure(entry, hours_page.known_zone, hours_page.today)
    return preview_or_save(
        request,
        hours_page,
        form.change(kept),
        first=day_of(str((entry.get("during") or {}).get("start", ""))[: closures.DATE]),
        lines=[(_("No longer closed"), closure.when)],
        heading=_("Without this closure"),
    )


@editor_form
def add_extra(request: HttpRequest, hours_page: HoursPage) -> HttpResponse:
    """Add extra time, after a preview."""
    form = ExtraForm(request.POST, today=hours_page.today)
    if not form.is_valid() or is_changing(request):
        return show_editor(request, hours_page, extra_form=form)
    caller, window = caller_of(request), form.window
    if request.POST.get("step") == "save":
        try:
            opening.add_extra(hours_page.terms, window, form.cleaned_data["note"], caller=caller, now=hours_page.now)
        except SchedulingError as refusal:
            form.add_error(None, str(refusal))
            return show_editor(request, hours_page, extra_form=form)
        messages.success(request, _("The extra time is open."))
        return redirect(hours_page.pages["edit"])
    day: date = form.cleaned_data["day"]
    return show_preview(
        request,
        hours_page,
        opening.preview(hours_page.terms, Change(extra=(window,)), day, caller=caller, now=hours_page.now),
        lines=[(time_text.full_day(day), descriptions.spans_in_words([OpenSpan(window.opens, window.closes)], day))],
        heading=_("Extra time"),
        changes=True,
    )


@editor_form
def remove_extra(request: HttpRequest, hours_page: HoursPage, slot_id: str) -> HttpResponse:
    """Remove extra time, after a preview."""
    try:
        slot = opening.extra_time(hours_page.terms, slot_id)
    except NotFound as missing:
        raise Http404 from missing
    if is_changing(request):
        return redirect(hours_page.pages["edit"])
    if request.POST.get("step") == "save":
        opening.remove_extra(hours_page.terms, slot, caller=caller_of(request), now=hours_page.now)
        messages.success(request, _("The extra time is closed again."))
        return redirect(hours_page.pages["edit"])
    extra = hours_page.extra(slot)
    context = {
        "hours_page": hours_page,
        "heading": _("Without this extra time"),
        "lines": [(time_text.full_day(extra.start), time_text.hours(extra.start, extra.end))],
        "stranded": record_stranded(
            request, hours_page, opening.visits_in(hours_page.terms, slot, caller=caller_of(request))
        ),
        "changes": True,
    }
    return render(request, "portal/staff/hours/preview.html", context)


def _closures(terms: Terms) -> list[dict[str, Any]]:
    return list(terms.row.not_available) if terms.row else []
