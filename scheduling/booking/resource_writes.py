"""Writes of Slot and Appointment resources by other software, under the same rules as a booking."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from psycopg import errors

from clinic.fhir.codes import BLOCK
from clinic.fhir.status_reasons import split
from clinic.models import OCCUPYING, Appointment, AuditEvent, Patient, Schedule, Slot
from clinic.models.statements import insert_without_conflicts
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.cancellation import promote
from scheduling.booking.holds import hold_within, require_room_for_new, require_within_limits
from scheduling.booking.idempotency import refusals
from scheduling.booking.judging import is_judged, with_judgement
from scheduling.booking.patients import follow_merge, lock_patients, refuse_closed
from scheduling.booking.referrals import require_same_ticket
from scheduling.booking.request import BookingRequest, StatusRequest, with_series
from scheduling.booking.slots import ATTENDED, own_bookables, patients_are_free, release_places
from scheduling.booking.steps import take_step
from scheduling.booking.transitions import audit, audit_lines, locked, require_day_reached, save
from scheduling.booking.visits import book_within, manages
from scheduling.booking.waitlist import add_entry, changes_of_entry
from scheduling.errors import InUse, NotFound, RuleBroken, TimeTaken, WrittenMeanwhile
from scheduling.participants import attending, patients_of
from scheduling.plugins import NO_FINDINGS, BookingStep, Judgement
from scheduling.versions import Versions

BATCH = 500
BELONGS = "This Slot belongs to an Appointment: move or cancel that."
_TWO_AT_ONCE = f"""
    WITH coming (visit_id, patient_id) AS (
        SELECT id, patient_id FROM clinic_appointment WHERE id = ANY(%s)
        UNION ALL
        SELECT appointment_id, patient_id FROM clinic_appointmentpatient WHERE appointment_id = ANY(%s) AND NOT has_left
    )
    SELECT 1 FROM coming JOIN clinic_appointment one ON one.id = coming.visit_id
    JOIN LATERAL (
        SELECT visit.* FROM clinic_appointment visit WHERE visit.patient_id = coming.patient_id
        UNION ALL
        SELECT visit.* FROM clinic_appointmentpatient also
        JOIN clinic_appointment visit ON visit.id = also.appointment_id
        WHERE also.patient_id = coming.patient_id AND NOT also.has_left
    ) other ON other.id <> one.id AND other.start < one."end" AND other."end" > one.start
    WHERE one.status IN {ATTENDED} AND other.status IN {ATTENDED} AND other.deleted_at IS NULL
        AND (other.hold_expires_at IS NULL OR other.hold_expires_at > %s)
    LIMIT 1
"""
# Messages for violated constraints where a retry would not help.
THERE_ALREADY = {
    "questionnaire_response_once": (
        "This Appointment has a QuestionnaireResponse to this Questionnaire already: update that one."
    ),
    "related_person_once": "This person is a RelatedPerson of this Patient already: update that one.",
}


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Open one transaction for rows that are written together, such as a FHIR transaction Bundle.

    The functions of this module run inside it. Raises WrittenMeanwhile if another writer was faster.
    """
    try:
        with refusals(), transaction.atomic(durable=True):
            yield
    except IntegrityError as error:
        if isinstance(error.__cause__, (errors.UniqueViolation, errors.ForeignKeyViolation)):
            raise WrittenMeanwhile(THERE_ALREADY.get(error.__cause__.diag.constraint_name or "", "")) from error
        raise


def lock_for(references: Iterable[str]) -> None:
    """Take all the locks that writing these resources (`Type/id`) needs, in the common order.

    Whoever creates an Appointment under one of the ids at this moment is waited for. Else its row would be locked after
    the patient's, and others lock them the other way round.
    """
    ids: dict[str, set[str]] = defaultdict(set)
    for reference in references:
        kind, _, fhir_id = reference.partition("/")
        ids[kind].add(fhir_id)
    if new := ids["Appointment"] - _lock_rows(Appointment, ids["Appointment"]):
        _lock_names(4, new)
        _lock_rows(Appointment, new)
    _lock_rows(Patient, ids["Patient"])
    schedules = Schedule.objects.filter(fhir_id__in=ids["Schedule"]).values_list("bookable_id", flat=True)
    slots = Slot.objects.filter(fhir_id__in=ids["Slot"]).values_list("bookable_id", flat=True)
    own_bookables({*schedules, *slots})


def _lock_rows(model: type[Appointment | Patient], ids: Collection[str]) -> set[str]:
    """Lock the rows with these ids, in the order of their keys. Returns the ids that there are."""
    rows = model.objects.filter(fhir_id__in=ids).select_for_update(no_key=True).order_by("pk")
    return set(rows.values_list("fhir_id", flat=True))


