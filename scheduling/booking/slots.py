"""Slots of appointments: taking and releasing time. No other module writes them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime, timedelta
from functools import partial

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from clinic.models import OCCUPYING, Appointment, AuditEvent, FreedTime, HealthcareService, Patient, Schedule, Slot
from clinic.models.base import new_fhir_id
from clinic.models.statements import columns_of, insert, insert_together, insert_without_conflicts, load
from scheduling import availability, notifications
from scheduling.access import Caller
from scheduling.availability import Offering, as_datetime
from scheduling.core.intervals import Span, merge, subtract
from scheduling.errors import PatientElsewhere, RuleBroken, TimeTaken
from scheduling.notifications import UNDO_WINDOW
from scheduling.participants import of_patient

BUSY, TENTATIVE, UNAVAILABLE = (
    Slot.Status.BUSY.value,
    Slot.Status.BUSY_TENTATIVE.value,
    Slot.Status.BUSY_UNAVAILABLE.value,
)
# Statuses in which the patient cannot have another visit at that time.
ATTENDED = ("pending", "booked", "arrived", "checked-in")

_KEEP = f"""
    UPDATE clinic_slot slot
    SET status = CASE WHEN %s AND slot.status = 'busy-tentative' THEN 'busy' ELSE slot.status END,
        hold_expires_at = %s, last_updated = %s, version = slot.version + 1
    WHERE slot.appointment_id = %s AND slot.deleted_at IS NULL
    RETURNING
        (SELECT fhir_id FROM clinic_schedule schedule WHERE schedule.id = slot.schedule_id), {columns_of(Slot, "slot")}
"""
# The values are in subqueries, so that PostgreSQL plans the statement once for each connection.
_ELSEWHERE = f"""
    SELECT 1 FROM clinic_appointment
    WHERE (
            patient_id = ANY((SELECT %s)::bigint[])
            OR id = ANY(ARRAY(
                SELECT appointment_id FROM clinic_appointmentpatient
                WHERE patient_id = ANY((SELECT %s)::bigint[]) AND NOT has_left
            ))
        )
        AND start < (SELECT %s) AND "end" > (SELECT %s) AND status IN {ATTENDED} AND deleted_at IS NULL
        AND id <> (SELECT %s) AND (hold_expires_at IS NULL OR hold_expires_at > (SELECT %s))
    LIMIT 1
"""
_RELEASE = """
    UPDATE clinic_slot SET
        status = CASE WHEN was_free THEN 'free' ELSE status END,
        appointment_id = CASE WHEN was_free THEN NULL ELSE appointment_id END,
        deleted_at = CASE WHEN was_free THEN NULL ELSE %s END,
        last_updated = %s, hold_expires_at = NULL, was_free = false, version = version + 1
    WHERE appointment_id = %s AND deleted_at IS NULL{}
    RETURNING EXISTS (SELECT 1 FROM clinic_appointment WHERE status = 'waitlist')
"""
_RELEASE_ALL, _RELEASE_SOME = _RELEASE.format(""), _RELEASE.format(" AND id = ANY(%s)")
OFFER_FREED_TIME = "scheduling.tasks.offer_freed_time"
# The row counts from now on: from the time at which it was stored it would collide with holds that have expired since.
_TAKE_STORED = """
    UPDATE clinic_slot
    SET appointment_id = %s, status = %s, hold_expires_at = %s, blocks_from = statement_timestamp(),
        was_free = was_free OR status = 'free', last_updated = %s,
        version = version + (status <> %s)::int
    WHERE id = ANY(%s) AND (appointment_id IS NULL OR was_free AND hold_expires_at <= %s)
