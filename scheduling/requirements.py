"""What a service asks for before it can be booked: active coverage, answers, a care team."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from clinic.models import Appointment, CareTeam, Coverage, HealthcareService, QuestionnaireResponse, Slot
from scheduling.errors import Issue


def unmet(appointment: Appointment, *, now: datetime) -> list[Issue]:
    """What the appointment's service requires and its patient lacks, in words that say what to do."""
    service = appointment.service
    if service is None or not (
        service.requires_coverage or service.requires_questionnaires or service.requires_care_team
    ):
        return []
    if appointment.patient is None:
        text = f"{service.name} needs to know the patient before it is booked."
        return [Issue("business-rule", text, "Appointment.participant")]
    return [
        *_without_coverage(appointment, service),
        *_without_answers(appointment, service),
        *_without_care_team(appointment, service),
    ]


def attach_answers(appointment: Appointment, *, now: datetime) -> None:
    """Completed answers of the patient that were given for no appointment yet are for this one."""
    service = appointment.service
    if service is None or not service.requires_questionnaires:
        return
    given = _responses(appointment, service)
    attached = {each.questionnaire_id for each in given if each.appointment_id}
    for response in given:
        if response.questionnaire_id not in attached:
            attached.add(response.questionnaire_id)
            response.appointment = appointment
            response.version += 1
            response.last_updated = now
            response.save()


def has_coverage(patient_id: int, on: Any) -> bool:
    """Whether the patient has active coverage on that date."""
    valid = Q(start=None) | Q(start__lte=on), Q(end=None) | Q(end__gte=on)
    return Coverage.objects.filter(
        *valid, beneficiary=patient_id, status=Coverage.Status.ACTIVE, deleted_at=None
    ).exists()


def _without_coverage(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    assert appointment.patient_id is not None
    assert appointment.start is not None
    if not service.requires_coverage or has_coverage(appointment.patient_id, appointment.start.date()):
        return []
    text = f"{service.name} needs coverage that is active on the day of the visit. Add it, or call the clinic."
    return [Issue("business-rule", text, "Appointment.participant")]


def _without_answers(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    if not service.requires_questionnaires:
        return []
    answered = {each.questionnaire_id for each in _responses(appointment, service)}
    return [
        Issue(
            "business-rule",
            f"{service.name} needs answers to \u201c{each}\u201d before it is booked.",
            "Appointment.supportingInformation",
        )
        for each in service.questionnaires.filter(deleted_at=None)
        if each.pk not in answered
    ]


def _responses(appointment: Appointment, service: HealthcareService) -> list[QuestionnaireResponse]:
    """Completed answers to the service's questionnaires, the visit's own first, then the newest."""
    ours = Q(appointment=appointment) | Q(appointment=None, patient=appointment.patient_id)
    done = (QuestionnaireResponse.Status.COMPLETED, QuestionnaireResponse.Status.AMENDED)
    rows = QuestionnaireResponse.objects.filter(
        ours, questionnaire__in=service.questionnaires.all(), status__in=done, deleted_at=None
    )
    return sorted(rows, key=lambda each: (each.appointment_id is None, -each.pk))


def _without_care_team(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    if not service.requires_care_team:
        return []
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None).exclude(bookable__practitioner=None)
    people = {f"Practitioner/{each}" for each in slots.values_list("bookable__practitioner__fhir_id", flat=True)}
    people |= {str(each.get("actor", {}).get("reference")) for each in appointment.participant}
    teams = CareTeam.objects.filter(patient=appointment.patient_id, status=CareTeam.Status.ACTIVE, deleted_at=None)
    members = {str(each.get("member", {}).get("reference")) for team in teams for each in team.participant}
    if people & members:
        return []
    text = f"{service.name} is only with someone of the patient's care team. Choose one of them, or call the clinic."
    return [Issue("business-rule", text, "Appointment.participant")]
