"""Patients for whom nothing is booked: those who have died, and records that are inactive or were merged."""

from dataclasses import replace
from datetime import datetime

from django.db import connection
from django.db.models import F
from django.utils.translation import gettext as _

from clinic.fhir.codes import MERGED_PATIENT
from clinic.models import Appointment, Patient
from scheduling.booking.request import BookingRequest, Json
from scheduling.errors import RuleBroken

FOLLOWED = 5  # links of records that were merged again and again
PARTICIPANT = "Appointment.participant"


def lock_patient(patient: Patient | None) -> None:
    """Lock the patient, so that what is counted for them stays true until we commit. None locks nothing.

    Raises RuleBroken for one who has died, and for a record that is inactive or was merged: see `survivor_of`.
    """
    if patient is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT active, {Patient.HAS_DIED}, {Patient.WAS_MERGED} FROM clinic_patient WHERE id = %s"
            " FOR NO KEY UPDATE",
            [patient.pk],
        )
        row = cursor.fetchone()
    if row is not None:
        refuse_closed(*row)


def refuse_closed(active: bool, has_died: bool, was_merged: bool) -> None:
    """Raise RuleBroken, with the reason, for a record by which nothing can be booked."""
    if has_died:
        raise RuleBroken(_("This patient has died. Nothing can be booked for them."), expression=PARTICIPANT)
    if was_merged:
        raise RuleBroken(_("This record was merged into another one. Use that one."), expression=PARTICIPANT)
    if not active:
        raise RuleBroken(
            _("This patient\u2019s record is inactive. The clinic can make it active."), expression=PARTICIPANT
        )


def survivor_of(patient: Patient) -> Patient:
    """The record into which this one was merged, or itself. Raises RuleBroken where that is not here."""
    for _link in range(FOLLOWED):
        if not patient.merged_into:
            return patient
        found = Patient.objects.filter(fhir_id=patient.merged_into, deleted_at=None).first()
        if found is None:
            break
        patient = found
    refuse_closed(active=True, has_died=False, was_merged=True)
    return patient


def for_survivor(request: BookingRequest) -> BookingRequest:
    """The request for the record into which its patient's was merged, which the Appointment then says."""
    patient = request.patient
    if patient is None or not patient.merged_into:
        return request
    survivor = survivor_of(patient)
    return replace(
        request,
        patient=survivor,
        asked_for=patient,
        participants=tuple(_renamed(request.participants, patient, survivor)),
        extra=_said(request.extra, patient),
    )


def follow_merge(appointment: Appointment) -> None:
    """Let a locked visit be of the record into which its patient's was merged. Not written yet."""
    patient = appointment.patient
    if patient is None or not patient.merged_into:
        return
    appointment.patient = survivor_of(patient)
    appointment.participant = _renamed(appointment.participant, patient, appointment.patient)
    appointment.extra = _said(appointment.extra, patient)


def activate(patient: Patient, *, now: datetime) -> None:
    """Make an inactive record active again, so that it can be booked for. In the transaction of the booking."""
    changed = Patient.objects.filter(pk=patient.pk, active=False)
    changed.update(active=True, version=F("version") + 1, last_updated=now)
    patient.active = True


def _renamed(participants: "tuple[Json, ...] | list[Json]", patient: Patient, survivor: Patient) -> list[Json]:
    actor = {"reference": survivor.reference, "display": str(survivor)}
    return [
        {**each, "actor": actor} if each.get("actor", {}).get("reference") == patient.reference else each
        for each in participants
    ]


def _said(extra: Json, patient: Patient) -> Json:
    merged = {"url": MERGED_PATIENT, "valueReference": {"reference": patient.reference}}
    return {**extra, "extension": [*extra.get("extension", ()), merged]}
