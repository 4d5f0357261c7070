"""View of the page that explains why a visit can or cannot be booked at a time."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.common.callers import caller_of, staff_required
from portal.staff.calendar import requested_visits
from portal.staff.calendar.explanations import explain
from portal.staff.calendar.local_times import new_visit_start
from portal.staff.calendar.parameters import selection_or_404
from portal.staff.calendar.visit_forms import ExplanationForm, WhenForm
from scheduling.visit_zone import zone_of_schedule


@staff_required
@require_GET
def why(request: HttpRequest) -> HttpResponse:
    """Explain why a service can or cannot be booked at a time: each rule, and the page that changes it."""
    now = timezone.now()
    selection = selection_or_404(request)
    schedule = selection.shown[0]
    zone = zone_of_schedule(schedule)
    services = requested_visits.services_on(selection.every)
    is_asked = {"service", "date", "time"} <= set(request.GET)
    local_now = now.astimezone(zone)
    form = ExplanationForm(
        request.GET if is_asked else None,
        initial={
            "schedule": schedule.fhir_id,
            "service": request.GET.get("service"),
            **WhenForm.initial_values(new_visit_start(local_now.date(), local_now)),
        },
        schedules=selection.every,
        services=services,
        zone=zone,
    )
    context = {"form": form, "zone": zone, "schedule": schedule}
    if is_asked and form.is_valid():
        service = next(each for each in services if each.fhir_id == form.cleaned_data["service"])
        start = form.cleaned_data["start"].astimezone(zone)
        found = explain(service, schedule, start, caller=caller_of(request), selection=selection, now=now)
        context |= {"explanation": found, "service": service, "start": start, "local_start": f"{start:%Y-%m-%dT%H:%M}"}
    return render(request, "portal/staff/calendar/why.html", context)
