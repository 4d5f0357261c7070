"""Views on which managers close the clinic or a part of it, and choose public holidays."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic.country import clinic_country
from clinic.models import Closure
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists, disclosures
from portal.common.callers import caller_of, manager_required
from portal.staff.closures.downloads import CLOSURES
from portal.staff.closures.forms import ClosureForm, HolidaysForm
from portal.staff.closures.lines import ClosureLine, HolidayLine
from portal.staff.sites import sites
from scheduling import opening
from scheduling.errors import NotFound, RuleBroken
from scheduling.opening import StrandedVisit


@manager_required
@require_http_methods(["GET", "POST"])
def closures(request: HttpRequest) -> HttpResponse:
    """Show the closures with the visits in them, and add one after a preview of the visits that it has."""
    now, caller = timezone.now(), caller_of(request)
    form = ClosureForm(request.POST or None, today=now.date())
    if form.is_bound and form.is_valid() and request.POST.get("step") != "change":
        if request.POST.get("step") == "save":
            opening.add_closures([form.closure], caller=caller, now=now)
            messages.success(request, _("Closed. Visits that are booked stay as they are."))
            return redirect("portal:closures")
        context = {
            "form": form,
            "line": ClosureLine(form.closure),
            "stranded": _visits_in(request, [form.closure], now),
            "entered": [(name, value) for name, value in request.POST.items() if name in form.fields],
        }
        return render(request, "portal/staff/closures/preview.html", context)
    rows = opening.closures_in_force(now=now)
    lines = [ClosureLine(closure) for closure in rows]
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, CLOSURES, lines, now=now)
    context = {
        "form": form,
        "lines": lines,
        "stranded": _visits_in(request, rows, now),
        "undo": undo if (undo := request.GET.get("undo", "")).isdecimal() else "",
    }
    return render(request, "portal/staff/closures/closures.html", context)


@manager_required
@require_http_methods(["GET", "POST"])
def holidays(request: HttpRequest) -> HttpResponse:
    """Show this and the next year's holidays of a country and region, and close the chosen ones."""
    now, caller = timezone.now(), caller_of(request)
    data = request.POST if request.method == "POST" else {"country": clinic_country(), **request.GET.dict()}
    form = HolidaysForm(data, sites=sites(caller))
    years = form.holidays(now) if form.is_valid() else []
    if request.method == "POST" and form.is_valid():
        chosen = [
            line.holiday
            for year, listed in years
            for line in (HolidayLine(year, holiday) for holiday in listed)
            if line.value in request.POST.getlist("holiday")
        ]
        place = form.cleaned_data["country"], form.cleaned_data["region"], form.site
        added = opening.add_closures(opening.closures_for(chosen, *place), caller=caller, now=now)
        text = ngettext("%(count)d day is closed.", "%(count)d days are closed.", len(added))
        messages.success(request, text % {"count": len(added)} if added else _("These days were already closed."))
        return redirect("portal:closures")
    closed = _closed_days(form, now)
    context: dict[str, Any] = {
        "form": form,
        "years": [
            (year, [HolidayLine(year, holiday, closed.issuperset(holiday.days)) for holiday in listed])
            for year, listed in years
        ],
    }
    return render(request, "portal/staff/closures/holidays.html", context)


@manager_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the time of a closure again."""
    closure = _closure(pk)
    try:
        is_removed = opening.remove_closure(closure, caller=caller_of(request), now=timezone.now())
    except RuleBroken as refusal:
        messages.error(request, refusal_text(refusal))
        return redirect("portal:closures")
    if not is_removed:
        messages.info(request, _("This closure has already been removed."))
        return redirect("portal:closures")
    messages.success(request, _("The time is open again."))
    return redirect(f"{reverse('portal:closures')}?undo={pk}")


@manager_required
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Close the time of a removed closure again."""
    opening.restore_closure(_closure(pk), caller=caller_of(request), now=timezone.now())
    messages.success(request, _("Undone. The time is closed again."))
    return redirect("portal:closures")


def _closure(pk: int) -> Closure:
    try:
        return opening.closure_of(pk)
    except NotFound as missing:
        raise Http404 from missing


def _visits_in(request: HttpRequest, rows: list[Closure], now: datetime) -> list[StrandedVisit]:
    visits = opening.visits_in_closures(rows, caller_of(request), now=now)
    disclosures.listed(caller_of(request), [visit.appointment for visit in visits], "visits in closures", now=now)
    return visits


def _closed_days(form: HolidaysForm, now: datetime) -> set[date]:
    if not form.is_valid():
        return set()
    rows = opening.closures_in_force(now=now)
    return {row.first for row in rows if row.holiday and row.location == form.site}
