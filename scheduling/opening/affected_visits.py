"""Booked visits that cannot take place: a practitioner has left, a place is closed, or the patient has died."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clinic import patient_text
from clinic.fhir.schedules import ZONE_OF_HOURS, zone_of_hours
from clinic.models import Appointment, Closure, Device, Location, Patient, Schedule, Slot
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import is_absent
from scheduling.opening.closures import closures_in_force, is_closed, near
from scheduling.visit_zone import zone_of_schedule

LISTED = 50
ROLE = "schedule__practitioner_role"
ACTOR = "schedule__bookable"
PLACES = (
    "schedule__site",
    f"{ACTOR}__location",
    f"{ACTOR}__location__part_of",
    f"{ACTOR}__device__location",
    f"{ACTOR}__device__location__part_of",
)


@dataclass(frozen=True, slots=True)
class AffectedVisit:
    """A visit, its local time, and the reason why staff must look at it."""

    appointment: Appointment
    start: datetime
    end: datetime
    why: str


def affected_visits(caller: Caller, *, now: datetime) -> list[AffectedVisit]:
    """The first affected visits to come that the caller may see, in order of time. A constant number of statements."""
    closures = closures_in_force(now=now)
    affected = Q(schedule__in=_closed_calendars().values("pk")) | Patient.closed("appointment__patient__")
    for closure in closures:
        affected |= near(closure, now=now)
    slots = (
        access.visible(Slot, caller)
        .filter(affected, status=Slot.Status.BUSY, deleted_at=None, start__gte=now)
        .filter(appointment__status=Appointment.Status.BOOKED, appointment__start__gte=now)
        .select_related("appointment__patient", "appointment__service", f"{ROLE}__practitioner", *PLACES)
        .select_related(*(f"{ACTOR}__{kind}" for kind in ("practitioner", "healthcare_service", "patient")))
        .prefetch_related(*(f"schedule__{rows}" for rows in ZONE_OF_HOURS))
        .prefetch_related(f"{ROLE}__locations__part_of")
        .order_by("start", "pk")[: 4 * LISTED]
    )
    found: dict[int, AffectedVisit] = {}
    for slot in slots:
        why = next(_reasons(slot, closures), "")
        if why and slot.appointment is not None:
            zone = zone_of_schedule(slot.schedule)
            start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
            found.setdefault(slot.appointment.pk, AffectedVisit(slot.appointment, start, end, why))
    return list(found.values())[:LISTED]


def _closed_calendars() -> QuerySet[Schedule]:
    """Schedules that are closed, or whose practitioner, place or device is away or perhaps away at times.

    Their query is one of its own, so that PostgreSQL does not join all visits to come with all that they need.
    """
    broken = [status for status in Device.Status if status != Device.Status.ACTIVE]
    closed = Q(active=False) | Q(bookable__practitioner__active=False) | Q(bookable__device__status__in=broken)
    closed |= Q(practitioner_role__active=False)
    for place in PLACES:
        path = place.removeprefix("schedule__")
        closed |= Q(**{f"{path}__status__in": [Location.Status.SUSPENDED, Location.Status.INACTIVE]})
    return Schedule.objects.filter(closed | Q(practitioner_role__extra__has_any_keys=["period", "notAvailable"]))


def _reasons(slot: Slot, closures: list[Closure]) -> Iterator[str]:
    visit, schedule, bookable = slot.appointment, slot.schedule, slot.schedule.bookable
    if visit is not None and (note := patient_text.record_note(visit.patient)):
        yield note
    role, person, device = schedule.practitioner_role, bookable.practitioner, bookable.device
    for actor in (person, role):
        if actor is not None and not actor.active:
            yield _("%(name)s has left") % {"name": actor}
    if role is not None and is_absent(role.extra, ZoneInfo(zone_of_hours(schedule) or "UTC"), slot.start, slot.end):
        yield _("%(name)s does not work there at that time") % {"name": role.practitioner}
    room = bookable.location or (device.location if device else None)
    for place in (room, room.part_of if room else None, schedule.site):
        if place is not None and place.status != Location.Status.ACTIVE:
            yield _("%(name)s is closed") % {"name": place}
    if device is not None and device.status != Device.Status.ACTIVE:
        yield _("%(name)s is out of use") % {"name": device}
    for closure in closures:
        if is_closed(closure, slot):
            yield _("%(name)s is closed at that time") % {"name": closure.actor or _("The clinic")}
    if not schedule.active:
        yield _("The calendar is closed")
