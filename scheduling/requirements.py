"""What a service asks for before it can be booked: active coverage, answers, a care team."""

from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

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
from scheduling import questionnaires
from scheduling.errors import Issue


class Requirement(StrEnum):
    """What a service can ask for."""

    PATIENT = "patient"
    COVERAGE = "coverage"
    ANSWERS = "answers"
    CARE_TEAM = "care-team"
    AGE = "age"


def unmet(appointment: Appointment, *, now: datetime, just_made: bool = False) -> list[Issue]:
    """What the appointment's service requires and its patient lacks, in words that say what to do."""
    return [issue for issues in unmet_by_requirement(appointment, just_made=just_made).values() for issue in issues]


def unmet_by_requirement(appointment: Appointment, *, just_made: bool = False) -> dict[Requirement, list[Issue]]:
    """The same by what is required, for pages that lead to where it is mended.

    An answer that is an alarm stands in the way whatever is required. Nothing has been answered yet for an appointment
    that was `just_made`, so nothing is read.
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
        text = _("%(service)s needs to know the patient before it is booked.") % {"service": service.name}
        return {Requirement.PATIENT: [Issue("business-rule", text, "Appointment.participant")]}
    found = {
        Requirement.AGE: age_issues(service, appointment.patient, day_of(appointment)),
        Requirement.COVERAGE: _without_coverage(appointment, service),
        Requirement.ANSWERS: alarms or _without_answers(appointment, service),
        Requirement.CARE_TEAM: _without_care_team(appointment, service),
    }
    return {each: issues for each, issues in found.items() if issues}


def describe(service: HealthcareService) -> str:
    """What is asked for, before time is put into it; empty for a service that anybody can have."""
    wanted = [
        text
        for is_required, text in (
            (service.requires_questionnaires, _("answers to its questions")),
            (service.requires_coverage, _("active coverage")),
            (service.requires_care_team, _("a practitioner on the patient's care team")),
            (bool(ages.limits(service)), _("a patient %(ages)s") % {"ages": ages.limits(service)}),
        )
        if is_required
    ]
    return _("%(service)s needs %(what)s.") % {"service": service.name, "what": ", ".join(wanted)} if wanted else ""


def age_issues(service: HealthcareService, patient: Patient, day: date) -> list[Issue]:
    """That the service is for patients of another age than this one's on that day; nothing where it may be for them."""
    possible = ages.possible_ages(patient.born, day)
    if not possible or any(ages.is_fit(service, each) for each in possible):
        return []
    age = possible[0] if ages.is_too_old(service, possible[0]) else possible[-1]
    text = ngettext(
        "%(service)s is for patients %(ages)s. On the day of the visit the patient is %(count)d year old."
        " Choose another kind of visit, or call the clinic.",
        "%(service)s is for patients %(ages)s. On the day of the visit the patient is %(count)d years old."
        " Choose another kind of visit, or call the clinic.",
        age,
    )
    values = {"service": service.name, "ages": ages.limits(service), "count": age}
    return [Issue("business-rule", text % values, "Appointment.participant")]


def attach_answers(appointment: Appointment, *, now: datetime) -> None:
    """Completed answers of the patient that were given for no appointment yet are for this one."""
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
    """True if its questions can be answered: while its time is held or asked for, and until a booked visit begins."""
    if appointment.status == Appointment.Status.BOOKED:
        return appointment.start is not None and now < appointment.start
    return appointment.status == Appointment.Status.PENDING


def active_questionnaires(service: HealthcareService) -> QuerySet[Questionnaire]:
    """The questionnaires that the service asks today."""
    return service.questionnaires.filter(deleted_at=None, status=Questionnaire.Status.ACTIVE).order_by("pk")


def coverages(patient_id: int, on: date) -> QuerySet[Coverage]:
    """The patient's coverage that is active on that date."""
    valid = Q(start=None) | Q(start__lte=on), Q(end=None) | Q(end__gte=on)
    return Coverage.objects.filter(*valid, beneficiary=patient_id, status=Coverage.Status.ACTIVE, deleted_at=None)


def day_of(appointment: Appointment, moment: datetime | None = None) -> date:
    """The day of the visit on its site's calendar, or of another moment."""
    moment = moment or appointment.start
    assert moment is not None
    zone = ZoneInfo((appointment.site.timezone if appointment.site else "") or "UTC")
    return in_zone(moment, zone).date()


def care_team(patient_id: int) -> set[str]:
    """Who looks after the patient, as FHIR references."""
    teams = CareTeam.objects.filter(patient=patient_id, status=CareTeam.Status.ACTIVE, deleted_at=None)
    return {str(each.get("member", {}).get("reference")) for team in teams for each in team.participant}


def _without_coverage(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    assert appointment.patient_id is not None
    if not service.requires_coverage or coverages(appointment.patient_id, day_of(appointment)).exists():
        return []
    text = _("%(service)s needs coverage that is active on the day of the visit. Add it, or call the clinic.")
    return [Issue("business-rule", text % {"service": service.name}, "Appointment.participant")]


def _alarms(appointment: Appointment) -> list[Issue]:
    """What to do about answers for this visit that stop it, whatever status they came with."""
    rows = QuestionnaireResponse.objects.filter(appointment=appointment, deleted_at=None, questionnaire__isnull=False)
    answers = rows.exclude(status=QuestionnaireResponse.Status.ENTERED_IN_ERROR).select_related("questionnaire")
    flags = [node.red_flag for each in answers for node in questionnaires.sheet_of(each).red_flags]
    return [Issue("business-rule", each, "Appointment.supportingInformation") for each in dict.fromkeys(flags)]


def _without_answers(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    if not service.requires_questionnaires:
        return []
    answered = {each.questionnaire_id for each in _responses(appointment, service)}
    return [
        Issue(
            "business-rule",
            _("%(service)s needs answers to \u201c%(form)s\u201d before it is booked.")
            % {"service": service.name, "form": each},
            "Appointment.supportingInformation",
        )
        for each in active_questionnaires(service)
        if each.pk not in answered
    ]


def _responses(appointment: Appointment, service: HealthcareService) -> list[QuestionnaireResponse]:
    """Complete answers to the service's questionnaires, the newest first; those for the visit itself if it has any.

    That they say they are completed is not enough: they are judged like those of the pages.
    """
    ours = Q(appointment=appointment) | Q(appointment=None, patient=appointment.patient_id)
    rows = QuestionnaireResponse.objects.filter(
        ours, questionnaire__in=service.questionnaires.all(), deleted_at=None
    ).exclude(status=QuestionnaireResponse.Status.ENTERED_IN_ERROR)
    given = list(rows.select_related("questionnaire").order_by("-pk"))
    begun = {each.questionnaire_id for each in given if each.appointment_id is not None}
    return [
        each
        for each in given
        if (each.appointment_id is not None or each.questionnaire_id not in begun) and _is_complete(each)
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
    people = {f"Practitioner/{each}" for each in slots.values_list("bookable__practitioner__fhir_id", flat=True)}
    named = (str(each.get("actor", {}).get("reference")) for each in appointment.participant)
    people |= {each for each in named if each.startswith("Practitioner")}  # a team names its patient as well
    assert appointment.patient_id is not None
    if people & care_team(appointment.patient_id):
        return []
    text = _("%(service)s is only with a member of the patient's care team. Choose one of them, or call the clinic.")
    return [Issue("business-rule", text % {"service": service.name}, "Appointment.participant")]