def lock_registration(names: Iterable[str]) -> None:
    """Keep others from registering people of these names until commit. A few names share a lock; there are at most
    64.
    """
    _lock_names(2, names)


def lock_conditions(conditions: Iterable[str]) -> None:
    """Keep others from evaluating the same conditions until commit: two that find nothing would both create. Taken
    first.
    """
    _lock_names(3, conditions)


def _lock_names(kind: int, names: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, stripe) FROM ("
            "SELECT DISTINCT hashtext(name) & 63 AS stripe FROM unnest(%s::text[]) AS name ORDER BY stripe"
            ") AS stripes",
            [kind, list(names)],
        )


def write_slots(slots: Sequence[Slot]) -> list[Slot]:
    """Insert Slots. Returns those that were not inserted because their time is taken or blocked.

    Their bookable is set from their schedule. Blocks may overlap existing Slots. Two statements for each 500 Slots.
    """
    _set_bookables(slots)
    own_bookables(slot.bookable_id for slot in slots)
    ordered = sorted(slots, key=lambda slot: (slot.bookable_id, slot.start))
    for first in range(0, len(ordered), BATCH):
        batch = ordered[first : first + BATCH]
        blocked = _blocked([each for each in batch if each.status in OCCUPYING and not each.lies_under])
        insert_without_conflicts([each for each in batch if each not in blocked])
    return [slot for slot in ordered if slot.pk is None]


def rewrite_slot(slot: Slot, *, now: datetime) -> Slot:
    """Save changes to a Slot without an appointment. Raises TimeTaken; RuleBroken for a Slot of an appointment."""
    before = _current(slot)
    if before.appointment_id is not None:
        raise RuleBroken(BELONGS, expression="Slot")
    if slot.status not in OCCUPYING:
        slot.was_free = False
    elif before.status not in OCCUPYING:
        slot.was_free, slot.blocks_from = before.status == Slot.Status.FREE, Now()
    _set_bookables([slot])
    own_bookables([slot.bookable_id])
    if slot.status in OCCUPYING and not slot.lies_under and _blocked([slot]):
        raise TimeTaken(_("That time is blocked."), expression="Slot")
    slot.version += 1
    slot.last_updated = now
    with refusals(), transaction.atomic():
        slot.save()
    return slot


def remove_slot(slot: Slot, *, now: datetime) -> None:
    """Delete the Slot, so that it no longer affects free time. Raises InUse for a Slot of an appointment."""
    if _current(slot).appointment_id is not None:
        raise InUse(BELONGS, expression="Slot")
    Slot.objects.filter(pk=slot.pk, deleted_at=None).update(deleted_at=now, last_updated=now, version=F("version") + 1)
    slot.version += 1
    slot.last_updated = slot.deleted_at = now


def may_remove(appointment: Appointment) -> None:
    """Raise InUse for an Appointment that takes time: it must be cancelled or entered in error before it is deleted."""
    takes_time = Slot.objects.filter(appointment=appointment, deleted_at=None).exists()
    if takes_time or appointment.status in ATTENDED:
        text = f"This Appointment is {appointment.status} and takes time. Make it cancelled or entered-in-error first."
        raise InUse(text, expression="Appointment.status")


def remove(appointment: Appointment, *, caller: Caller, now: datetime) -> None:
    """Delete a locked appointment that passed `may_remove`; its audit trail stays."""
    appointment.deleted_at = now
    save(appointment, now)
    audit("delete", appointment, caller=caller, now=now)


def create_visit(request: BookingRequest, status: str, *, caller: Caller, now: datetime) -> Appointment:
    """Take the time of a new Appointment with this status: `booked` books, `pending` holds, `proposed` requests it.

    Where the service is on request, `pending` is a request too. Raises everything that `book` and `hold` raise.
    """
    if _holds(request, status, caller):
        return hold_within(request, caller=caller, now=now)
    request = replace(request, asks=status == Appointment.Status.PROPOSED)
    return book_within(request, caller=caller, now=now)


def judge_visit(request: BookingRequest, status: str, *, caller: Caller, now: datetime) -> BookingRequest:
    """The request with the findings of the plug-ins. Call it before `lock_for`, so that no lock waits for them."""
    if not is_judged(BookingStep.BOOK):
        return request
    step = BookingStep.HOLD if _holds(request, status, caller) else BookingStep.BOOK
    return with_judgement(step, request, caller=caller, now=now) if is_judged(step) else request


def _holds(request: BookingRequest, status: str, caller: Caller) -> bool:
    asks = request.service.on_request and not manages(caller, request.offerings)
    return status == Appointment.Status.PENDING and not asks