"""


def slots_of(
    offerings: Iterable[Offering],
    start: datetime,
    status: str,
    seats: Mapping[int, Sequence[int | None]],
    *,
    now: datetime,
    stored: Sequence[Slot] = (),
) -> list[Slot]:
    """The unsaved Slots of one visit, with its buffers, on every schedule: without the time of its `stored` ones.

    They are sorted by bookable and start, the order in which every booking takes time, so that bookings never deadlock.
    A visit of several patients has a Slot for each of its `seats`.
    """
    slots = []
    for offering in offerings:
        rules, schedule = offering.rules, _schedule(offering.schedule, offering.fhir_id)
        end = start + timedelta(seconds=rules.duration)
        before = start - timedelta(seconds=rules.buffer_before)
        after = end + timedelta(seconds=rules.buffer_after)
        slots += [
            Slot(
                schedule=schedule,
                bookable_id=offering.bookable,
                status=kind,
                start=first,
                end=last,
                seat=seat,
                comment=comment,
                last_updated=now,
            )
            for seat in seats[offering.schedule]
            for first, last, kind, comment in (
                (before, start, UNAVAILABLE, "buffer before appointment"),
                *((first, last, status, "") for first, last in _gaps(start, end, stored, offering.schedule)),
                (end, after, UNAVAILABLE, "buffer after appointment"),
            )
            if first < last
        ]
    return sorted(slots, key=lambda slot: (slot.bookable_id, slot.start))


def _gaps(start: datetime, end: datetime, stored: Iterable[Slot], schedule: int) -> list[tuple[datetime, datetime]]:
    """The parts of [start, end) that no stored Slot of the schedule covers."""
    gaps = []
    for slot in sorted((each for each in stored if each.schedule_id == schedule), key=lambda slot: slot.start):
        gaps.append((start, slot.start))
        start = slot.end
    return [*((first, last) for first, last in gaps if first < last), *([(start, end)] if start < end else [])]


def beside(slots: Sequence[Slot], appointment: Appointment) -> list[Slot]:
    """The part of each Slot's time that the appointment does not take already, as Slots in the same order.

    Raises TimeTaken if nothing is left of a Slot that is not a buffer: its time is the appointment's own.
    """
    own = list(Slot.objects.filter(appointment=appointment, deleted_at=None))
    left = []
    for slot in slots:
        same = [each for each in own if each.bookable_id == slot.bookable_id and _share_a_seat(each, slot)]
        spans = subtract([_span(slot)], merge(map(_span, same)))
        if not spans and slot.status != UNAVAILABLE:
            raise TimeTaken(_("This request has that time already. Accept it, or choose another time."))
        left += [_with_span(slot, span) for span in spans]
    return left


def _share_a_seat(one: Slot, other: Slot) -> bool:
    """True if both take one seat, by the exclusion constraint: a Slot without a seat takes all but extra ones."""
    return one.seat == other.seat or (None in (one.seat, other.seat) and not (one.is_extra or other.is_extra))


def _span(slot: Slot) -> Span:
    return int(slot.start.timestamp()), int(slot.end.timestamp())


def _with_span(slot: Slot, span: Span) -> Slot:
    part = copy(slot)
    part.fhir_id = new_fhir_id()
    part.start, part.end = map(as_datetime, span)
    return part


def _schedule(pk: int, fhir_id: str) -> Schedule:
    """A Schedule with only the known columns loaded; the others are deferred."""
    return Schedule.from_db(DEFAULT_DB_ALIAS, ["id", "fhir_id"], [pk, fhir_id])


def take(appointment: Appointment, slots: Sequence[Slot], *, stored: Sequence[Slot] = (), status: str = "") -> None:
    """Insert all these Slots for the appointment, or raise TimeTaken. The database's clock sets `blocks_from`.

    `stored` Slots, which `stored_slots` has found, become the appointment's with this `status`.
    """
    _assign(appointment, slots)
    if len(insert_without_conflicts(slots)) < len(slots):
        raise TimeTaken
    _take_stored(appointment, stored, status)
    _set_slots(appointment, [*slots, *stored])


def create(
    appointment: Appointment,
    slots: Sequence[Slot],
    lines: Sequence[AuditEvent],
    *,
    stored: Sequence[Slot] = (),
    status: str = "",
) -> None:
    """Insert a new appointment with all these Slots and its audit lines, by one statement.

    `stored` Slots become the appointment's too, as in `take`. Raises TimeTaken if the time of a Slot is taken, or if
    another booking has the appointment's reserved id.
    """
    _assign(appointment, slots)
    if not insert_together(appointment, "appointment_id", slots, lines):
        raise TimeTaken
    _take_stored(appointment, stored, status)
    _set_slots(appointment, [*slots, *stored])


def stored_slots(
    keys: Collection[int],
    schedules: Collection[int],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    busy_too: bool = False,
) -> list[Slot]:
    """The Slots with these primary keys, of these schedules and within [start, end).

    They are free: a Slot of a hold from the instant at which the hold expires. With `busy_too` they may also be busy
    without being an appointment's. Needs `own_bookables`. Raises TimeTaken if one is not so, or no longer.
    """
    if not keys:
        return []
    statuses = [Slot.Status.FREE, *(OCCUPYING if busy_too else ())]
    unclaimed = Q(appointment=None, status__in=statuses, lies_under=False) | Q(was_free=True, hold_expires_at__lte=now)
    rows = Slot.objects.filter(unclaimed, pk__in=keys, schedule__in=schedules, deleted_at=None)
    slots = list(rows.filter(start__gte=start, end__lte=end).select_related("schedule"))
    if len(slots) < len(keys):
        raise TimeTaken
    return slots


@contextmanager
def judged_as_free(slots: Iterable[Slot]) -> Iterator[None]:
    """Let the availability engine find the time of these stored Slots free. Needs `own_bookables`.

    A client may have made them busy before it names them. Nobody else sees it, and it makes no version.
    """
    busy = {slot.pk: slot.status for slot in slots if slot.status != Slot.Status.FREE and slot.appointment_id is None}
    if busy:
        Slot.objects.filter(pk__in=busy).update(status=Slot.Status.FREE)
    yield
    for status in sorted(set(busy.values())):
        Slot.objects.filter(pk__in=[pk for pk, before in busy.items() if before == status]).update(status=status)


def _take_stored(appointment: Appointment, slots: Sequence[Slot], status: str) -> None:
    """Make stored Slots the appointment's. The constraint refuses it if their time is taken."""
    if not slots:
        return
    expires, now = appointment.hold_expires_at, appointment.last_updated
    with connection.cursor() as cursor:
        keys = [slot.pk for slot in slots]
        cursor.execute(_TAKE_STORED, [appointment.pk, status, expires, now, status, keys, now])
        if cursor.rowcount < len(slots):
            raise TimeTaken
    for slot in slots:
        slot.refresh_from_db(fields=["status", "version", "last_updated", "hold_expires_at", "was_free", "appointment"])


