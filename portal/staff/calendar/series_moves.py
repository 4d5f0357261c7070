"""Moves of several visits of a series from the calendar: this and the following ones, or all that are to come."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from clinic.models import Appointment, Schedule
from portal.appointments import several
from portal.appointments.several import Several
from portal.appointments.visits import Visit
from portal.common.callers import caller_of
from portal.staff.calendar import requested_visits
from portal.staff.calendar.dialogs import Undo, done
from portal.staff.calendar.visit_forms import MoveForm
from scheduling import booking
from scheduling.availability import as_datetime
from scheduling.booking import RescheduleRequest
from scheduling.visit_zone import zone_of_schedule


def choices_of(request: HttpRequest, appointment: Appointment, schedule: Schedule, now: datetime) -> list[Several]:
    """Return what can be moved together with a visit of a series; nothing for one that was booked alone."""
    if appointment.occurrence is None:
        return []
    visit = Visit(appointment, zone_of_schedule(schedule), now)
    return several.choices(visit, several.staff_together(caller_of(request), appointment, now=now))


def move_together(
    request: HttpRequest, form: MoveForm, together: Several, schedule: Schedule, undo: Undo, now: datetime
) -> HttpResponse:
    """Move the visits if all their new times are free; else show each of them with the nearest other times.

    Raises SchedulingError.
    """
    given: dict[str, Any] = form.cleaned_data
    appointment = together.visit.appointment
    offerings = requested_visits.arrange_move(
        appointment, schedule, given["start"], now=now, duration=timedelta(minutes=given["minutes"])
    )
    planned = several.planned_moves(appointment, together.visits, offerings, given["start"], now=now)
    if not all(each.is_free for each in planned):
        return _show_all(request, form, together, schedule)
    moves = {
        visit.id: RescheduleRequest(
            offerings=offerings,
            start=as_datetime(each.start),
            version=given["version"] if visit.id == together.visit.id else visit.appointment.version,
        )
        for visit, each in zip(together.visits, planned, strict=True)
    }
    moved = booking.reschedule_series(
        appointment.fhir_id, moves, caller=caller_of(request), now=now, tell=given["tell"]
    )
    own = next(visit for visit in moved if visit.pk == appointment.pk)
    undo["fields"] |= {"version": own.version, "which": together.which}
    return done(request, several.moved_text(len(moved)), given["start"], undo=undo, warnings=own.warnings)


def _show_all(request: HttpRequest, form: MoveForm, together: Several, schedule: Schedule) -> HttpResponse:
    """Go to the page on which the time of each visit is chosen."""
    local = form.cleaned_data["start"].astimezone(zone_of_schedule(schedule))
    query = {
        "which": together.which,
        "schedule": schedule.fhir_id,
        "date": local.date().isoformat(),
        "time": f"{local:%H:%M}",
        "again": str(local.fold),
    }
    address = f"{reverse('portal:staff-move-several', args=[together.visit.id])}?{urlencode(query)}"
    return HttpResponseClientRedirect(address) if getattr(request, "htmx", False) else redirect(address)
