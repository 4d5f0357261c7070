"""Choose a visit, choose a time."""

from datetime import timedelta
from typing import Any

from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from clinic.models import HealthcareService, SchedulingParameters
from portal import choosing, weeks
from portal.forms import WeekForm

MANY = 6  # services, from which on a search is of use


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


@require_GET
def services(request: HttpRequest) -> HttpResponse:
    """The visits that patients can book."""
    offered = bookable().prefetch_related("questionnaires", _general_parameters())
    searched = request.GET.get("q", "").strip()
    total = offered.count()
    found = offered.filter(Q(name__icontains=searched) | Q(comment__icontains=searched)) if searched else offered
    cards = [{"service": each, "duration": _duration(each)} for each in found]
    context = {"cards": cards, "searched": searched, "many": total > MANY, "total": total}
    return render(request, "portal/booking/services.html", context)


@require_GET
@vary_on_headers("HX-Request")
def choose_time(request: HtmxRequest, service_id: str) -> HttpResponse:
    """A week of free times. Asked for by htmx, what changes alone."""
    now = timezone.now()
    service = get_object_or_404(bookable().prefetch_related(_general_parameters()), fhir_id=service_id)
    asked = WeekForm(request.GET)
    whole = choosing.read_menu(service)
    menu = whole.narrowed(asked.asked("practitioner"), asked.asked("location"))
    week = weeks.read_week(menu, asked.asked("week"), asked.asked("date"), now=now)
    context = {
        "service": service,
        "duration": _duration(service),
        "menu": whole,
        "zones": menu.zones,
        "week": week,
        "practitioner": asked.asked("practitioner"),
        "location": asked.asked("location"),
        "others": weeks.others_in(whole, week, now=now) if asked.asked("practitioner") and not week.count else [],
    }
    part = request.htmx and not request.htmx.history_restore_request
    return render(request, f"portal/booking/{'_times' if part else 'choose_time'}.html", context)


def bookable() -> Any:
    return HealthcareService.objects.filter(
        active=True, deleted_at=None, bookable_by=HealthcareService.BookableBy.PATIENTS
    )


def _general_parameters() -> Any:
    return Prefetch(
        "scheduling_parameters", SchedulingParameters.objects.filter(schedule=None), to_attr="general_parameters"
    )


def _duration(service: Any) -> timedelta | None:
    """How long the visit takes, where it is the same with everyone."""
    minutes = next((each.duration for each in service.general_parameters), None)
    return timedelta(minutes=minutes) if minutes else None
