"""Patients for whom nothing can be booked: those who have died, and inactive or merged records."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from django.db import connection
from django.db.models import F
from django.utils.translation import gettext as _

from clinic import childhood
from clinic.fhir.codes import MERGED_PATIENT
from clinic.models import Appointment, Patient, RelatedPerson
from scheduling.booking.request import BookingRequest, Json
from scheduling.errors import RuleBroken
from scheduling.participants import PATIENT, actor_of, attending, patients_of

MAX_LINKS = 5  # of records that were merged repeatedly
PARTICIPANT = "Appointment.participant"


def lock_patients(patients: Iterable[Patient | None]) -> None:
    """Lock the patients, so that what is counted for them stays true until commit. None locks nothing.

    Raises RuleBroken if one of them has died, or the record is inactive or merged: see `survivor_of`.
    """
    keys = [patient.pk for patient in patients if patient is not None]
    if not keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT active, {Patient.HAS_DIED}, {Patient.WAS_MERGED} FROM clinic_patient WHERE id = ANY(%s)"
            " ORDER BY id FOR NO KEY UPDATE",
            [keys],
        )
        rows = cursor.fetchall()
    for row in rows:
        refuse_closed(*row)


def refuse_closed(active: bool, has_died: bool, was_merged: bool) -> None:
    """Raise RuleBroken, with the reason, if nothing can be booked for such a record."""
    if has_died:
        raise RuleBroken(_("This patient has died. Nothing can be booked for them."), expression=PARTICIPANT)
    if was_merged:
        raise RuleBroken(_("This record was merged into another one. Use that one."), expression=PARTICIPANT)
    if not active:
        raise RuleBroken(
            _("This patient\u2019s record is inactive. The clinic can make it active."), expression=PARTICIPANT
        )


def survivor_of(patient: Patient) -> Patient:
    """The record into which this one was merged, or itself. Raises RuleBroken if that record does not exist here."""
    for _link in range(MAX_LINKS):
        if not patient.merged_into:
            return patient
        found = Patient.objects.filter(fhir_id=patient.merged_into, deleted_at=None).first()
        if found is None:
            break
        patient = found
    refuse_closed(active=True, has_died=False, was_merged=True)
    return patient


def with_survivors(request: BookingRequest) -> BookingRequest:
    """The request with all its patients, and for a merged record the one into which it was merged.

    The Appointment keeps a reference to the old record. One statement if there are several patients.
    """
    patient = request.patient
    if patient is not None and patient.merged_into:
        survivor = survivor_of(patient)
        request = replace(
            request,
            patient=survivor,
            requested_patient=patient,
            participants=tuple(_with_actor(request.participants, patient, survivor)),
            extra=_with_former_record(request.extra, patient),
        )
    names = attending(request.participants)
    if len(names) < 2 or request.patient is None:
        return request
    others = _others(names, request.patient)
    for other in [other for other in others if other.merged_into]:
        survivor = survivor_of(other)
        request = replace(request, participants=tuple(_with_actor(request.participants, other, survivor)))
        others[others.index(other)] = survivor
    return replace(request, others=tuple(others))


def follow_merge(appointment: Appointment) -> None:
    """Set a locked visit's patients to the records into which theirs were merged. Does not save it."""
    patient = appointment.patient
    if patient is not None and patient.merged_into:
        hand_over(appointment, patient, survivor_of(patient))
    for other in patients_of(appointment)[1:]:
        if other.merged_into:
            hand_over(appointment, other, survivor_of(other))


def hand_over(appointment: Appointment, patient: Patient, survivor: Patient) -> None:
    """Put the surviving record in the place of a merged one in a visit. Does not save it."""
    if appointment.patient_id == patient.pk:
        appointment.patient = survivor
    appointment.participant = _with_actor(appointment.participant, patient, survivor)
    appointment.extra = _with_former_record(appointment.extra, patient)


def are_family(patients: Collection[Patient], now: datetime) -> bool:
    """True if one account is, or cares for, each of the patients now. One statement."""
    accounts = {patient.pk: {patient.user_id} - {None} for patient in patients}
    carers = RelatedPerson.objects.filter(patient__in=accounts, active=True, deleted_at=None).exclude(user=None)
    for carer in carers.select_related("patient"):
        if childhood.lets(carer, now):
            accounts[carer.patient_id].add(carer.user_id)
    return bool(set.intersection(*accounts.values()))


def _others(names: Iterable[str], first: Patient) -> list[Patient]:
    ids = [name.removeprefix(PATIENT) for name in names if name != first.reference]
    return list(Patient.objects.filter(fhir_id__in=ids, deleted_at=None).order_by("pk"))


def hand_back(appointment: Appointment, patient: Patient, survivor: Patient) -> None:
    """Undo `hand_over`. Does not save the visit."""
    if appointment.patient_id == survivor.pk:
        appointment.patient = patient
    appointment.participant = _with_actor(appointment.participant, survivor, patient)
    appointment.extra = _without_former_record(appointment.extra, patient)


def activate(patient: Patient, *, now: datetime) -> None:
    """Make an inactive record active again so that a visit can be booked for it, in the booking's transaction."""
    changed = Patient.objects.filter(pk=patient.pk, active=False)
    changed.update(active=True, version=F("version") + 1, last_updated=now)
    patient.active = True


def _with_actor(participants: "tuple[Json, ...] | list[Json]", patient: Patient, survivor: Patient) -> list[Json]:
    actor = {"reference": survivor.reference, "display": str(survivor)}
    return [{**each, "actor": actor} if actor_of(each) == patient.reference else each for each in participants]


def _with_former_record(extra: Json, patient: Patient) -> Json:
    return {**extra, "extension": [*extra.get("extension", ()), _former_record(patient)]}


def _without_former_record(extra: Json, patient: Patient) -> Json:
    others = [each for each in extra.get("extension", ()) if each != _former_record(patient)]
    rest = {name: value for name, value in extra.items() if name != "extension"}
    return {**rest, "extension": others} if others else rest


def _former_record(patient: Patient) -> Json:
    return {"url": MERGED_PATIENT, "valueReference": {"reference": patient.reference}}
