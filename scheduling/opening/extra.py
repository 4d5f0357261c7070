"""Extra time: one-off time beyond the weekly hours, stored as free Slots."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic.models import Schedule, Slot
from scheduling import access, availability, booking
from scheduling.access import Caller
from scheduling.core.hours import Window, instant
from scheduling.errors import NotFound, RuleBroken
from scheduling.opening.changes import StrandedVisit, booked_slots, stranded_of
from scheduling.opening.terms import Terms, problems
from scheduling.opening.weekly_versions import DAY

LISTED = 200


def extra_hours(day: date, opens: time, closes: time) -> Window:
    """The extra time as hours of a single day, for a preview."""
    return Window(frozenset({day.weekday()}), opens, closes, day, day)


def extra_times(terms: Terms, *, now: datetime) -> list[Slot]:
    """The extra time of the schedule that is not over."""
    free = Slot.objects.filter(schedule=_schedule(terms), status=Slot.Status.FREE, deleted_at=None, end__gt=now)
    return list(free.order_by("start", "pk")[:LISTED])


def add_extra(terms: Terms, hours: Window, note: str, *, caller: Caller, now: datetime) -> Slot:
    """Add extra time to the schedule; only for this service if it has a type."""
    access.may_set_hours(caller, _schedule(terms))
    day = hours.first
    if day is None or terms.zone is None:
        why = next((each.text for each in problems(terms, now=now) if not each.is_warning), "")
        raise RuleBroken(why or _("Extra time must be on one day, in a known time zone."))
    start, end = extra_span(day, hours, terms.zone)
    if start >= end:
        raise RuleBroken(_("The clocks go forward and skip all of this time."))
    slot = Slot(
        schedule=_schedule(terms),
        status=Slot.Status.FREE,
        start=start,
        end=end,
        comment=note,
        service_type=terms.service.type,
        last_updated=now,
    )
    with booking.all_or_nothing():
        booking.write_slots([slot])
    return slot


def remove_extra(terms: Terms, slot: Slot, *, caller: Caller, now: datetime) -> None:
    """Remove extra time. Visits in it stay booked."""
    access.may_set_hours(caller, _schedule(terms))
    with booking.all_or_nothing():
        booking.remove_slot(slot, now=now)


def extra_time(terms: Terms, slot_id: str) -> Slot:
    """The extra time of the schedule with this id. Raises NotFound."""
    slots = Slot.objects.filter(schedule=_schedule(terms), status=Slot.Status.FREE, deleted_at=None)
    found = slots.filter(fhir_id=slot_id).first()
    if found is None:
        raise NotFound(_("There is no such extra time."))
    return found


def visits_in(terms: Terms, slot: Slot, *, caller: Caller) -> list[StrandedVisit]:
    """The booked visits in extra time."""
    schedule = _schedule(terms)
    zone = terms.zone or ZoneInfo("UTC")
    booked = booked_slots(caller, terms.service, [schedule.pk]).filter(start__lt=slot.end, end__gt=slot.start)
    return [stranded_of(each, zone) for each in booked]


def extra_span(day: date, hours: Window, zone: ZoneInfo) -> tuple[datetime, datetime]:
    closing = day if hours.opens < hours.closes else day + DAY
    return (
        availability.as_datetime(instant(day, hours.opens, zone)),
        availability.as_datetime(instant(closing, hours.closes, zone)),
    )


def _schedule(terms: Terms) -> Schedule:
    if terms.schedule is None:
        raise RuleBroken(_("Extra time must be on one calendar."))
    return terms.schedule
