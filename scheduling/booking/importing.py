"""Slots and Appointments that other software writes as resources, held to the same law."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from psycopg import errors

from clinic.fhir.codes import BLOCK
from clinic.fhir.status_reasons import split
from clinic.models import OCCUPYING, Appointment, AuditEvent, Patient, Schedule, Slot
from clinic.models.statements import insert_without_conflicts
from scheduling import access
from scheduling.access import Caller
from scheduling.booking.appointments import (
    FREES_TIME,
    audit,
    audit_line,
    end_visit,
    locked,
    may_become,
    not_too_early,
    save,
    step,
    within_notice,
)
from scheduling.booking.once import refusals
from scheduling.booking.patients import follow_merge, lock_patient, refuse_closed
from scheduling.booking.slots import ATTENDED, own_bookables, patient_is_free
from scheduling.errors import IllegalTransition, InUse, NotFound, RuleBroken, TimeTaken, WrittenMeanwhile
from scheduling.versions import Versions

BATCH = 500
BELONGS = "This Slot belongs to an Appointment: move or cancel that."
# What trying again does not help against, by the constraint that says it.
THERE_ALREADY = {
    "encounter_once": "This Appointment has an Encounter already: update that one.",
    "questionnaire_response_once": (
        "This Appointment has a QuestionnaireResponse to this Questionnaire already: update that one."
    ),
    "related_person_once": "This person is a RelatedPerson of this Patient already: update that one.",
}


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """One transaction for what is written together, such as a FHIR transaction Bundle.

    The functions of this module run inside it. Raises WrittenMeanwhile where another writer was faster.
    """
    try:
        with refusals(), transaction.atomic(durable=True):
            yield
    except IntegrityError as error:
        if isinstance(error.__cause__, (errors.UniqueViolation, errors.ForeignKeyViolation)):
            raise WrittenMeanwhile(THERE_ALREADY.get(error.__cause__.diag.constraint_name or "", "")) from error
        raise


def lock_for(references: Iterable[str]) -> None:
    """Take the locks that writing these resources, `Type/id`, will ask for, in the one order. New ones need none."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for reference in references:
        kind, _, fhir_id = reference.partition("/")
        wanted[kind].append(fhir_id)
    for model in (Appointment, Patient):
        rows = model.objects.filter(fhir_id__in=wanted[model.RESOURCE_TYPE])
        list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    schedules = Schedule.objects.filter(fhir_id__in=wanted["Schedule"]).values_list("bookable_id", flat=True)
    slots = Slot.objects.filter(fhir_id__in=wanted["Slot"]).values_list("bookable_id", flat=True)
    own_bookables({*schedules, *slots})


def lock_registration(names: Iterable[str]) -> None:
    """Nobody else registers people of these names until we commit. A few names share a lock; there are never many."""
    _lock_names(2, names)


def lock_conditions(conditions: Iterable[str]) -> None:
    """Nobody else looks for the same until we commit: two who find nothing would both create it. Before other locks."""
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
    """Insert Slots; the ones whose time is taken or blocked are left out and returned.

    Their bookable is their schedule's. Blocks lie under what is there. Set-based: two statements for each 500.
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
    """Write changes to a Slot that is no appointment's. Raises TimeTaken, or RuleBroken for one that is."""
    if _current(slot).appointment_id is not None:
        raise RuleBroken(BELONGS, expression="Slot")
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
    """The Slot is gone and its time as if it had never been. InUse for one of an appointment."""
    if _current(slot).appointment_id is not None:
        raise InUse(BELONGS, expression="Slot")
    Slot.objects.filter(pk=slot.pk, deleted_at=None).update(deleted_at=now, last_updated=now, version=F("version") + 1)
    slot.version += 1
    slot.last_updated = slot.deleted_at = now


def may_remove(appointment: Appointment) -> None:
    """Raise InUse for an Appointment that takes time: what has been agreed is not made unsaid."""
    takes_time = Slot.objects.filter(appointment=appointment, deleted_at=None).exists()
    if takes_time or appointment.status in ATTENDED:
        text = f"This Appointment is {appointment.status} and takes time. Make it cancelled or entered-in-error first."
        raise InUse(text, expression="Appointment.status")


def remove(appointment: Appointment, *, caller: Caller, now: datetime) -> None:
    """A locked appointment that `may_remove` is gone; its audit trail stays."""
    appointment.deleted_at = now
    save(appointment, now)
    audit("delete", appointment, caller=caller, now=now)


def record(appointment: Appointment, slots: Sequence[int], *, caller: Caller, now: datetime) -> Appointment:
    """Write an Appointment that was made elsewhere, with the Slots (primary keys) it has taken.

    One whose patient is still to come must name its Slots: an appointment that takes no time would let somebody else
    have it. Raises RuleBroken, TimeTaken if a Slot is another appointment's already.
    """
    appointment.created = appointment.created or now
    appointment.last_updated = now
    not_too_early(appointment, appointment.status, caller=caller, now=now)
    if _is_to_come(appointment, now):
        follow_merge(appointment)
        lock_patient(appointment.patient)  # before the Slots, as whoever moves a visit does
    taken = list(Slot.objects.select_for_update(no_key=True).filter(pk__in=slots).order_by("pk"))
    if appointment.status in ATTENDED:
        start, end = _taken_time(appointment, taken)
        if appointment.patient is not None:
            patient_is_free(appointment.patient, start, end, now=now)
    if any(slot.appointment_id is not None or slot.lies_under for slot in taken):
        raise TimeTaken(
            "A Slot of this Appointment belongs to another one, or is a block.", expression="Appointment.slot"
        )
    appointment.save()
    Slot.objects.filter(pk__in=slots).update(appointment=appointment)  # which a Slot does not say: no new version
    audit("record", appointment, caller=caller, now=now)
    return appointment


