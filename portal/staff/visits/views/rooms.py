"""View that gives the visit of a patient who has come a room and devices, and calls the patient in."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.local_time import in_zone
from clinic.models import Appointment
from portal.appointments.statuses import Status
from portal.appointments.visits import Visit
from portal.common.callers import caller_of, worker_required
from portal.staff.back_link import named_list
from portal.staff.board.steps import Step, steps_after
from portal.staff.calendar.dialogs import CHANGED, REFUSED, Context, done, refused, show
from portal.staff.calendar.parameters import appointment_or_404
from portal.staff.visits.room_forms import RoomForm
from scheduling import booking
from scheduling.booking import HERE, RoomRequest
from scheduling.errors import SchedulingError, VersionConflict
from scheduling.visit_zone import zone_of_place


@worker_required
@require_http_methods(["GET", "POST"])
def rooms(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Choose the room and the devices of a visit among those that are free, with its next step or without."""
    now = timezone.now()
    appointment = appointment_or_404(request, appointment_id, now)
    if request.method != "POST":
        return _show(request, appointment, _form(None, appointment, now), now)
    form = _form(request.POST, appointment, now)
    if not form.is_valid():
        return _show(request, appointment, form, now, status=REFUSED)
    chosen = RoomRequest(
        schedules=form.schedules, status=form.cleaned_data["status"], version=form.cleaned_data["version"]
    )
    try:
        booking.give_rooms(appointment_id, chosen, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        appointment = appointment_or_404(request, appointment_id, now)
        context = {"refusal": [CHANGED]} if isinstance(refusal, VersionConflict) else refused(refusal)
        return _show(request, appointment, _form(None, appointment, now), now, context, status=REFUSED)
    message = _("The room is saved.")
    if getattr(request, "htmx", False):
        return done(request, message, appointment.start or now)
    messages.success(request, message)
    came_from = named_list(request)
    return redirect(came_from.address) if came_from else redirect("portal:staff-visit", appointment_id)


def _form(data: QueryDict | None, appointment: Appointment, now: datetime) -> RoomForm:
    uses = booking.rooms_in_use(appointment)
    free = [each for each in booking.free_rooms(appointment, now=now) if each not in uses]
    return RoomForm(data, uses=uses, free=free, version=appointment.version)


def _show(
    request: HttpRequest,
    appointment: Appointment,
    form: RoomForm,
    now: datetime,
    context: Context | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    visit = Visit(appointment, zone_of_place(appointment), now)
    steps = _steps(appointment, visit, now)
    shown = {"form": form, "visit": visit, "steps": steps, "is_here": appointment.status in HERE}
    return show(request, "room", shown | (context or {}), status=status)


def _steps(appointment: Appointment, visit: Visit, now: datetime) -> list[Step]:
    """Return the steps that can be recorded together with the room."""
    steps = steps_after(Status(appointment.status), in_zone(visit.start, visit.zone), now)
    return [step for step in steps if step.status in HERE]
