"""Use cases of an absence: recording and changing it, offering other times for its visits, and taking that back.

A worker finds the times and sends the messages, one visit after another: see scheduling.absences.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clinic.models import OPEN_REBOOKING, Absence, Appointment, AuditEvent, Rebooking, Slot
from clinic.models.statements import insert
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking.blocks import BlockRequest, block_within, remove_block
from scheduling.booking.idempotency import refusals
from scheduling.booking.slots import own_bookables
from scheduling.errors import NotFound, RuleBroken, TimeTaken, VersionConflict

State = Rebooking.State
UNDO_FOR = timedelta(minutes=1)  # between the last time that is held and the first message
TEND_ABSENCES = "scheduling.tasks.tend_absences"


@dataclass(frozen=True, kw_only=True)
class AbsenceRequest:
    """The actor of `bookable` (a primary key) is away from `start` to `end`.

    `reason` is for staff, `notice` is what patients are told. `version` is the one of a recorded absence that staff
    have seen; another is refused.
    """

    bookable: int
    start: datetime
    end: datetime
    reason: str = ""
    notice: str = ""
    version: int = 0


@refusals()
@transaction.atomic(durable=True)
def record_absence(request: AbsenceRequest, *, caller: Caller, now: datetime) -> Absence:
    """Store an absence and block its time, under the visits that are booked in it."""
    access.may_record_absence(caller, request.bookable)
    _require_to_come(request, now)
    absence = Absence(
        bookable_id=request.bookable,
        start=request.start,
        end=request.end,
        reason=request.reason,
        notice=request.notice,
        created=now,
        created_by=caller.user,
    )
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
    remove_block(absence.block, caller=caller, now=now)
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
    remove_block(absence.block, caller=caller, now=now)
    absence.ended = now
    _save(absence, "absence ended", caller, now)
    _return(absence.rebookings.all())
    _call_worker()
    return absence


def affected_visits(absence: Absence, *, now: datetime) -> QuerySet[Appointment]:
    """The booked visits to come that need the time of an absence."""
    taken = Slot.objects.filter(
        bookable=absence.bookable_id,
        status=Slot.Status.BUSY,
        deleted_at=None,
        start__lt=absence.end,
        end__gt=absence.start,
    )
    visits = Appointment.objects.filter(status=Appointment.Status.BOOKED, deleted_at=None, start__gt=now)
    return visits.filter(pk__in=taken.values("appointment"))


def add_rebookings(absence: Absence, *, now: datetime) -> int:
    """Store a Rebooking for each affected visit that has no open one, in a transaction. Returns the number."""
    known = Rebooking.objects.exclude(state__in=(State.MOVED, State.CANCELLED, State.KEPT)).values("appointment")
    new = affected_visits(absence, now=now).exclude(pk__in=known)
    rows = [Rebooking(absence=absence, appointment=visit) for visit in new.order_by("start", "pk")]
    return len(Rebooking.objects.bulk_create(rows, ignore_conflicts=True))


def _block(absence: Absence, caller: Caller, now: datetime) -> None:
    """Block the time of the absence, unless all of it is blocked already."""
    schedule = access.may_record_absence(caller, absence.bookable_id)
    span = int(absence.start.timestamp()), int(absence.end.timestamp())
    request = BlockRequest(schedule=schedule, occasions=(span,), comment=absence.reason or _("Absence"), around=True)
    with suppress(TimeTaken), transaction.atomic():
        block_within(request, absence.block, caller=caller, now=now)


def _require_to_come(request: AbsenceRequest, now: datetime) -> None:
    if request.end <= now:
        raise RuleBroken(_("The absence is over already. Enter a later end."))


def _locked(absence_id: int, caller: Caller, version: int) -> Absence:
    """The absence, locked until commit with its actor's calendars, which a booking locks too."""
    absence = access.absences(caller).filter(pk=absence_id).first()
    if absence is None:
        raise NotFound("There is no such absence.")
    access.may_record_absence(caller, absence.bookable_id)
    own_bookables([absence.bookable_id])
    locked = Absence.objects.select_for_update(no_key=True, of=("self",)).get(pk=absence_id)
    if locked.version != version:
        raise VersionConflict
    if locked.ended is not None:
        raise RuleBroken(_("This absence has ended."))
    return locked


def _return(rows: "QuerySet[Rebooking]") -> None:
    """Have a worker let go of what is held for these visits, and tell the patients who were asked."""
    rows.filter(state__in=OPEN_REBOOKING).update(state=State.RETURNED, claimed_until=None)


def _save(absence: Absence, subtype: str, caller: Caller, now: datetime) -> None:
    absence.version += 1
    absence.save()
    _audit(subtype, AuditEvent.Action.UPDATE, caller, now)


def _audit(subtype: str, action: AuditEvent.Action, caller: Caller, now: datetime) -> None:
    insert([access.audit_event(subtype, action, caller=caller, now=now)])


def _call_worker() -> None:
    transaction.on_commit(partial(notifications.call_task, TEND_ABSENCES, timedelta(0)), robust=True)
