"""Use cases of the clinic running late: staff say it once, and the patients concerned are told once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.local_time import in_zone
from clinic.models import Appointment, AuditEvent, Bookable, Delay, Location
from clinic.models.statements import insert
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking.idempotency import refusals
from scheduling.errors import RuleBroken
from scheduling.visit_zone import zone_or_clinics
from scheduling.waiting import AHEAD, ON_TIME, bounds_of, late_visits, slots_of_day


@dataclass(frozen=True, kw_only=True)
class DelayRequest:
    """Staff of the site say that the actor of `bookable` (a primary key) runs `minutes` late today; 0 is on time again.

    With `tell`, patients who have not arrived are told by message if their visit begins at another time than they know.
    """

    bookable: int
    site: Location
    minutes: int
    tell: bool = True

    @property
    def late(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @property
    def zone(self) -> ZoneInfo:
        return zone_or_clinics(self.site.timezone)


def preview_delay(request: DelayRequest, *, caller: Caller, now: datetime) -> dict[int, timedelta]:
    """Return how much later the visits of the rest of the day would begin, by primary key. Writes nothing."""
    access.may_announce_delay(caller, request.bookable, request.site)
    day = in_zone(now, request.zone).date()
    return late_visits(Delay(bookable_id=request.bookable, day=day, minutes=request.minutes, since=now), request.zone)


@refusals()
@transaction.atomic(durable=True)
def announce_delay(request: DelayRequest, *, caller: Caller, now: datetime) -> Delay | None:
    """Store what was said in place of what was said before, and write the messages to those concerned.

    The same said again changes nothing, so two clicks tell once.
    """
    access.may_announce_delay(caller, request.bookable, request.site)
    delay = _locked(request, now)
    if request.minutes == (delay.minutes if delay and delay.ended is None else 0):
        return delay
    if delay is None:
        delay = Delay(bookable_id=request.bookable, day=in_zone(now, request.zone).date(), revision=0)
    delay.former = None if delay.ended or delay.pk is None else delay.minutes
    if request.minutes:
        delay.minutes, delay.since, delay.ended = request.minutes, now, None
    else:
        delay.ended = now
    _save(delay, "delay", caller, now)
    if request.tell:
        _tell(delay, request.zone, now)
    return delay


@refusals()
@transaction.atomic(durable=True)
def undo_delay(request: DelayRequest, *, caller: Caller, now: datetime) -> Delay:
    """Put back what was said before the last time. Raises RuleBroken once somebody has been told."""
    access.may_announce_delay(caller, request.bookable, request.site)
    delay = _locked(request, now)
    if delay is None or not notifications.withdraw_delay(delay, _visits_of_day(delay, request.zone), now=now):
        raise RuleBroken(_("Patients have been told already. Change how late it is, or say that it is on time again."))
    if delay.former is None:
        delay.ended = now
    else:
        delay.minutes, delay.ended = delay.former, None
    delay.former = None
    _save(delay, "delay undone", caller, now)
    return delay


def _locked(request: DelayRequest, now: datetime) -> Delay | None:
    """Return what was said of today. The lock of the bookable, until commit, keeps two who say it in order."""
    Bookable.objects.select_for_update(no_key=True).get(pk=request.bookable)
    day = in_zone(now, request.zone).date()
    return Delay.objects.filter(day=day, bookable=request.bookable).first()


def _save(delay: Delay, subtype: str, caller: Caller, now: datetime) -> None:
    delay.revision += 1
    delay.save()
    insert([access.audit_event(subtype, AuditEvent.Action.UPDATE, caller=caller, now=now)])


def _tell(delay: Delay, zone: ZoneInfo, now: datetime) -> None:
    """Write a message to those who are to come at another time than they were told last."""
    late = {} if delay.ended else late_visits(delay, zone)
    told = notifications.told_lateness(delay, _visits_of_day(delay, zone))
    concerned = {pk for pk in late.keys() | told.keys() if late.get(pk, ON_TIME) != told.get(pk, ON_TIME)}
    visits = Appointment.objects.filter(pk__in=concerned, status=Appointment.Status.BOOKED, deleted_at=None)
    rows = visits.select_related("patient", "service", "site").order_by("start", "pk")
    notifications.delayed([(visit, late.get(visit.pk, ON_TIME)) for visit in rows], delay, now=now)


def _visits_of_day(delay: Delay, zone: ZoneInfo) -> set[int]:
    slots = slots_of_day([delay.bookable_id], *bounds_of(delay.day, zone))
    return {slot.appointment for slot in slots if slot.status in AHEAD}