def create_together(appointments: Sequence[Appointment], slots: Sequence[Sequence[Slot]]) -> None:
    """Insert new appointments, and then the Slots of all of them by one statement, in the order of every booking.

    Raises TimeTaken, with the number of the first appointment that cannot have its time (1 is the first).
    """
    insert(appointments)
    for appointment, own in zip(appointments, slots, strict=True):
        _assign(appointment, own)
    together = sorted((slot for own in slots for slot in own), key=lambda slot: (slot.bookable_id, slot.start))
    if len(insert_without_conflicts(together)) < len(together):
        taken = TimeTaken()
        taken.occurrence = next(number for number, own in enumerate(slots, 1) if any(slot.pk is None for slot in own))
        raise taken
    for appointment, own in zip(appointments, slots, strict=True):
        _set_slots(appointment, own)


def _assign(appointment: Appointment, slots: Iterable[Slot]) -> None:
    for slot in slots:
        slot.appointment = appointment
        slot.hold_expires_at = appointment.hold_expires_at


def keep(appointment: Appointment, *, expires: datetime | None, is_booked: bool = False, now: datetime) -> None:
    """Set until when the appointment's Slots count: until `expires`, or without end; if it `is_booked` they are busy.

    Needs `own_bookables`. The constraint refuses it if another booking has taken the time.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [is_booked, expires, now, appointment.pk])
        slots = []
        for fhir_id, *values in cursor.fetchall():
            slot = load(Slot, values)
            slot.schedule = _schedule(slot.schedule_id, fhir_id)
            slots.append(slot)
    _set_slots(appointment, slots)


def release(appointment: Appointment, *, now: datetime, undoable: bool = False) -> None:
    """Free the time of the appointment at commit: delete its Slots, but for those that were stored as free.

    This needs no lock. Call it after the appointment is saved, so that its history keeps the Slots that it had. The
    time is offered to the waiting list at once; if the change is `undoable`, once that is over.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE_ALL, [now, now, appointment.pk])
        does_somebody_wait = (True,) in cursor.fetchall()
    if does_somebody_wait:
        wait = UNDO_WINDOW if undoable else timedelta(0)
        if undoable:
            FreedTime.objects.filter(appointment=appointment, closed=None).update(due=now + wait)
        announce_freed_time(wait)
    _set_slots(appointment, [])


def replace_slots(
    appointment: Appointment, leaving: Collection[Slot], taking: Sequence[Slot], *, now: datetime
) -> None:
    """Free the time of some Slots of a saved appointment, and take other time for it. Needs `own_bookables`.

    Raises TimeTaken.
    """
    does_somebody_wait = False
    if leaving:
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE_SOME, [now, now, appointment.pk, [slot.pk for slot in leaving]])
            does_somebody_wait = (True,) in cursor.fetchall()
    if does_somebody_wait:
        announce_freed_time()
    take(appointment, taking)
    _set_slots(appointment, Slot.objects.filter(appointment=appointment, deleted_at=None).select_related("schedule"))


def announce_freed_time(wait: timedelta = timedelta(0)) -> None:
    """Have a worker offer free time to the waiting list after the commit. The beat finds what is not announced."""
    transaction.on_commit(partial(notifications.call_task, OFFER_FREED_TIME, wait), robust=True)


def reopen_freed_time(*, now: datetime) -> None:
    """Make all freed time due again that waits for somebody who can be asked, or that a worker has claimed."""
    idle = Q(due=None) | Q(claimed_until__isnull=False)
    FreedTime.objects.filter(idle, Q(end=None) | Q(end__gt=now), closed=None).update(due=now)
    announce_freed_time()


