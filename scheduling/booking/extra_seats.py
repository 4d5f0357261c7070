"""Extra seats: a visit that staff book at a time that is taken, beside the visits that are there.

An extra seat has a negative number, outside those of ordinary visits, and stands under the same exclusion constraint.
How many extra visits a calendar has on a day is counted under the exclusive lock of its bookable.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clinic.models import OCCUPYING, Appointment, Schedule, Slot
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import Offering, Reason
from scheduling.booking.request import BookingRequest
from scheduling.core.hours import local_date, whole_days
from scheduling.errors import Forbidden, RuleBroken
from scheduling.visit_zone import zone_of_place


def require_may_overbook(caller: Caller, overbook: str, offerings: Sequence[Offering]) -> None:
    """Raise Forbidden unless the caller may book an extra visit on these calendars."""
    bookables, sites = [each.bookable for each in offerings], [each.site for each in offerings]
    if overbook and not access.may_overbook(caller, bookables=bookables, sites=sites):
        raise Forbidden(_("You may not book an extra visit on this calendar."))


def taken_offerings(request: BookingRequest, *, now: datetime) -> list[Offering] | None:
    """Return the schedules that are taken at the requested time; None if anything else stands against it."""
    reasons = availability.explain(
        request.service, request.offerings, request.start, now=now, patients=request.patients
    )
    if any(reason != Reason.TAKEN for why in reasons.values() for reason in why):
        return None
    return [offering for offering, why in reasons.items() if why]


def extra_seats(request: BookingRequest, taken: Collection[Offering], *, now: datetime) -> dict[int, list[int | None]]:
    """Return an extra seat on each of these schedules. Needs `own_bookables`.

    Raises RuleBroken if one has as many extra visits on that day as it may have, or for several patients.
    """
    if request.others:
        raise RuleBroken(_("An extra visit is for one patient."), expression="Appointment.participant")
    schedules = Schedule.objects.in_bulk([offering.schedule for offering in taken])
    seats: dict[int, list[int | None]] = {}
    for offering in taken:
        _require_room(schedules[offering.schedule], offering.zone, request.start, now)
        beside = _extra(now).filter(bookable=offering.bookable, **_around(offering, request))
        used = set(beside.values_list("seat", flat=True))
        seats[offering.schedule] = [next(seat for seat in count(-1, -1) if seat not in used)]
    return seats


def require_room_again(appointment: Appointment, released: Iterable[Slot], *, now: datetime) -> None:
    """Raise RuleBroken if a visit that is restored had an extra seat, and the day has no room for it any more.

    Needs `own_bookables`.
    """
    assert appointment.start is not None  # what was booked has a time
    extra = {slot.schedule_id for slot in released if slot.seat is not None and slot.seat < 0}
    for schedule in Schedule.objects.filter(pk__in=extra) if extra else ():
        _require_room(schedule, zone_of_place(appointment), appointment.start, now)


def _require_room(schedule: Schedule, zone: ZoneInfo, start: datetime, now: datetime) -> None:
    most = settings.EXTRA_VISITS_PER_DAY if schedule.extra_limit is None else schedule.extra_limit
    day = local_date(int(start.timestamp()), zone)
    first, last = map(availability.as_datetime, whole_days(day, day, zone))
    visits = _extra(now).filter(schedule=schedule, appointment__start__gte=first, appointment__start__lt=last)
    if visits.order_by().values("appointment").distinct().count() >= most:
        text = _("No more extra visits on that day: %(name)s may have %(most)d.")
        raise RuleBroken(text % {"name": schedule, "most": most})


def _extra(now: datetime) -> QuerySet[Slot]:
    counts = Q(hold_expires_at=None) | Q(hold_expires_at__gt=now)
    return Slot.objects.filter(counts, seat__lt=0, status__in=OCCUPYING, deleted_at=None)


def _around(offering: Offering, request: BookingRequest) -> dict[str, datetime]:
    """Return the filter for Slots that overlap the visit with its buffers."""
    before, after = (timedelta(seconds=each) for each in (offering.rules.buffer_before, offering.rules.buffer_after))
    return {"start__lt": request.end + after, "end__gt": request.start - before}
