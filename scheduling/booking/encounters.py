"""The Encounters of a visit, kept in step with its Appointment: https://hl7.org/fhir/R4/encounter.html

The first begins with the arrival: one for each patient of a group visit. Other software may add more, such as one with
a nurse and one with a physician.
"""

from datetime import datetime

from django.db.models import F

from clinic.models import Appointment, Encounter
from clinic.models.statements import exists
from scheduling.participants import encounter_participants, is_group, patients_of

FOLLOWS = {
    Appointment.Status.BOOKED: Encounter.Status.CANCELLED,  # the arrival was recorded by mistake
    Appointment.Status.ARRIVED: Encounter.Status.ARRIVED,
    Appointment.Status.CHECKED_IN: Encounter.Status.IN_PROGRESS,
    Appointment.Status.FULFILLED: Encounter.Status.FINISHED,
    Appointment.Status.NOSHOW: Encounter.Status.CANCELLED,
    Appointment.Status.CANCELLED: Encounter.Status.CANCELLED,
    Appointment.Status.ENTERED_IN_ERROR: Encounter.Status.ENTERED_IN_ERROR,
}
UNDER_WAY = (
    Encounter.Status.ARRIVED,
    Encounter.Status.TRIAGED,
    Encounter.Status.IN_PROGRESS,
    Encounter.Status.ON_LEAVE,
)
BEGINS = (Appointment.Status.ARRIVED, Appointment.Status.CHECKED_IN, Appointment.Status.FULFILLED)


def follow(appointment: Appointment, *, now: datetime, is_correction: bool = False) -> None:
    """Create an Encounter of a locked appointment when the patient arrives, and update it with each later status.

    Of several, those move that the step is about. `is_correction` is True if a step is taken back.
    """
    status = Appointment.Status(appointment.status)
    if status not in FOLLOWS or (status not in BEGINS and not exists(Encounter, "appointment_id", appointment.pk)):
        return
    for encounter in _affected(appointment, status, now, is_correction=is_correction):
        encounter.status = FOLLOWS[status]
        if status == Appointment.Status.BOOKED:
            encounter.start = encounter.end = None
        else:
            encounter.start = encounter.start or now
            encounter.end = None if encounter.status in UNDER_WAY else now
        encounter.version += encounter.pk is not None
        encounter.last_updated = now
        encounter.save()


def _affected(
    appointment: Appointment, status: Appointment.Status, now: datetime, *, is_correction: bool
) -> list[Encounter]:
    """The Encounters that change when the visit takes this status.

    One that has finished has taken place: it stays so when the visit is cancelled or goes on, and only a correction
    opens it again. One that is planned begins when nothing else is under way.
    """
    rows = Encounter.objects.filter(appointment=appointment, deleted_at=None)
    encounters = list(
        rows.exclude(status=Encounter.Status.ENTERED_IN_ERROR).order_by(F("end").asc(nulls_first=True), "pk")
    )
    under_way = [each for each in encounters if each.status in UNDER_WAY]
    planned = [each for each in encounters if each.status == Encounter.Status.PLANNED]
    finished = [each for each in encounters if each.status == Encounter.Status.FINISHED]
    if status == Appointment.Status.ENTERED_IN_ERROR:
        return encounters
    if status in (Appointment.Status.CANCELLED, Appointment.Status.NOSHOW):
        return under_way + planned
    if under_way or (status == Appointment.Status.FULFILLED and finished):
        return under_way
    ended = [
        each
        for each in encounters
        if each.status == Encounter.Status.CANCELLED or (is_correction and each.status == Encounter.Status.FINISHED)
    ]
    last = ended if is_group(appointment) else ended[-1:]
    if status not in BEGINS:
        return last
    others = [patient.pk for patient in patients_of(appointment)[1:]]
    return planned[:1] or last or [_new(appointment, pk, now) for pk in (appointment.patient_id, *others)]


def _new(appointment: Appointment, patient: int | None, now: datetime) -> Encounter:
    by_video = appointment.service is not None and appointment.service.telehealth
    return Encounter(
        appointment=appointment,
        encounter_class=Encounter.Class.VIRTUAL if by_video else Encounter.Class.AMBULATORY,
        patient_id=patient,
        service_id=appointment.service_id,
        start=now,
        participant=encounter_participants(appointment.participant),
    )