def record_all(visits: Sequence[tuple[Appointment, Sequence[Slot]]], *, caller: Caller, now: datetime) -> None:
    """Write many new Appointments, each with the new Slots that it takes, as `record` writes one.

    Set-based: a few statements for each 500. All or nothing: raises TimeTaken where one Slot cannot be had, RuleBroken
    where a patient would be in two places.
    """
    appointments = [appointment for appointment, _ in visits]
    for appointment, slots in visits:
        appointment.created = appointment.created or now
        appointment.last_updated = now
        if appointment.status in ATTENDED:
            _taken_time(appointment, slots)
    for appointment in appointments:
        not_too_early(appointment, appointment.status, caller=caller, now=now)
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
    _patients_are_free(appointments, now)
    lines = [audit_line("record", each, caller=caller, now=now) for each in appointments]
    AuditEvent.objects.bulk_create(lines, batch_size=BATCH)


def amend(
    appointment_id: str, changes: dict[str, Any], *, caller: Caller, now: datetime, version: Versions | None = None
) -> Appointment:
    """Change what is written of an Appointment, its status too, but not its time: that is to reschedule it.

    `changes` are values by field name. Patients change nothing but that it is cancelled, and why. Raises
    IllegalTransition, RuleBroken, VersionConflict.
    """
    appointment = locked(appointment_id, caller, version)
    if not access.is_exempt_from_cutoffs(caller, appointment):
        changes = _what_patients_may(appointment, changes)
    for moment in ("start", "end"):
        if moment in changes and changes.pop(moment) != getattr(appointment, moment):
            raise RuleBroken("An Appointment is moved with $reschedule.", expression=f"Appointment.{moment}")
    status = changes.pop("status", appointment.status)
    patient = appointment.patient_id
    for name, value in changes.items():
        setattr(appointment, name, value)
    if appointment.patient_id != patient:
        _may_come(appointment, now)
    if status == appointment.status:
        save(appointment, now)
        audit("amend", appointment, caller=caller, now=now)
        return appointment
    may_become(appointment, status)
    if status in FREES_TIME:
        if status == "cancelled" and appointment.status == "booked":
            within_notice(appointment, caller, now, "cancelled")
        reason = appointment.cancelation_reason
        return end_visit(appointment, status, reason=reason, caller=caller, now=now)
    if status in ("pending", "booked"):
        raise IllegalTransition(appointment.status, f"{status} by an update: use $confirm or $book")
    not_too_early(appointment, status, caller=caller, now=now)
    appointment.status = status
    return step(appointment, caller=caller, now=now)


def _what_patients_may(appointment: Appointment, changes: dict[str, Any]) -> dict[str, Any]:
    """That it is cancelled, and why. Raises RuleBroken where it is not."""
    if changes.get("status") != Appointment.Status.CANCELLED:
        raise RuleBroken(_("You can cancel this visit. For other changes, call the clinic."), expression="Appointment")
    allowed: dict[str, Any] = {name: changes[name] for name in changes.keys() & {"status", "cancelation_reason"}}
    others, _former = split(appointment.extra.get("extension"))
    _others, reasons = split(changes.get("extra", {}).get("extension"))
    if reasons:
        allowed["extra"] = {**appointment.extra, "extension": [*others, *reasons]}
    return allowed


def _may_come(appointment: Appointment, now: datetime) -> None:
    """Refuse a patient who is elsewhere at the time of a locked appointment."""
    follow_merge(appointment)
    patient, start, end = appointment.patient, appointment.start, appointment.end
    if patient and start and end and appointment.status in ATTENDED:
        lock_patient(patient)
        patient_is_free(patient, start, end, now=now, besides=appointment)


def _is_to_come(appointment: Appointment, now: datetime) -> bool:
    """True if its patient is still to come: what is over is written as it was, whoever has died since."""
    return appointment.status in ATTENDED and appointment.end is not None and appointment.end > now


def _lock_patients(appointments: Sequence[Appointment]) -> None:
    patients = {each.patient_id for each in appointments if each.patient_id is not None}
    list(Patient.objects.filter(pk__in=patients).select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _patients_are_free(appointments: Sequence[Appointment], now: datetime) -> None:
    """Raise RuleBroken if a patient of these has another visit then. Needs `_lock_patients`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM clinic_appointment one JOIN clinic_appointment other ON other.patient_id = one.patient_id"
            ' AND other.id <> one.id AND other.start < one."end" AND other."end" > one.start'
            f" AND other.status IN {ATTENDED} AND other.deleted_at IS NULL"
            " AND (other.hold_expires_at IS NULL OR other.hold_expires_at > %s)"
            f" WHERE one.id = ANY(%s) AND one.status IN {ATTENDED} LIMIT 1",
            [now, [each.pk for each in appointments]],
        )
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
    """The Slots that touch a block written before them. Needs `own_bookables`."""
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
    """The Slot as it is now, locked."""
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
