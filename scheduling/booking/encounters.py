"""The Encounter of a visit, kept in step with its Appointment: https://hl7.org/fhir/R4/encounter.html"""

from datetime import datetime

from clinic.models import Appointment, Encounter
from clinic.models.statements import exists
from scheduling.participants import encounter_participants

FOLLOWS = {
    Appointment.Status.BOOKED: Encounter.Status.CANCELLED,  # the arrival was recorded by mistake
    Appointment.Status.ARRIVED: Encounter.Status.ARRIVED,
    Appointment.Status.CHECKED_IN: Encounter.Status.IN_PROGRESS,
    Appointment.Status.FULFILLED: Encounter.Status.FINISHED,
    Appointment.Status.NOSHOW: Encounter.Status.CANCELLED,
    Appointment.Status.CANCELLED: Encounter.Status.CANCELLED,
    Appointment.Status.ENTERED_IN_ERROR: Encounter.Status.ENTERED_IN_ERROR,
}
UNDER_WAY = (Encounter.Status.ARRIVED, Encounter.Status.IN_PROGRESS)
BEGINS = (Appointment.Status.ARRIVED, Appointment.Status.CHECKED_IN, Appointment.Status.FULFILLED)


def follow(appointment: Appointment, *, now: datetime) -> None:
    """Create the Encounter of a locked appointment when the patient arrives, and update it with each later status."""
    status = Appointment.Status(appointment.status)
    if status not in FOLLOWS or (status not in BEGINS and not exists(Encounter, "appointment_id", appointment.pk)):
        return
    encounter = (
        Encounter.objects.filter(appointment=appointment, deleted_at=None)
        .exclude(status=Encounter.Status.ENTERED_IN_ERROR)
        .first()
    )
    if encounter is None:
        if status not in BEGINS:
            return
        encounter = _new(appointment, now)
    encounter.status = FOLLOWS[status]
    if status == Appointment.Status.BOOKED:
        encounter.start = encounter.end = None
    else:
        encounter.start = encounter.start or now
        encounter.end = None if encounter.status in UNDER_WAY else now
    encounter.version += encounter.pk is not None
    encounter.last_updated = now
    encounter.save()


def _new(appointment: Appointment, now: datetime) -> Encounter:
    by_video = appointment.service is not None and appointment.service.telehealth
    return Encounter(
        appointment=appointment,
        encounter_class=Encounter.Class.VIRTUAL if by_video else Encounter.Class.AMBULATORY,
        patient_id=appointment.patient_id,
        service_id=appointment.service_id,
        start=now,
        participant=encounter_participants(appointment.participant),
    )
