"""Use cases of internal notes about patients and visits: write, change and remove one. Each has its audit line."""

from datetime import datetime

from django.contrib.postgres.search import SearchQuery
from django.db import transaction
from django.db.models import QuerySet

from clinic.models import NOTE_WORDS, Appointment, AuditEvent, Patient, PatientNote
from scheduling import access
from scheduling.access import Caller
from scheduling.errors import Forbidden, NotFound, VersionConflict
from scheduling.participants import of_patient

Action = AuditEvent.Action


def notes_of(patient: Patient) -> QuerySet[PatientNote]:
    """Return all notes about a patient and their visits, the latest first, also those that were replaced or removed."""
    return PatientNote.objects.filter(patient=patient).select_related("author", "ended_by", "appointment")


def search_notes(words: str, *, caller: Caller) -> QuerySet[PatientNote]:
    """The current notes that have all these words, about patients whom the caller sees as staff."""
    rows = PatientNote.objects.annotate(words=NOTE_WORDS).filter(
        words=SearchQuery(words, config="simple"), ended=None, patient__in=access.staff_patients(caller)
    )
    return rows.select_related("patient", "author")


@transaction.atomic
def write_note(patient_id: str, text: str, *, caller: Caller, now: datetime, appointment_id: str = "") -> PatientNote:
    """Write a note about the patient, or about this visit of theirs. Raises NotFound, Forbidden."""
    patient = _staff_patients(caller).filter(fhir_id=patient_id).first()
    if patient is None:
        raise NotFound(f"There is no Patient/{patient_id}.")
    visit = _visit(appointment_id, patient.pk, caller) if appointment_id else None
    note = PatientNote.objects.create(patient=patient, appointment=visit, text=text, author=caller.user, written=now)
    _audit("note", Action.CREATE, note, caller, now)
    return note


@transaction.atomic
def change_note(note_id: int, text: str, *, caller: Caller, now: datetime) -> PatientNote:
    """Replace a note by one with this text; the old one is kept. Raises NotFound, and VersionConflict if somebody has
    replaced or removed it meanwhile.
    """
    old = _locked(note_id, caller)
    if old.text == text:
        return old
    _end(old, caller, now)
    note = PatientNote.objects.create(
        patient_id=old.patient_id,
        appointment_id=old.appointment_id,
        text=text,
        author=caller.user,
        written=now,
        replaces=old,
    )
    _audit("note changed", Action.UPDATE, note, caller, now)
    return note


@transaction.atomic
def remove_note(note_id: int, *, caller: Caller, now: datetime) -> PatientNote:
    """Remove a note, which is kept as an old one. Raises NotFound, and VersionConflict as `change_note` does."""
    note = _locked(note_id, caller)
    _end(note, caller, now)
    _audit("note removed", Action.DELETE, note, caller, now)
    return note


def _staff_patients(caller: Caller) -> QuerySet[Patient]:
    if caller.client or not caller.worker.is_staff:
        raise Forbidden
    return access.staff_patients(caller.worker)


def _visit(appointment_id: str, patient: int, caller: Caller) -> Appointment:
    rows = access.staff_appointments(caller).filter(of_patient(patient), deleted_at=None)
    visit = rows.filter(fhir_id=appointment_id).first()
    if visit is None:
        raise NotFound(f"There is no Appointment/{appointment_id}.")
    return visit


def _locked(note_id: int, caller: Caller) -> PatientNote:
    rows = PatientNote.objects.filter(pk=note_id, patient__in=_staff_patients(caller))
    note: PatientNote | None = rows.select_for_update(of=("self",)).first()
    if note is None:
        raise NotFound("There is no such note.")
    if note.ended is not None:
        raise VersionConflict
    return note


def _end(note: PatientNote, caller: Caller, now: datetime) -> None:
    note.ended, note.ended_by = now, caller.user
    note.save(update_fields=["ended", "ended_by"])


def _audit(subtype: str, action: AuditEvent.Action, note: PatientNote, caller: Caller, now: datetime) -> None:
    about = {"patient_id": note.patient_id, "appointment_id": note.appointment_id}
    access.audit_event(subtype, action, caller=caller, now=now, **about).save()
