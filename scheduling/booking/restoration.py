"""Undo of a cancellation: the visit gets its old time back if it is still free."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clinic.models import Appointment, PastVersion, Slot
from scheduling import access, notifications
from scheduling.access import Caller
from scheduling.booking import encounters, referrals
from scheduling.booking.extra_seats import require_room_again
from scheduling.booking.idempotency import Once, use_case
from scheduling.booking.patients import lock_patients
from scheduling.booking.refunds import undo_refund
from scheduling.booking.slots import BUSY, own_bookables, patients_are_free, stored_slots, take
from scheduling.booking.transitions import audit, locked, save
from scheduling.errors import Forbidden, IllegalTransition, RuleBroken, TimeTaken
from scheduling.participants import PATIENT, actor_of, attending, is_patient, patients_of, references_of

Status = Appointment.Status


@use_case
def restore(
    appointment_id: str, *, caller: Caller, now: datetime, tell: bool = True, once: Once | None = None
) -> Appointment:
    """Book a cancelled visit again as it was: its time, schedules, seats and buffers. For staff and software.

    Raises IllegalTransition if it was not booked before, RuleBroken once its time has passed, TimeTaken if the time has
    been taken or blocked since, and what a booking for a closed patient record raises.
    """
    appointment = locked(appointment_id, caller)
    if not access.is_exempt_from_cutoffs(caller, appointment):
        raise Forbidden(_("Only the clinic can undo a cancellation."))
    if not can_be_restored(appointment):
        raise IllegalTransition(appointment.status, "booked")
    assert appointment.start is not None  # what was booked has a time
    assert appointment.end is not None
    if appointment.start <= now:
        raise RuleBroken(_("The time of this visit has passed."))
    appointment.participant = _participants_again(appointment)
    patients = patients_of(appointment)
    lock_patients(patients)
    patients_are_free(patients, appointment.start, appointment.end, now=now, besides=appointment)
    released = _released_slots(appointment)
    own_bookables(slot.bookable_id for slot in released)
    if _is_blocked_since(appointment, released):
        raise TimeTaken(_("That time has been blocked in the meantime."))
    require_room_again(appointment, released, now=now)
    appointment.status = Status.BOOKED
    appointment.sequence += 1
    appointment.cancelation_reason = None
    save(appointment, now)
    _take_again(appointment, released, now)
    audit("restore", appointment, caller=caller, now=now)
    encounters.follow(appointment, now=now)
    referrals.follow(appointment, now=now)
    if appointment.has_payment:
        undo_refund(appointment, now=now)
    notifications.restored(appointment, now=now, tell=tell)
    return appointment


def can_be_restored(appointment: Appointment) -> bool:
    """True if the appointment is cancelled and was booked before. One statement."""
    before = _version_before(appointment)
    return before is not None and before.row["status"] == Status.BOOKED


def _version_before(appointment: Appointment) -> PastVersion | None:
    """The last version of a cancelled appointment before it was cancelled; None if it had no time."""
    if appointment.status != Status.CANCELLED or appointment.start is None:
        return None
    past = PastVersion.objects.filter(resource_type=Appointment.RESOURCE_TYPE, row_id=appointment.pk)
    return past.exclude(row__status=Status.CANCELLED).order_by("-version").first()


def _participants_again(appointment: Appointment) -> list[dict[str, Any]]:
    """The participants of a restored visit: its patients come again, without those who had left."""
    before = _version_before(appointment)
    left = (
        set(references_of(before.row["participant"], PATIENT)) - set(attending(before.row["participant"]))
        if before
        else set()
    )
    return [
        {**each, "status": "accepted"} if is_patient(each) and actor_of(each) not in left else each
        for each in appointment.participant
    ]


def _released_slots(appointment: Appointment) -> list[Slot]:
    """The Slots that the cancellation released, in the order in which every booking takes time.

    Those that were stored as free are free again, or were taken or deleted since; the others are deleted.
    """
    before = _version_before(appointment)
    keys = before.related["slots"] if before else []
    return list(Slot.objects.filter(pk__in=keys).order_by("bookable_id", "start"))


def _take_again(appointment: Appointment, released: list[Slot], now: datetime) -> None:
    """Take the time of the released Slots: those that are free again with their ids, the others with new rows."""
    assert appointment.start is not None  # what was booked has a time
    assert appointment.end is not None
    free = [slot.pk for slot in released if slot.deleted_at is None]
    schedules = [slot.schedule_id for slot in released]
    stored = stored_slots(free, schedules, appointment.start, appointment.end, now=now)
    new = [
        Slot(
            schedule_id=slot.schedule_id,
            bookable_id=slot.bookable_id,
            status=BUSY if slot.status == Slot.Status.FREE else slot.status,
            start=slot.start,
            end=slot.end,
            seat=slot.seat,
            comment=slot.comment,
            last_updated=now,
        )
        for slot in released
        if slot.pk not in free
    ]
    take(appointment, new, stored=stored, status=BUSY)


def _is_blocked_since(appointment: Appointment, slots: list[Slot]) -> bool:
    """True if the time has been blocked since the visit was cancelled. Needs `own_bookables`."""
    return any(
        Slot.objects.filter(
            lies_under=True,
            deleted_at=None,
            bookable=slot.bookable_id,
            start__lt=slot.end,
            end__gt=slot.start,
            blocks_from__gt=appointment.last_updated,
        ).exists()
        for slot in slots
    )