def record(appointment: Appointment, slots: Sequence[int], *, caller: Caller, now: datetime) -> Appointment:
    """Save an Appointment that was made elsewhere, with the Slots (primary keys) that it has taken.

    No rule of a booking is asked and nobody is told: it is for visits that have begun or are over, and for imports. An
    entry of the waiting list is the one kind that people may send too, under the rules of `join_waitlist`. If its
    patient is still to come it must name its Slots, or its time could be sold again. Raises RuleBroken; TimeTaken if a
    Slot belongs to another appointment.
    """
    if appointment.is_waiting and not caller.is_system:
        return add_entry(appointment, caller=caller, now=now)
    access.may_record_visit(caller)
    appointment.created = appointment.created or now
    appointment.last_updated = now
    require_day_reached(appointment, appointment.status, caller=caller, now=now)
    if _is_to_come(appointment, now):
        follow_merge(appointment)
        lock_patients(patients_of(appointment))  # before the Slots, as whoever moves a visit does
    own = Slot.objects.select_for_update(no_key=True, of=("self",)).select_related("schedule")
    taken = list(own.filter(pk__in=slots).order_by("pk"))
    appointment.site_id = appointment.site_id or next((slot.schedule.site_id for slot in taken), None)
    if appointment.status in ATTENDED:
        start, end = _taken_time(appointment, taken)
        patients_are_free(patients_of(appointment), start, end, now=now)
    if any(slot.appointment_id is not None or slot.lies_under for slot in taken):
        raise TimeTaken(
            "A Slot of this Appointment belongs to another one, or is a block.", expression="Appointment.slot"
        )
    appointment.save()
    Slot.objects.filter(pk__in=slots).update(appointment=appointment)  # not in the Slot resource: no new version
    audit("record", appointment, caller=caller, now=now)
    return appointment


def record_all(visits: Sequence[tuple[Appointment, Sequence[Slot]]], *, caller: Caller, now: datetime) -> None:
    """Save many new Appointments, each with its new Slots: see `record`.

    A few statements for each 500, all or nothing. Raises TimeTaken if the time of a Slot is taken, RuleBroken if a
    patient would have two visits at once.
    """
    appointments = [appointment for appointment, _ in visits]
    for appointment, slots in visits:
        appointment.created = appointment.created or now
        appointment.last_updated = now
        if appointment.status in ATTENDED:
            _taken_time(appointment, slots)
    for appointment in appointments:
        require_day_reached(appointment, appointment.status, caller=caller, now=now)
        if _is_to_come(appointment, now):
            follow_merge(appointment)
            if appointment.patient is not None:
                patient = appointment.patient
                refuse_closed(patient.active, patient.has_died, bool(patient.merged_into))
    _lock_patients(appointments)
    Appointment.objects.bulk_create(appointments, batch_size=BATCH)
    for appointment, slots in visits:
        for slot in slots:
            slot.appointment = appointment
    if write_slots([slot for _, slots in visits for slot in slots]):
        raise TimeTaken
    _require_patients_free(appointments, now)
    lines = [line for each in appointments for line in audit_lines("record", each, caller=caller, now=now)]
    AuditEvent.objects.bulk_create(lines, batch_size=BATCH)


def amend(
    appointment_id: str,
    changes: dict[str, Any],
    *,
    caller: Caller,
    now: datetime,
    version: Versions | None = None,
    judgement: Judgement = NO_FINDINGS,
) -> Appointment:
    """Change an Appointment except its time, which only `reschedule` changes. The status may change too: `take_step`.

    `changes` are values by field name. Patients may only cancel, with a reason. Raises IllegalTransition, RuleBroken,
    VersionConflict.
    """
    appointment = locked(appointment_id, caller, version)
    if appointment.is_waiting and changes.get("status") != Appointment.Status.CANCELLED:
        changes = changes_of_entry(appointment, changes, caller)
    elif not access.is_exempt_from_cutoffs(caller, appointment):
        changes = _patients_changes(appointment, changes)
    for moment in ("start", "end"):
        if moment in changes and changes.pop(moment) != getattr(appointment, moment):
            raise RuleBroken("An Appointment is moved with $reschedule.", expression=f"Appointment.{moment}")
    if appointment.series is not None and "identifier" in changes:
        changes["identifier"] = with_series(changes["identifier"], appointment.series)
    require_same_ticket(appointment, changes.get("extra", appointment.extra))
    status = changes.pop("status", appointment.status)
    patient, patients = appointment.patient_id, attending(appointment.participant)
    for name, value in changes.items():
        setattr(appointment, name, value)
    if appointment.patient_id != patient or set(attending(appointment.participant)) != set(patients):
        _follow_patients(appointment, patients, now)
        if appointment.status in ATTENDED and status in (appointment.status, Appointment.Status.BOOKED):
            require_room_for_new(appointment, caller, now)
        if appointment.status in ATTENDED and status == appointment.status:
            require_within_limits(appointment, caller, now)
    if status == appointment.status:
        save(appointment, now)
        audit("amend", appointment, caller=caller, now=now)
        return appointment
    request = StatusRequest(reason=appointment.cancelation_reason)
    return take_step(appointment, status, request, caller=caller, now=now, judgement=judgement)


