"""Steps from a held time to the booked visit: which pages a visit needs, which is next, and the progress."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

from clinic.models import Appointment, Practitioner, QuestionnaireResponse
from portal.appointments.visits import Visit
from portal.finding import times
from scheduling import requirements
from scheduling.access import Caller
from scheduling.requirements import Requirement

ABOUT, QUESTIONS, COVERAGE, CONFIRM = "about", "questions", "coverage", "confirm"
ANSWERED = (QuestionnaireResponse.Status.COMPLETED, QuestionnaireResponse.Status.AMENDED)


@dataclass(frozen=True, slots=True)
class Progress:
    """Step `number` of `total`, and the address of the page before."""

    number: int
    total: int
    back: str
    is_after_about: bool = False  # the step comes after the one that asks who the visit is for


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A requirement that keeps a visit from being booked, with the page or the people that would help."""

    requirement: Requirement
    texts: tuple[str, ...] = ()
    page: str = ""
    people: tuple[Practitioner, ...] = ()


def of(visit: Visit | Appointment, caller: Caller) -> list[str]:
    """Return the steps of a visit in order. A step with nothing to ask is left out."""
    appointment = _appointment(visit)
    service = appointment.service
    steps = []
    if len(caller.patients) != 1 or caller.patient is None or not is_for_own(appointment, caller):
        steps.append(ABOUT)
    if service and page_of(appointment, QUESTIONS) and requirements.active_questionnaires(service).exists():
        steps.append(QUESTIONS)
    if service and service.requires_coverage:
        steps.append(COVERAGE)
    return [*steps, CONFIRM]


def next_page(visit: Visit | Appointment, caller: Caller, *, after: str = "") -> str:
    """Return the address of the first step that is not done; with `after`, of the first one after it.

    The patient comes first. If their age or the care team prevents the booking, nothing else is asked.
    """
    appointment = _appointment(visit)
    steps = of(appointment, caller)
    if not is_for_own(appointment, caller):
        return page_of(appointment, ABOUT)
    if {Requirement.CARE_TEAM, Requirement.AGE} & requirements.unmet_by_requirement(appointment).keys():
        return page_of(appointment, CONFIRM)
    left = steps[steps.index(after) + 1 :] if after in steps else steps
    return page_of(appointment, next(step for step in left or [CONFIRM] if not _is_done(step, appointment, caller)))


def progress(visit: Visit | Appointment, caller: Caller, step: str, *, within: bool = False) -> Progress:
    """Return the progress at `step`; choosing the time was step one. `within`: on a further page of the step."""
    appointment = _appointment(visit)
    steps = of(appointment, caller)
    if step not in steps:
        steps.insert(0, step)
    at = steps.index(step)
    before = step if within else steps[at - 1] if at else ""
    back = page_of(appointment, before) if before else _times_of(appointment)
    return Progress(number=at + 2, total=len(steps) + 1, back=back, is_after_about=step != ABOUT)


def obstacles(visit: Visit | Appointment) -> list[Obstacle]:
    """Return the requirements of the service that the visit does not meet yet, each with what would help."""
    appointment = _appointment(visit)
    pages = {
        Requirement.PATIENT: ABOUT,
        Requirement.AGE: ABOUT,
        Requirement.COVERAGE: COVERAGE,
        Requirement.ANSWERS: QUESTIONS,
    }
    return [
        Obstacle(each, people=_team_with_times(appointment))
        if each == Requirement.CARE_TEAM
        else Obstacle(each, tuple(issue.text for issue in issues), page=page_of(appointment, pages[each]))
        for each, issues in requirements.unmet_by_requirement(appointment).items()
    ]


def is_for_own(appointment: Appointment, caller: Caller) -> bool:
    """True if the visit has a patient for whom the caller may book."""
    if appointment.patient_id is None:
        return False
    return caller.user is None or caller.is_staff or appointment.patient_id in caller.patients


def coverage_of(appointment: Appointment) -> str:
    """Return the reference of the Coverage chosen for the visit; empty if there is none."""
    references = (str(each.get("reference")) for each in appointment.extra.get("supportingInformation", []))
    return next((each for each in references if each.startswith("Coverage/")), "")


def page_of(visit: Visit | Appointment, step: str) -> str:
    """Return the address of a step's page; empty if this clinic has no such page."""
    try:
        return reverse(f"portal:{step}", args=[_appointment(visit).fhir_id])
    except NoReverseMatch:
        return ""


def _is_done(step: str, appointment: Appointment, caller: Caller) -> bool:
    match step:
        case "about":
            return is_for_own(appointment, caller)
        case "questions":
            return not unanswered(appointment) or _answered_before(appointment)
        case "coverage":
            return bool(coverage_of(appointment))
    return False


def unanswered(appointment: Appointment) -> bool:
    """True if one of the service's questionnaires has no answers for this visit."""
    assert appointment.service is not None
    answered = QuestionnaireResponse.objects.filter(appointment=appointment, status__in=ANSWERED, deleted_at=None)
    questionnaires = requirements.active_questionnaires(appointment.service)
    return questionnaires.exclude(pk__in=answered.values("questionnaire")).exists()


def _answered_before(appointment: Appointment) -> bool:
    """True if the patient's earlier answers satisfy the service's questionnaires."""
    assert appointment.service is not None
    required = appointment.service.requires_questionnaires
    return required and Requirement.ANSWERS not in requirements.unmet_by_requirement(appointment)


def _team_with_times(appointment: Appointment) -> tuple[Practitioner, ...]:
    """Return the members of the patient's care team who offer this service."""
    if appointment.service is None or appointment.patient_id is None:
        return ()
    team = [each.partition("/") for each in requirements.care_team(appointment.patient_id)]
    ids = [fhir_id for kind, _slash, fhir_id in team if kind == "Practitioner"]
    bookables = {each.bookable for each in times.read_menu(appointment.service).all_offerings}
    return tuple(Practitioner.objects.filter(fhir_id__in=ids, bookable__in=bookables, deleted_at=None))


def _times_of(appointment: Appointment) -> str:
    if appointment.service is None:
        return reverse("portal:services")
    return reverse("portal:choose-time", args=[appointment.service.fhir_id])


def _appointment(visit: Any) -> Appointment:
    appointment: Appointment = visit.appointment if isinstance(visit, Visit) else visit
    return appointment
