"""The requirements of a service for booking it: the patient's age, coverage, answers and care team."""

from datetime import date, datetime
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import ages
from clinic.local_time import in_zone
from clinic.models import (
    Appointment,
    CareTeam,
    Coverage,
    HealthcareService,
    Patient,
    Questionnaire,
    QuestionnaireResponse,
    Slot,
)
from clinic.models.statements import exists
from clinic.translations import Sentence, text_of
from scheduling import questionnaires
from scheduling.errors import Issue
from scheduling.participants import PRACTITIONER, references_of
from scheduling.visit_zone import zone_of_place


class Requirement(StrEnum):
    """A requirement that a service can have."""

    PATIENT = "patient"
    COVERAGE = "coverage"
    ANSWERS = "answers"
    CARE_TEAM = "care-team"
    AGE = "age"


def unmet(appointment: Appointment, *, now: datetime, just_made: bool = False) -> list[Issue]:
    """Return an issue for each requirement of the service that the patient does not meet."""
    return [issue for issues in unmet_by_requirement(appointment, just_made=just_made).values() for issue in issues]


def unmet_by_requirement(appointment: Appointment, *, just_made: bool = False) -> dict[Requirement, list[Issue]]:
    """Return the issues by requirement, so that pages can link to the step that solves each.

    An answer with a red flag is an issue even if the service requires no answers. `just_made` skips that check for a
    new appointment, which has no answers yet.
    """
    service = appointment.service
    alarms = [] if just_made else _alarms(appointment)
    if service is None or not (
        service.requires_coverage
        or service.requires_questionnaires
        or service.requires_care_team
        or ages.limits(service)
    ):
        return {Requirement.ANSWERS: alarms} if alarms else {}
    if appointment.patient is None:
        text = Sentence(
            _("%(service)s needs to know the patient before it is booked."), service=text_of(service, "name")
        )
        return {Requirement.PATIENT: [Issue("business-rule", text, "Appointment.participant")]}
    found = {
        Requirement.AGE: age_issues(service, appointment.patient, day_of(appointment)),
        Requirement.COVERAGE: _without_coverage(appointment, service),
        Requirement.ANSWERS: alarms or _without_answers(appointment, service),
        Requirement.CARE_TEAM: _without_care_team(appointment, service),
    }
    return {requirement: issues for requirement, issues in found.items() if issues}


def describe(service: HealthcareService) -> str:
    """Return a sentence with the requirements of a service; empty if it has none."""
    texts = [
        text
        for is_required, text in (
            (service.requires_questionnaires, _("answers to its questions")),
            (service.requires_coverage, _("active coverage")),
            (service.requires_care_team, _("a practitioner on the patient's care team")),
            (bool(ages.limits(service)), _("a patient %(ages)s") % {"ages": ages.limits(service)}),
        )
        if is_required
    ]
    if not texts:
        return ""
    return Sentence(_("%(service)s needs %(what)s."), service=text_of(service, "name"), what=", ".join(texts))


def age_issues(service: HealthcareService, patient: Patient, day: date) -> list[Issue]:
    """Return an issue if the patient's age on the day is outside the limits of the service.

    A partial birth date counts as within the limits if it can be.
    """
    possible = ages.possible_ages(patient.born, day)
    if not possible or any(ages.is_fit(service, age) for age in possible):
        return []
    age = possible[0] if ages.is_too_old(service, possible[0]) else possible[-1]
    text = ngettext(
        "%(service)s is for patients %(ages)s. On the day of the visit the patient is %(count)d year old."
        " Choose another kind of visit, or call the clinic.",
        "%(service)s is for patients %(ages)s. On the day of the visit the patient is %(count)d years old."
        " Choose another kind of visit, or call the clinic.",
        age,
    )
    sentence = Sentence(text, service=text_of(service, "name"), ages=ages.limits(service), count=age)
    return [Issue("business-rule", sentence, "Appointment.participant")]


def attach_answers(appointment: Appointment, *, now: datetime) -> None:
    """Attach the patient's completed answers that have no appointment yet to this one."""
    service = appointment.service
    if service is None or not service.requires_questionnaires:
        return
    attached = set()
    for response in _responses(appointment, service):
        if response.appointment_id is None and response.questionnaire_id not in attached:
            attached.add(response.questionnaire_id)
            response.appointment = appointment
            response.version += 1
            response.last_updated = now
            response.save()


def accepts_answers(appointment: Appointment, *, now: datetime) -> bool:
    """True if its questions can be answered: for a hold, a request, and a booked visit that has not begun."""
    if appointment.status == Appointment.Status.BOOKED:
        return appointment.start is not None and now < appointment.start
    return appointment.status == Appointment.Status.PENDING


