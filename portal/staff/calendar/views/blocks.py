"""Views that block time and remove blocks."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinic import time_text
from clinic.local_time import in_zone
from clinic.models import Schedule, Slot
from portal.common.callers import caller_of, staff_required, worker_required
from portal.common.schedules import SCHEDULE
from portal.staff.calendar.block_forms import BlockForm, ExtentForm
from portal.staff.calendar.dialogs import REFUSED, Context, Undo, done, show
from portal.staff.calendar.entries import CalendarEntry, read_entries
from portal.staff.calendar.forms import CalendarQueryForm
from portal.staff.calendar.parameters import calendar_of, selection_or_404
from portal.staff.calendar.selection import Selection, run_by
from scheduling import access, booking
from scheduling.availability import as_datetime
from scheduling.booking import BlockRequest, Extent
from scheduling.core.intervals import Span
from scheduling.errors import SchedulingError
from scheduling.visit_zone import zone_of_schedule


@worker_required
@require_http_methods(["GET", "POST"])
def new_block(request: HttpRequest) -> HttpResponse:
    """Block time. Visits in that time are shown first and stay; the free time around them can be blocked."""
    now = timezone.now()
    selection = selection_or_404(request)
    schedule = calendar_of(request, selection)
    here = [each for each in selection.every if each.site_id == schedule.site_id]
    form = BlockForm(request.POST or None, initial=_initial(request, schedule, now), schedules=here)
    context: Context = {"form": form, "schedule": schedule, "zone": zone_of_schedule(schedule)}
    if not form.is_valid():
        return show(request, "block_form", context, status=REFUSED if form.errors else 200)
    occasions = form.occasions(zone_of_schedule(schedule))
    in_the_way = _in_the_way(request, selection, schedule, occasions, now)
    if "save" not in request.POST and (in_the_way or len(occasions) != 1):
        context |= {"occasions": occasions, "in_the_way": in_the_way, **_ends(occasions, schedule)}
        return show(request, "block_form", context)
    return _block(request, form, schedule, occasions, context, now)


def _block(
    request: HttpRequest, form: BlockForm, schedule: Schedule, occasions: list[Span], context: Context, now: datetime
) -> HttpResponse:
    block_request = BlockRequest(
        schedule=schedule, occasions=tuple(occasions), comment=form.comment, around=form.cleaned_data["around"]
    )
    try:
        [slot, *_rest] = booking.block(block_request, caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        selection = selection_or_404(request)
        in_the_way = _in_the_way(request, selection, schedule, occasions, now)
        context |= {"refusal": [str(refusal)], "occasions": occasions, "in_the_way": in_the_way}
        return show(request, "block_form", context | _ends(occasions, schedule), status=REFUSED)
    undo: Undo = {"url": reverse("portal:staff-block", args=[slot.fhir_id]), "fields": {"extent": Extent.ALL.value}}
    start = as_datetime(occasions[0][0]).astimezone(zone_of_schedule(schedule))
    text = ngettext("The time is blocked.", "Blocked %(count)d times.", len(occasions)) % {"count": len(occasions)}
    return done(request, text, start, undo=undo)


def _ends(occasions: list[Span], schedule: Schedule) -> Context:
    if not occasions:
        return {}
    zone = zone_of_schedule(schedule)
    return {
        "first": as_datetime(occasions[0][0]).astimezone(zone),
        "last": as_datetime(occasions[-1][0]).astimezone(zone),
    }


def _initial(request: HttpRequest, schedule: Schedule, now: datetime) -> Context:
    """Return initial values from the time that was drawn in the grid, if any."""
    query = CalendarQueryForm(request.GET)
    start, end = query.value("start"), query.value("end")
    initial: Context = {"calendar": schedule.fhir_id, "first": now.astimezone(zone_of_schedule(schedule)).date()}
    if start:
        initial |= {"first": start.date(), "start": start.time()}
    if start and end and end.date() == start.date():
        initial["end"] = end.time()
    return initial


def _in_the_way(
    request: HttpRequest, selection: Selection, schedule: Schedule, occasions: list[Span], now: datetime
) -> list[CalendarEntry]:
    """Return the entries in that time, without buffers."""
    if not occasions:
        return []
    alone = Selection(every=selection.every, site=schedule.site, shown=[schedule])
    first, last = (
        as_datetime(min(start for start, _end in occasions)),
        as_datetime(max(end for _start, end in occasions)),
    )
    entries = read_entries(caller_of(request), alone, first, last, now=now)
    return [
        each
        for each in entries
        if each.kind != "buffer"
        and any(each.start < as_datetime(end) and each.end > as_datetime(start) for start, end in occasions)
    ]


@staff_required
@require_http_methods(["GET", "POST"])
def block(request: HttpRequest, slot_id: str) -> HttpResponse:
    """Show a block, with the button that removes it."""
    now = timezone.now()
    seen = access.visible(Slot, caller_of(request)).filter(fhir_id=slot_id, appointment=None, deleted_at=None)
    slot = seen.select_related(*(f"schedule__{each}" for each in SCHEDULE)).first()
    if slot is None:
        raise Http404
    zone = zone_of_schedule(slot.schedule)
    start, end = in_zone(slot.start, zone), in_zone(slot.end, zone)
    repeated = booking.is_repeated(slot)
    form = ExtentForm(request.POST or None)
    context: Context = {
        "slot": slot,
        "start": start,
        "end": end,
        "zone": zone,
        "repeated": repeated,
        "form": form,
        "may_change": bool(run_by(caller_of(request), [slot.schedule])),
    }
    if not form.is_valid():
        return show(request, "block", context, status=REFUSED if form.errors else 200)
    try:
        booking.unblock(slot.fhir_id, Extent(form.cleaned_data["extent"]), caller=caller_of(request), now=now)
    except SchedulingError as refusal:
        return show(request, "block", context | {"refusal": [str(refusal)]}, status=REFUSED)
    return done(request, _("The time is free again: %(time)s.") % {"time": time_text.day_and_time(start)}, start)