def release_places(appointment: Appointment, places: int, *, now: datetime) -> None:
    """Free so many seats of a visit of several patients on each schedule, the highest first.

    A visit that shares no seats keeps its time for those who stay.
    """
    rows = Slot.objects.filter(appointment=appointment, deleted_at=None, seat__gte=0)
    seats: dict[int, set[int | None]] = {}
    for schedule, seat in rows.values_list("schedule", "seat"):
        seats.setdefault(schedule, set()).add(seat)
    for schedule, taken in seats.items():
        highest = sorted((seat for seat in taken if seat is not None), reverse=True)[:places]
        rows.filter(schedule=schedule, seat__in=highest).update(
            deleted_at=now, last_updated=now, hold_expires_at=None, version=F("version") + 1
        )
    left = Slot.objects.filter(appointment=appointment, deleted_at=None).select_related("schedule")
    _set_slots(appointment, left)


def _set_slots(appointment: Appointment, slots: Iterable[Slot]) -> None:
    """Set the Slots that the appointment has now, so that the response does not read them again."""
    appointment.set_prefetched_slots(sorted(slots, key=lambda slot: (slot.start, slot.pk)))


def bookables_of(appointment: Appointment) -> list[int]:
    """The bookables whose time the appointment takes."""
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None)
    return list(slots.order_by().values_list("bookable_id", flat=True).distinct())


def share_bookables(bookables: Iterable[int]) -> None:
    """Lock these bookables together with other bookings, but not with a move or a count of seats on the same time."""
    _lock_bookables("pg_advisory_xact_lock_shared", bookables)


def own_bookables(bookables: Iterable[int]) -> None:
    """Lock these bookables exclusively until commit.

    A use case that releases time and takes other time in one transaction could deadlock with a booking otherwise.
    """
    _lock_bookables("pg_advisory_xact_lock", bookables)


def _lock_bookables(function: str, bookables: Iterable[int]) -> None:
    # Sorted, and unnest keeps the order, so that no two transactions deadlock.
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(id) FROM unnest(%s::bigint[]) AS id", [sorted(set(bookables))])


def lock_counted(service: HealthcareService | None) -> None:
    """Lock a service whose visits are counted together, until commit. The locks of bookables are taken before."""
    if service is not None and (any(availability.limits_of(service)) or availability.limits_patients(service)):
        list(HealthcareService.objects.filter(pk=service.pk).select_for_update(no_key=True).values_list("pk"))


def lock_holder(caller: Caller) -> None:
    """Lock the user and the browser, so that the number of their holds stays true until commit."""
    whose = [caller.guest_digest, f"user {caller.user.pk}" if caller.user else ""]
    with connection.cursor() as cursor:  # two-key locks never conflict with the one-key locks of bookables
        cursor.execute(
            "SELECT pg_advisory_xact_lock(1, hashtext(who)) FROM unnest(%s::text[]) AS who",
            [[each for each in whose if each]],
        )


def patients_are_free(
    patients: Collection[Patient],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    besides: Appointment | None = None,
) -> None:
    """Raise PatientElsewhere if one of the patients has another visit then. Needs `lock_patients`."""
    if not patients:
        return
    keys = [patient.pk for patient in patients]
    with connection.cursor() as cursor:
        cursor.execute(_ELSEWHERE, [keys, keys, end, start, besides.pk if besides else 0, now])
        elsewhere = cursor.fetchone() is not None
    if elsewhere:
        raise PatientElsewhere(expression="Appointment.participant")


def engagements_of(
    patient: Patient, start: datetime, end: datetime, *, now: datetime, besides: Collection[int] = ()
) -> list[tuple[int, int]]:
    """Spans (UTC seconds) of the patient's visits that overlap [start, end): those that `patients_are_free` would
    refuse. The visits `besides`, by their primary keys, do not count.
    """
    visits = Appointment.objects.filter(
        of_patient(patient.pk),
        Q(hold_expires_at=None) | Q(hold_expires_at__gt=now),
        start__lt=end,
        end__gt=start,
        status__in=ATTENDED,
        deleted_at=None,
    )
    times = visits.exclude(pk__in=besides).order_by("start").values_list("start", "end")
    return [(int(begins.timestamp()), int(ends.timestamp())) for begins, ends in times if begins and ends]


def patients_are_within_limits(
    service: HealthcareService | None,
    patients: Iterable[Patient],
    start: datetime,
    *,
    now: datetime,
    besides: Appointment | None = None,
) -> None:
    """Raise RuleBroken if the service limits the visits of patients, and one of these has as many as it allows.

    Needs `lock_patients` and `lock_counted`.
    """
    if service is None:
        return
    for patient in patients:
        if issues := availability.patient_limit_issues(service, patient, start, now=now, besides=besides):
            raise RuleBroken(issues=issues)
