"""Views of the reports for staff."""

from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clinic import time_text
from clinic.country import clinic_zone
from clinic.local_time import in_zone
from clinic.models import CountedDay, HealthcareService
from clinic.service_types import names_of
from portal.common.callers import caller_of, staff_required
from portal.common.csv_lists import file_response
from portal.staff.reports.forms import DIVISIONS, ReportForm, usual_periods
from portal.staff.reports.values import cells_of, file_cell, file_header, words
from scheduling import access, reports
from scheduling.reports import KINDS, Kind, NextFreeTimes, Report, Unit

SECONDS_OF_A_DAY = 24 * 60 * 60


@staff_required
@require_GET
def report(request: HttpRequest, kind: str) -> HttpResponse:
    """Show a report of some days beside the days before: totals with definitions, a chart and a table."""
    chosen, form, today = _requested_report(request, kind)
    context: dict[str, Any] = {"kinds": KINDS.values(), "kind": chosen, "form": form}
    if form.is_valid():
        table = _read(request, chosen, form)
        context |= {
            "totals": cells_of(table.total, chosen.figures),
            "lines": [(line.label, cells_of(line, chosen.figures)) for line in table.lines],
            "division": DIVISIONS[form.cleaned_data["by"]],
            "before": form.period.before,
            "periods": usual_periods(today),
            "counted": _local(CountedDay.objects.order_by("-day").values_list("computed", flat=True).first()),
        }
    return render(request, "portal/staff/reports/report.html", context)


@staff_required
@require_GET
def report_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Return the table of a report as a CSV file."""
    chosen, form, _today = _requested_report(request, kind)
    if not form.is_valid():
        return redirect("portal:report", kind=kind)
    table = _read(request, chosen, form)
    header: list[Any] = [DIVISIONS[form.cleaned_data["by"]]]
    for figure in chosen.figures:
        header += [file_header(figure, before=False), file_header(figure, before=True)]
    rows = []
    for line in table.lines:
        cells: list[Any] = [line.label]
        for figure, value, before in zip(chosen.figures, line.values, line.before, strict=True):
            cells += [file_cell(value, figure.unit), file_cell(before, figure.unit)]
        rows.append(cells)
    first, last = form.period.days
    return file_response(f"{kind}-{first}-{last}.csv", header, rows)


@staff_required
@require_GET
def free_times(request: HttpRequest) -> HttpResponse:
    """Show how far away the first and the third next free time of each service are."""
    now = timezone.now()
    rows = [
        (row.service, [(_time_text(each), words(_days(each, now), Unit.DAYS)) for each in (row.first, row.third)])
        for row in _next_free_times(request, now)
    ]
    context = {"kinds": KINDS.values(), "rows": rows}
    return render(request, "portal/staff/reports/free_times.html", context)


@staff_required
@require_GET
def free_times_file(request: HttpRequest) -> HttpResponse:
    """Return how far away the next free times are as a CSV file."""
    now = timezone.now()
    header = [_("Service"), _("Service type"), _("Days to the first free time"), _("Days to the third free time")]
    rows = [
        (row.service.name, ", ".join(names_of(row.service.type)), _days(row.first, now), _days(row.third, now))
        for row in _next_free_times(request, now)
    ]
    return file_response(f"free-times-{in_zone(now, clinic_zone()).date()}.csv", header, rows)


def _requested_report(request: HttpRequest, kind: str) -> tuple[Kind, ReportForm, date]:
    """Return the kind of report, the form that was sent, and today. Raises Http404 for a kind that does not exist."""
    if kind not in KINDS:
        raise Http404
    today = in_zone(timezone.now(), clinic_zone()).date()
    return KINDS[kind], ReportForm(request.GET or None, kind=KINDS[kind], today=today), today


def _read(request: HttpRequest, kind: Kind, form: ReportForm) -> Report:
    return reports.report_of(kind, form.period, by=form.cleaned_data["by"], caller=caller_of(request))


def _next_free_times(request: HttpRequest, now: datetime) -> list[NextFreeTimes]:
    services = access.services_worked_with(caller_of(request))
    active: list[HealthcareService] = list(services.filter(active=True))
    return reports.next_free_times([each.pk for each in active], now=now) if active else []


def _time_text(start: datetime | None) -> str:
    """The time with its zone; empty if there is none."""
    return time_text.in_short(start, cast(ZoneInfo, start.tzinfo)) if start else ""


def _local(moment: datetime | None) -> datetime | None:
    """The moment in the clinic's zone."""
    return None if moment is None else in_zone(moment, clinic_zone())


def _days(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round((moment - now).total_seconds() / SECONDS_OF_A_DAY, 1)
