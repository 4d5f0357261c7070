"""Views of labels to print: of the patients of a day at a site, or of one patient."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_safe

from clinic.local_time import in_zone
from clinic.models import AppointmentPatient, Location, Patient
from portal.common import disclosures
from portal.common.callers import caller_of, staff_required
from portal.common.fields import DayField, NumberField
from portal.common.forms import QueryForm
from portal.staff.back_link import back_of
from portal.staff.sites import ALL_SITES, chosen_sites, sites
from scheduling import access
from scheduling.access import Caller
from scheduling.visit_zone import zone_or_clinics
from scheduling.waiting import OF_THE_DAY, bounds_of

MOST_COPIES, MOST_USED = 50, 99


class LabelForm(QueryForm):
    """Query of the labels: the day, how many of each patient, and how many labels of the first sheet are used up."""

    date = DayField(label=_("Day"), required=False)
    copies = NumberField(label=_("Labels for each patient"), required=False, min_value=1, max_value=MOST_COPIES)
    used = NumberField(
        label=_("Labels used up"),
        help_text=_("On the first sheet, from the top left."),
        required=False,
        min_value=0,
        max_value=MOST_USED,
    )


@staff_required
@require_GET
def labels(request: HttpRequest) -> HttpResponse:
    """Show a label for each patient who comes to a site, or to all sites, on a day: today, unless it is named."""
    caller, now, query = caller_of(request), timezone.now(), LabelForm(request.GET)
    known = sites(caller)
    chosen = chosen_sites(known, request.GET.get("site", ""))
    day: date = query.value("date") or in_zone(now, zone_or_clinics(chosen[0].timezone)).date()
    patients = _patients_of(caller, chosen, day)
    disclosures.listed_patients(caller, [patient.pk for patient in patients], "labels", now=now)
    context = {
        "day": day,
        "sites": known,
        "site": None if request.GET.get("site") == ALL_SITES else chosen[0],
        "form": LabelForm(initial={"date": day, "copies": 1, "used": 0, **_given(query)}),
    }
    return _show(request, query, patients, context)


@staff_required
@require_GET
def patient_labels(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Show the label of one patient."""
    caller, query = caller_of(request), LabelForm(request.GET)
    patient = get_object_or_404(access.staff_patients(caller), fhir_id=patient_id)
    disclosures.opened(caller, patient, now=timezone.now())
    form = LabelForm(initial={"copies": 1, "used": 0, **_given(query)})
    del form.fields["date"]
    return _show(request, query, [patient], {"patient": patient, "form": form, "returns": back_of(request)})


@require_safe
@cache_control(public=True, max_age=3600)
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Return the stylesheet with the size of the labels."""
    return HttpResponse(settings.LABEL_SHEET.css, content_type="text/css; charset=utf-8")


def _show(request: HttpRequest, query: LabelForm, patients: Sequence[Patient], context: dict[str, Any]) -> HttpResponse:
    copies = [patient for patient in patients for _number in range(query.value("copies") or 1)]
    used = range(query.value("used") or 0)
    return render(
        request, "portal/staff/patients/labels.html", context | {"labels": copies, "used": used, "patients": patients}
    )


def _given(query: LabelForm) -> dict[str, Any]:
    return {name: value for name in ("copies", "used") if (value := query.value(name)) is not None}


def _patients_of(caller: Caller, sites: Sequence[Location], day: date) -> list[Patient]:
    """Return the patients of the day's visits that the caller works with, each once, by name. Three queries a zone."""
    by_zone: dict[str, list[Location]] = {}
    for site in sites:
        by_zone.setdefault(site.timezone, []).append(site)
    keys: set[int] = set()
    for name, here in by_zone.items():
        start, end = bounds_of(day, zone_or_clinics(name))
        keys |= _keys(caller, here, start, end)
    return list(Patient.objects.filter(pk__in=keys, deleted_at=None).order_by("family", "given", "pk"))


def _keys(caller: Caller, sites: Sequence[Location], start: datetime, end: datetime) -> set[int]:
    visits = access.staff_appointments(caller).filter(
        site__in=sites, start__gte=start, start__lt=end, status__in=OF_THE_DAY, deleted_at=None
    )
    rows = visits.values_list("pk", "patient")
    others = AppointmentPatient.objects.filter(appointment__in=[visit for visit, _patient in rows], has_left=False)
    return {patient for _visit, patient in rows if patient} | set(others.values_list("patient", flat=True))