def _patients_changes(appointment: Appointment, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes that a patient may make: cancelling and its reason. Raises RuleBroken for any other change."""
    if changes.get("status") != Appointment.Status.CANCELLED:
        raise RuleBroken(_("You can cancel this visit. For other changes, call the clinic."), expression="Appointment")
    allowed: dict[str, Any] = {name: changes[name] for name in changes.keys() & {"status", "cancelation_reason"}}
    others, _former = split(appointment.extra.get("extension"))
    _others, reasons = split(changes.get("extra", {}).get("extension"))
    if reasons:
        allowed["extra"] = {**appointment.extra, "extension": [*others, *reasons]}
    return allowed


def _follow_patients(appointment: Appointment, before: Sequence[str], now: datetime) -> None:
    """Apply a change of the patients of a locked appointment, who were those with the references `before`.

    The seats of those who have left are free again. Raises PatientElsewhere if one who is new has another visit at the
    time, RuleBroken if there are more patients than seats.
    """
    after = attending(appointment.participant)
    start, end = appointment.start, appointment.end
    if appointment.status not in ATTENDED or start is None or end is None:
        return
    promote(appointment)
    if after and len(after) < len(before):
        release_places(appointment, len(before) - len(after), now=now)
    elif len(after) > max(len(before), 1) and Slot.objects.filter(appointment=appointment, seat__gte=0).exists():
        text = _("This visit takes a seat for each patient: book one for the patient who is new.")
        raise RuleBroken(text, expression="Appointment.participant")
    follow_merge(appointment)
    patients = patients_of(appointment)
    lock_patients(patients)
    patients_are_free(patients, start, end, now=now, besides=appointment)


def _is_to_come(appointment: Appointment, now: datetime) -> bool:
    """True if the visit is not over. A past visit is recorded as it was, even if the patient has died since."""
    return appointment.status in ATTENDED and appointment.end is not None and appointment.end > now


def _lock_patients(appointments: Sequence[Appointment]) -> None:
    patients = {patient.pk for each in appointments for patient in patients_of(each)}
    list(Patient.objects.filter(pk__in=patients).select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _require_patients_free(appointments: Sequence[Appointment], now: datetime) -> None:
    """Raise RuleBroken if a patient of these appointments has another visit then. Needs `_lock_patients`."""
    keys = [each.pk for each in appointments]
    with connection.cursor() as cursor:
        cursor.execute(_TWO_AT_ONCE, [keys, keys, now])
        elsewhere = cursor.fetchone() is not None
    if elsewhere:
        raise RuleBroken("A patient has two appointments at one time.", expression="Appointment.participant")


def _set_bookables(slots: Sequence[Slot]) -> None:
    """Set the bookable of each Slot, and mark blocks, which their identifier tells."""
    schedules = {slot.schedule_id for slot in slots}
    bookables = dict(Schedule.objects.filter(pk__in=schedules).values_list("pk", "bookable_id"))
    for slot in slots:
        slot.bookable_id = bookables[slot.schedule_id]
        is_block = any(each.get("system") == BLOCK for each in slot.identifier)
        slot.lies_under = is_block and slot.status == Slot.Status.BUSY_UNAVAILABLE and slot.appointment is None


def _blocked(slots: Sequence[Slot]) -> list[Slot]:
    """The Slots that overlap an existing block. Needs `own_bookables`."""
    if not slots:
        return []
    blocks = Slot.objects.filter(
        bookable__in={each.bookable_id for each in slots},
        start__lt=max(each.end for each in slots),
        end__gt=min(each.start for each in slots),
        status__in=OCCUPYING,
        deleted_at=None,
        lies_under=True,
    )
    by_bookable: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for bookable, start, end in blocks.order_by().values_list("bookable_id", "start", "end"):
        by_bookable[bookable].append((start, end))
    return [
        each
        for each in slots
        if any(start < each.end and each.start < end for start, end in by_bookable[each.bookable_id])
    ]


def _current(slot: Slot) -> Slot:
    """The stored Slot, locked."""
    current = Slot.objects.select_for_update(no_key=True).filter(pk=slot.pk, deleted_at=None).first()
    if current is None:
        raise NotFound(f"There is no {slot.reference}.")
    return current


def _taken_time(appointment: Appointment, slots: Sequence[Slot]) -> tuple[datetime, datetime]:
    same = [slot for slot in slots if (slot.start, slot.end) == (appointment.start, appointment.end)]
    if not same or any(slot.status not in OCCUPYING for slot in slots):
        raise RuleBroken(
            f"An Appointment that is {appointment.status} names busy Slots of its time, or is made with $book.",
            expression="Appointment.slot",
        )
    return same[0].start, same[0].end
