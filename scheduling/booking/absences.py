"""Use cases of an absence: recording and changing it, offering other times for its visits, and taking that back.

A worker finds the times and sends the messages, one visit after another: see scheduling.absences.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clinic.models import OPEN_REBOOKING, Absence, Appointment, AuditEvent, Bookable, Closure, Location, Rebooking, Slot
from clinic.models.statements import insert
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking.blocks import BlockRequest, block_within, remove_block
from scheduling.booking.idempotency import refusals
from scheduling.booking.slots import own_bookables
from scheduling.errors import Forbidden, NotFound, RuleBroken, TimeTaken, VersionConflict
from scheduling.visit_zone import zone_or_clinics

State = Rebooking.State
UNDO_FOR = timedelta(minutes=1)  # between the last time that is held and the first message
TEND_ABSENCES = "scheduling.tasks.tend_absences"


@dataclass(frozen=True, kw_only=True)
class AbsenceRequest:
    """The actor of `bookable`, or all of `site` (primary keys), is away from `start` to `end`.

    `reason` is for staff, `notice` is what patients are told. `version` is the one of a recorded absence that staff
    have seen; another is refused.
    """

    bookable: int | None = None
    site: int | None = None
    start: datetime
    end: datetime
    reason: str = ""
    notice: str = ""
    version: int = 0


@refusals()
@transaction.atomic(durable=True)
def record_absence(request: AbsenceRequest, *, caller: Caller, now: datetime) -> Absence:
    """Store an absence and block its time, under the visits that are booked in it."""
    absence = Absence(
        bookable=_bookable_of(request),
        start=request.start,
        end=request.end,
        reason=request.reason,
        notice=request.notice,
        created=now,
        created_by=caller.user,
    )
    _require_may_record(absence, caller)
    _require_to_come(request, now)
    _block(absence, caller, now)
    absence.save()
    _audit("absence", AuditEvent.Action.CREATE, caller, now)
    return absence


@refusals()
@transaction.atomic(durable=True)
def change_absence(absence_id: int, request: AbsenceRequest, *, caller: Caller, now: datetime) -> Absence:
    """Give an absence another time, reason or notice. Visits that can take place after all stay as booked.

    Raises VersionConflict if somebody else has changed it.
    """
    absence = _locked(absence_id, caller, request.version)
    _require_to_come(request, now)
    _unblock(absence, caller, now)
    absence.start, absence.end = request.start, request.end
    absence.reason, absence.notice = request.reason, request.notice
    _block(absence, caller, now)
    _save(absence, "absence", caller, now)
    _return(absence.rebookings.exclude(appointment__in=affected_visits(absence, now=now)))
    _call_worker()
    return absence


@refusals()
@transaction.atomic(durable=True)
def offer_times(absence_id: int, version: int, *, caller: Caller, now: datetime) -> Absence:
    """Have a worker look for other times for every affected visit, and hold them.

    Of two who say it at once, the second changes nothing: it raises VersionConflict.
    """
    absence = _locked(absence_id, caller, version)
    if absence.offered is not None:
        raise RuleBroken(_("Other times are offered for these visits already."))
    absence.offered, absence.send_from = now, None
    absence.rebookings.filter(state=State.WITHDRAWN).update(state=State.WAITING, why="", claimed_until=None)
    add_rebookings(absence, now=now)
    _save(absence, "absence offered", caller, now)
    _call_worker()
    return absence


@refusals()
@transaction.atomic(durable=True)
def send_offers(absence_id: int, version: int, *, caller: Caller, now: datetime) -> Absence:
    """Have the messages sent now, without waiting for the end of the time in which it can be undone."""
    absence = _locked(absence_id, caller, version)
    if absence.send_from is None:
        raise RuleBroken(_("Times are still being looked for."))
    absence.send_from = min(absence.send_from, now)
    _save(absence, "absence sent", caller, now)
    _call_worker()
    return absence


@refusals()
@transaction.atomic(durable=True)
def undo_offers(absence_id: int, version: int, *, caller: Caller, now: datetime) -> Absence:
    """Take back that other times are offered. Raises RuleBroken once the messages go out."""
    absence = _locked(absence_id, caller, version)
    if absence.offered is None:
        return absence
    if absence.send_from is not None and absence.send_from <= now:
        raise RuleBroken(_("Patients have been told already. End the absence, or call them."))
    absence.offered = absence.send_from = None
    absence.rebookings.filter(state__in=OPEN_REBOOKING).update(state=State.WITHDRAWN, claimed_until=None)
    _save(absence, "absence undone", caller, now)
    _call_worker()
    return absence


@refusals()
@transaction.atomic(durable=True)
def end_absence(absence_id: int, version: int, *, caller: Caller, now: datetime) -> Absence:
    """End an absence early: its time can be booked from now on, and visits that were not moved stay as booked."""
    absence = _locked(absence_id, caller, version)
    _unblock(absence, caller, now)
    absence.ended = now
    _save(absence, "absence ended", caller, now)
    _return(absence.rebookings.all())
    _call_worker()
    return absence


def affected_visits(absence: Absence, *, now: datetime) -> QuerySet[Appointment]:
    """The booked visits to come that need the time of an absence: of its actor, or at its site."""
    during = Q(start__lt=absence.end, end__gt=absence.start)
    own, at_site = Q(bookable=absence.bookable_id), Q(pk__in=[])
    if absence.site is not None:
        own, at_site = own | Q(schedule__site=absence.site), during & Q(site=absence.site)
    taken = Slot.objects.filter(own, during, status=Slot.Status.BUSY, deleted_at=None)
    visits = Appointment.objects.filter(status=Appointment.Status.BOOKED, deleted_at=None, start__gt=now)
    return visits.filter(at_site | Q(pk__in=taken.values("appointment")))


def add_rebookings(absence: Absence, *, now: datetime) -> int:
    """Store a Rebooking for each affected visit that has no open one, in a transaction. Returns the number."""
    known = Rebooking.objects.exclude(state__in=(State.MOVED, State.CANCELLED, State.KEPT)).values("appointment")
    new = affected_visits(absence, now=now).exclude(pk__in=known)
    rows = [Rebooking(absence=absence, appointment=visit) for visit in new.order_by("start", "pk")]
    return len(Rebooking.objects.bulk_create(rows, ignore_conflicts=True))


def _bookable_of(request: AbsenceRequest) -> Bookable:
    """The Bookable of the request. A site has one from its first absence on. Raises NotFound."""
    if request.site is not None:
        site = Location.objects.filter(pk=request.site, part_of=None, deleted_at=None).first()
        if site is None:
            raise NotFound("There is no such site.")
        return Bookable.objects.get_or_create(location=site)[0]
    known = Bookable.objects.select_related("location")
    bookable = known.filter(pk=request.bookable).first() if request.bookable is not None else None
    if bookable is None:
        raise NotFound("There is no such calendar.")
    return bookable


def _require_may_record(absence: Absence, caller: Caller) -> None:
    """Raise Forbidden unless the caller runs a calendar of the actor, or all calendars of the site."""
    if absence.site is None:
        access.may_record_absence(caller, absence.bookable_id)
    elif not access.sites_run_by(caller).filter(pk=absence.site.pk).exists():
        raise Forbidden(_("You can do this only for sites where you work at the front desk."))


def _block(absence: Absence, caller: Caller, now: datetime) -> None:
    """Block the time of the absence, unless all of it is blocked already. A site is closed."""
    if absence.site is not None:
        _close(absence, absence.site)
        return
    schedule = access.may_record_absence(caller, absence.bookable_id)
    span = int(absence.start.timestamp()), int(absence.end.timestamp())
    request = BlockRequest(schedule=schedule, occasions=(span,), comment=absence.reason or _("Absence"), around=True)
    with suppress(TimeTaken), transaction.atomic():
        block_within(request, absence.block, caller=caller, now=now)


def _close(absence: Absence, site: Location) -> None:
    """Close the site by the clocks there: people who work elsewhere too can still be booked there."""
    zone = zone_or_clinics(site.timezone)
    start, end = absence.start.astimezone(zone), absence.end.astimezone(zone)
    closure = absence.closure or Closure(location=site)
    closure.first, closure.starts = start.date(), start.time() if start.time() != time() else None
    closure.last, closure.ends = end.date(), end.time()
    if end.time() == time():  # midnight is the end of the day before
        closure.last, closure.ends = end.date() - timedelta(days=1), None
    closure.reason, closure.removed_at = absence.reason, None
    closure.save()
    absence.closure = closure


def _unblock(absence: Absence, caller: Caller, now: datetime) -> None:
    """Open the time of the absence again."""
    remove_block(absence.block, caller=caller, now=now)
    Closure.objects.filter(absences=absence).update(removed_at=now)


def _require_to_come(request: AbsenceRequest, now: datetime) -> None:
    if request.end <= now:
        raise RuleBroken(_("The absence has already ended. Enter a later end."))


def _locked(absence_id: int, caller: Caller, version: int) -> Absence:
    """The absence, locked until commit with its actor's calendars, which a booking locks too."""
    absence = access.absences(caller).select_related("bookable__location").filter(pk=absence_id).first()
    if absence is None:
        raise NotFound("There is no such absence.")
    _require_may_record(absence, caller)
    own_bookables([absence.bookable_id])
    rows = Absence.objects.select_related("bookable__location", "closure")
    locked = rows.select_for_update(no_key=True, of=("self",)).get(pk=absence_id)
    if locked.version != version:
        raise VersionConflict
    if locked.ended is not None:
        raise RuleBroken(_("This absence has ended."))
    return locked


def _return(rows: "QuerySet[Rebooking]") -> None:
    """Have a worker release the times held for these visits, and tell the patients who were asked."""
    rows.filter(state__in=OPEN_REBOOKING).update(state=State.RETURNED, claimed_until=None)


def _save(absence: Absence, subtype: str, caller: Caller, now: datetime) -> None:
    absence.version += 1
    absence.save()
    _audit(subtype, AuditEvent.Action.UPDATE, caller, now)


def _audit(subtype: str, action: AuditEvent.Action, caller: Caller, now: datetime) -> None:
    insert([access.audit_event(subtype, action, caller=caller, now=now)])


def _call_worker() -> None:
    transaction.on_commit(partial(notifications.call_task, TEND_ABSENCES, timedelta(0)), robust=True)
