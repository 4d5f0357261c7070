"""Requirements of a service for booking it: new or returning patients, age, coverage, answers and care team."""

from datetime import date, datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet
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
from scheduling.new_patients import is_new
from scheduling.participants import PRACTITIONER, references_of
from scheduling.visit_zone import zone_of_place

Eligibility = HealthcareService.Eligibility


class Requirement(StrEnum):
    """A requirement that a service can have."""

    PATIENT = "patient"
    COVERAGE = "coverage"
    ANSWERS = "answers"
    CARE_TEAM = "care-team"
    AGE = "age"
    ELIGIBILITY = "eligibility"


# The statuses of answers that are finished.
COMPLETE = (QuestionnaireResponse.Status.COMPLETED, QuestionnaireResponse.Status.AMENDED)
# Requirements that nothing which a patient could add would meet.
UNFIT = frozenset({Requirement.CARE_TEAM, Requirement.AGE, Requirement.ELIGIBILITY})


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
        needs_coverage(service)
        or service.requires_questionnaires
        or service.requires_care_team
        or ages.limits(service)
        or service.eligibility != Eligibility.EVERYONE
    ):
        return {Requirement.ANSWERS: alarms} if alarms else {}
    if appointment.patient is None:
        text = Sentence(
            _("%(service)s needs to know the patient before it is booked."), service=text_of(service, "name")
        )
        return {Requirement.PATIENT: [Issue("business-rule", text, "Appointment.participant")]}
    found = {
        Requirement.AGE: age_issues(service, appointment.patient, day_of(appointment)),
        Requirement.ELIGIBILITY: eligibility_issues(service, appointment.patient, start_of(appointment)),
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
            (service.requires_verified_coverage, _("active coverage that the clinic has checked")),
            (service.requires_coverage and not service.requires_verified_coverage, _("active coverage")),
            (service.requires_care_team, _("a practitioner on the patient's care team")),
            (bool(ages.limits(service)), _("a patient %(ages)s") % {"ages": ages.limits(service)}),
            (service.eligibility == Eligibility.NEW, _("a new patient")),
            (service.eligibility == Eligibility.RETURNING, _("a patient who has been here before")),
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


def eligibility_issues(service: HealthcareService, patient: Patient, start: datetime) -> list[Issue]:
    """Return an issue if the service is for new patients and this is a returning one, or the other way round."""
    if service.eligibility == Eligibility.EVERYONE:
        return []
    is_for_new = service.eligibility == Eligibility.NEW
    if is_new(patient, service, start) == is_for_new:
        return []
    texts = {
        Eligibility.NEW: _(
            "%(service)s is for new patients, and the patient has been here before."
            " Choose another kind of visit, or call the clinic."
        ),
        Eligibility.RETURNING: _(
            "%(service)s is for patients who have been here before."
            " Choose a kind of visit for new patients, or call the clinic."
        ),
    }
    text = texts[Eligibility(service.eligibility)]
    return [Issue("business-rule", Sentence(text, service=text_of(service, "name")), "Appointment.participant")]


def patient_issues(appointment: Appointment, patient: Patient) -> list[Issue]:
    """Return an issue for each reason why the visit cannot be for this patient.

    A patient without a record yet, as a guest before the proof of their address, can be refused by their age alone:
    nobody learns from it whom the clinic knows.
    """
    service = appointment.service
    if service is None:
        return []
    unfit = age_issues(service, patient, day_of(appointment))
    return unfit or (eligibility_issues(service, patient, start_of(appointment)) if patient.pk else [])


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


def visits_without_answers(visits: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Return those of the visits that need answers which their patient has not finished.

    Unlike `unmet` it goes by the status of the answers, without reading them, so that it is quick for many visits.
    """
    is_own = Q(appointment=OuterRef(OuterRef("pk")))
    is_of_patient = Q(patient=OuterRef(OuterRef("patient")))
    given = QuestionnaireResponse.objects.filter(
        is_own | (is_of_patient & (Q(appointment=None) | Q(appointment__series=OuterRef(OuterRef("series"))))),
        questionnaire=OuterRef("pk"),
        status__in=COMPLETE,
        deleted_at=None,
    ).order_by()
    asked = Questionnaire.objects.filter(
        services=OuterRef("service"), status=Questionnaire.Status.ACTIVE, deleted_at=None
    ).order_by()
    return visits.filter(Exists(asked.exclude(Exists(given))), service__requires_questionnaires=True)


def accepts_answers(appointment: Appointment, *, now: datetime) -> bool:
    """True if its questions can be answered: for a hold, a request, and a booked visit that has not begun."""
    if appointment.status == Appointment.Status.BOOKED:
        return appointment.start is not None and now < appointment.start
    return appointment.status == Appointment.Status.PENDING


def active_questionnaires(service: HealthcareService) -> QuerySet[Questionnaire]:
    """Return the active questionnaires of a service."""
    return service.questionnaires.filter(deleted_at=None, status=Questionnaire.Status.ACTIVE).order_by("pk")


def coverages(patient_id: int, on: date) -> QuerySet[Coverage]:
    """Return the patient's coverage that is active on a date, and not rejected by the clinic."""
    valid = Q(start=None) | Q(start__lte=on), Q(end=None) | Q(end__gte=on)
    rows = Coverage.objects.filter(*valid, beneficiary=patient_id, status=Coverage.Status.ACTIVE, deleted_at=None)
    return rows.exclude(verification=Coverage.Verification.REJECTED)


def start_of(appointment: Appointment) -> datetime:
    assert appointment.start is not None  # appointment_has_time; holds, requests and visits take time
    return appointment.start


def needs_coverage(service: HealthcareService) -> bool:
    """True if the service needs an active coverage, declared or verified."""
    return service.requires_coverage or service.requires_verified_coverage


def day_of(appointment: Appointment, moment: datetime | None = None) -> date:
    """Return the local date of the visit, or of another moment, in the zone of the visit's place."""
    return in_zone(moment or start_of(appointment), zone_of_place(appointment)).date()


def care_team(patient_id: int) -> set[str]:
    """Return the members of the patient's active care teams, as FHIR references."""
    teams = CareTeam.objects.filter(patient=patient_id, status=CareTeam.Status.ACTIVE, deleted_at=None)
    participants = (participant for team in teams for participant in team.participant)
    return {str(participant.get("member", {}).get("reference")) for participant in participants}


def _without_coverage(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    if not needs_coverage(service):
        return []
    assert appointment.patient_id is not None
    found = set(coverages(appointment.patient_id, day_of(appointment)).values_list("verification", flat=True))
    if Coverage.Verification.VERIFIED in found or (found and not service.requires_verified_coverage):
        return []
    text = (
        _("%(service)s is booked once the clinic has checked the patient's insurance. Call the clinic.")
        if found
        else _("%(service)s needs coverage that is active on the day of the visit. Add it, or call the clinic.")
    )
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
    """Return complete answers to the service's questionnaires, newest first. The visits of a patient in a
    series share theirs.

    Answers for the visit itself take the place of earlier ones without a visit. The status alone does not make them
    complete: other software's answers are checked like those of pages.
    """
    own = Q(appointment__in=_saved(appointment))
    if appointment.series:
        own = Q(appointment__series=appointment.series, patient=appointment.patient_id)
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


def _saved(appointment: Appointment) -> list[int]:
    """Return the primary key of the visit; none if it only might be booked, and so has no rows of its own."""
    return [appointment.pk] if appointment.pk is not None else []


def _is_complete(response: QuestionnaireResponse) -> bool:
    if response.status not in COMPLETE:
        return False
    sheet = questionnaires.sheet_of(response)
    return sheet.is_complete and not sheet.red_flags


def _without_care_team(appointment: Appointment, service: HealthcareService) -> list[Issue]:
    if not service.requires_care_team:
        return []
    slots = Slot.objects.filter(appointment__in=_saved(appointment), deleted_at=None)
    slots = slots.exclude(bookable__practitioner=None)
    ids = slots.values_list("bookable__practitioner__fhir_id", flat=True)
    people = {f"Practitioner/{fhir_id}" for fhir_id in ids}
    people |= set(references_of(appointment.participant, PRACTITIONER))  # a team has its patient as member too
    assert appointment.patient_id is not None
    if people & care_team(appointment.patient_id):
        return []
    text = _("%(service)s is only with a member of the patient's care team. Choose one of them, or call the clinic.")
    sentence = Sentence(text, service=text_of(service, "name"))
    return [Issue("business-rule", sentence, "Appointment.participant")]