def active_questionnaires(service: HealthcareService) -> QuerySet[Questionnaire]:
    """Return the active questionnaires of a service."""
    return service.questionnaires.filter(deleted_at=None, status=Questionnaire.Status.ACTIVE).order_by("pk")


def coverages(patient_id: int, on: date) -> QuerySet[Coverage]:
    """Return the patient's coverage that is active on a date."""
    valid = Q(start=None) | Q(start__lte=on), Q(end=None) | Q(end__gte=on)
    return Coverage.objects.filter(*valid, beneficiary=patient_id, status=Coverage.Status.ACTIVE, deleted_at=None)


def day_of(appointment: Appointment, moment: datetime | None = None) -> date:
    """Return the local date of the visit, or of another moment, in the zone of the visit's place."""
    moment = moment or appointment.start
    assert moment is not None
    return in_zone(moment, zone_of_place(appointment)).date()


def care_team(patient_id: int) -> set[str]:
    """Return the members of the patient's active care teams, as FHIR references."""
    teams = CareTeam.objects.filter(patient=patient_id, status=CareTeam.Status.ACTIVE, deleted_at=None)
    participants = (participant for team in teams for participant in team.participant)
    return {str(participant.get("member", {}).get("reference")) for participant in participants}


def _without_coverage(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    assert appointment.patient_id is not None
    if not service.requires_coverage or coverages(appointment.patient_id, day_of(appointment)).exists():
        return []
    text = _("%(service)s needs coverage that is active on the day of the visit. Add it, or call the clinic.")
    sentence = Sentence(text, service=text_of(service, "name"))
    return [Issue("business-rule", sentence, "Appointment.participant")]


def _alarms(appointment: Appointment) -> list[Issue]:
    """Return an issue for each answer with a red flag, whatever the status of the answers."""
    if not exists(QuestionnaireResponse, "appointment_id", appointment.pk):
        return []
    rows = QuestionnaireResponse.objects.filter(appointment=appointment, deleted_at=None, questionnaire__isnull=False)
    answers = rows.exclude(status=QuestionnaireResponse.Status.ENTERED_IN_ERROR).select_related("questionnaire")
    flags = [node.red_flag for response in answers for node in questionnaires.sheet_of(response).red_flags]
    return [Issue("business-rule", flag, "Appointment.supportingInformation") for flag in dict.fromkeys(flags)]


def _without_answers(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    if not service.requires_questionnaires:
        return []
    answered = {response.questionnaire_id for response in _responses(appointment, service)}
    return [
        Issue(
            "business-rule",
            Sentence(
                _("%(service)s needs answers to \u201c%(form)s\u201d before it is booked."),
                service=text_of(service, "name"),
                form=text_of(questionnaire, "title") or str(questionnaire),
            ),
            "Appointment.supportingInformation",
        )
        for questionnaire in active_questionnaires(service)
        if questionnaire.pk not in answered
    ]


def _responses(appointment: Appointment, service: HealthcareService) -> list[QuestionnaireResponse]:
    """Return complete answers to the service's questionnaires, newest first. The visits of a series share theirs.

    Answers for the visit itself take the place of earlier ones without a visit. The status alone does not make them
    complete: other software's answers are checked like those of pages.
    """
    own = Q(appointment__series=appointment.series) if appointment.series else Q(appointment=appointment)
    ours = own | Q(appointment=None, patient=appointment.patient_id)
    rows = QuestionnaireResponse.objects.filter(
        ours, questionnaire__in=service.questionnaires.all(), deleted_at=None
    ).exclude(status=QuestionnaireResponse.Status.ENTERED_IN_ERROR)
    responses = list(rows.select_related("questionnaire").order_by("-pk"))
    begun = {response.questionnaire_id for response in responses if response.appointment_id is not None}
    return [
        response
        for response in responses
        if (response.appointment_id is not None or response.questionnaire_id not in begun) and _is_complete(response)
    ]


def _is_complete(response: QuestionnaireResponse) -> bool:
    if response.status not in (QuestionnaireResponse.Status.COMPLETED, QuestionnaireResponse.Status.AMENDED):
        return False
    sheet = questionnaires.sheet_of(response)
    return sheet.is_complete and not sheet.red_flags


def _without_care_team(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    if not service.requires_care_team:
        return []
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None).exclude(bookable__practitioner=None)
    ids = slots.values_list("bookable__practitioner__fhir_id", flat=True)
    people = {f"Practitioner/{fhir_id}" for fhir_id in ids}
    people |= set(references_of(appointment.participant, PRACTITIONER))  # a team has its patient as member too
    assert appointment.patient_id is not None
    if people & care_team(appointment.patient_id):
        return []
    text = _("%(service)s is only with a member of the patient's care team. Choose one of them, or call the clinic.")
    sentence = Sentence(text, service=text_of(service, "name"))
    return [Issue("business-rule", sentence, "Appointment.participant")]
