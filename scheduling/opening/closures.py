"""Closures of the clinic, of a site, a room, a person or a device, for all services at once."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clinic.fhir.schedules import ZONE_OF_HOURS
from clinic.models import Absence, Appointment, AuditEvent, Closure, Slot
from clinic.models.statements import insert
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import closed_time
from scheduling.booking.idempotency import refusals
from scheduling.core.hours import closed_spans
from scheduling.errors import NotFound, RuleBroken
from scheduling.opening.changes import StrandedVisit, stranded_of
from scheduling.visit_zone import zone_of_schedule

DAY = timedelta(days=1)  # no local time is further from UTC
AHEAD = timedelta(days=2 * 365)  # how far ahead visits in yearly closures are looked for
ACTOR = "schedule__bookable"
PLACES = ("schedule__site", f"{ACTOR}__location", f"{ACTOR}__device__location")
HOLIDAY = ("location", "country", "region", "holiday", "first")


def closures_in_force(*, now: datetime) -> list[Closure]:
    """The closures that are not over, in order of their first day."""
    rows = Closure.objects.filter(Q(last__gte=now.date() - DAY) | Q(yearly=True), removed_at=None)
    return list(rows.select_related("practitioner", "location", "device"))


def closure_of(pk: int) -> Closure:
    """The closure with this primary key, also if it was removed. Raises NotFound."""
    closure = Closure.objects.select_related("practitioner", "location", "device").filter(pk=pk).first()
    if closure is None:
        raise NotFound(_("There is no such closure."))
    return closure


@refusals()
@transaction.atomic(durable=True)
def add_closures(rows: Sequence[Closure], *, caller: Caller, now: datetime) -> list[Closure]:
    """Store closures and return them. Holidays that are closed already are left out, and those that were removed are
    closed again. Visits in them stay booked.
    """
    access.may_set_up(caller)
    restored = [pk for closure in rows if closure.holiday for pk in _restore(closure)]
    if restored:
        insert([access.audit_event("closure restored", AuditEvent.Action.UPDATE, caller=caller, now=now)])
    added = add_missing(rows, caller=caller, now=now)
    return [*Closure.objects.filter(pk__in=restored), *added]


def add_missing(rows: Iterable[Closure], *, caller: Caller, now: datetime) -> list[Closure]:
    """Store the closures, without holidays that are stored already, also if removed; return the new ones."""
    added = [closure for closure in rows if not (closure.holiday and _same_holiday(closure).exists())]
    if added:
        Closure.objects.bulk_create(closure for closure in added if not closure.holiday)
        # Two managers can choose the same holiday at once.
        Closure.objects.bulk_create((closure for closure in added if closure.holiday), ignore_conflicts=True)
        insert([access.audit_event("closure", AuditEvent.Action.CREATE, caller=caller, now=now)])
    return added


@refusals()
@transaction.atomic(durable=True)
def remove_closure(closure: Closure, *, caller: Caller, now: datetime) -> bool:
    """Open the time again. Return False if somebody has done it already.

    Raises RuleBroken for the closure of an absence of a site, which is ended instead.
    """
    if Absence.objects.filter(closure=closure, ended=None).exists():
        raise RuleBroken(_("The site is closed by an absence. End the absence instead: its patients are told then."))
    return _update(closure, "closure removed", now, caller, now)


@refusals()
@transaction.atomic(durable=True)
def restore_closure(closure: Closure, *, caller: Caller, now: datetime) -> bool:
    """Close the time that was opened again. Return False if somebody has done it already."""
    return _update(closure, "closure restored", None, caller, now)


def visits_in_closures(closures: Sequence[Closure], caller: Caller, *, now: datetime) -> list[StrandedVisit]:
    """The booked visits to come that the caller may see in one of the closures, in order of time.

    A constant number of statements.
    """
    found: dict[int | None, StrandedVisit] = {}
    for slot in _slots_near(closures, caller, now):
        if slot.appointment_id not in found and any(is_closed(closure, slot) for closure in closures):
            found[slot.appointment_id] = stranded_of(slot, zone_of_schedule(slot.schedule))
    return list(found.values())


def is_closed(closure: Closure, slot: Slot) -> bool:
    """True if the closure has the Slot's person, place or device and some of its time."""
    bookable = slot.schedule.bookable
    room = bookable.location or (bookable.device.location if bookable.device else None)
    places = {slot.schedule.site_id, room.pk if room else None, room.part_of_id if room else None}
    is_of_actor = (
        closure.practitioner_id in (None, bookable.practitioner_id)
        and closure.device_id in (None, bookable.device_id)
        and (closure.location_id is None or closure.location_id in places)
    )
    start, end = int(slot.start.timestamp()), int(slot.end.timestamp())
    return is_of_actor and bool(closed_spans((closed_time(closure),), zone_of_schedule(slot.schedule), start, end))


def near(closure: Closure, *, now: datetime) -> Q:
    """The condition for Slots of the closure's person, place or device within a day of its times."""
    times = Q(pk__in=[])
    for start, end in closed_time(closure).between_years(now.year - 1, (now + AHEAD).year):
        times |= Q(start__lt=end.replace(tzinfo=UTC) + DAY, end__gt=start.replace(tzinfo=UTC) - DAY)
    if closure.practitioner_id:
        return times & Q(**{f"{ACTOR}__practitioner": closure.practitioner_id})
    if closure.device_id:
        return times & Q(**{f"{ACTOR}__device": closure.device_id})
    if closure.location_id:
        places = [Q(**{f"{place}{part}": closure.location_id}) for place in PLACES for part in ("", "__part_of")]
        return times & reduce(or_, places)
    return times


def _slots_near(closures: Iterable[Closure], caller: Caller, now: datetime) -> QuerySet[Slot]:
    condition = Q(pk__in=[])
    for closure in closures:
        condition |= near(closure, now=now)
    return (
        access.visible(Slot, caller)
        .filter(condition, status=Slot.Status.BUSY, deleted_at=None, end__gt=now)
        .filter(appointment__status=Appointment.Status.BOOKED)
        .select_related("appointment__patient", "appointment__service", *PLACES)
        .select_related("schedule__practitioner_role", f"{ACTOR}__practitioner")
        .prefetch_related(*(f"schedule__{rows}" for rows in ZONE_OF_HOURS))
        .order_by("start", "pk")
    )


def _same_holiday(closure: Closure) -> QuerySet[Closure]:
    return Closure.objects.filter(**{name: getattr(closure, name) for name in HOLIDAY})


def _restore(closure: Closure) -> list[int]:
    """Close a holiday again that was removed; return the primary keys."""
    removed = _same_holiday(closure).filter(removed_at__isnull=False)
    keys = list(removed.values_list("pk", flat=True))
    Closure.objects.filter(pk__in=keys).update(removed_at=None)
    return keys


def _update(closure: Closure, subtype: str, removed_at: datetime | None, caller: Caller, now: datetime) -> bool:
    access.may_set_up(caller)
    others = Closure.objects.filter(pk=closure.pk, removed_at__isnull=removed_at is not None)
    changed = others.update(removed_at=removed_at)
    if changed:
        insert([access.audit_event(subtype, AuditEvent.Action.UPDATE, caller=caller, now=now)])
    return bool(changed)
