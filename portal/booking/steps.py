"""Steps from a held time to the booked visit: which pages a visit needs, which is next, and the progress."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

from clinic.models import Appointment, Practitioner, QuestionnaireResponse
from portal.appointments.visits import Visit
from portal.finding import times
from scheduling import booking, requirements
from scheduling.access import Caller
from scheduling.interactions.details import are_details_due
from scheduling.requirements import UNFIT, Requirement

ABOUT, DETAILS, QUESTIONS, COVERAGE = "about", "details-check", "questions", "coverage"
NEEDS, CONFIRM, PAY = "needs", "confirm", "pay"
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
    steps = []
    is_clear = caller.only_patient is not None and is_for_own(appointment, caller)
    if not (is_clear or is_for_referred(appointment)):
        steps.append(ABOUT)
    if asks_details(appointment, caller):
        steps.append(DETAILS)
    members = held_members(appointment)
    if page_of(appointment, QUESTIONS) and any(_has_step(QUESTIONS, each) for each in members):
        steps.append(QUESTIONS)
    if any(_has_step(COVERAGE, each) for each in members):
        steps.append(COVERAGE)
    return [*steps, CONFIRM, *([PAY] if booking.prepayment_of(appointment) else [])]


def next_page(visit: Visit | Appointment, caller: Caller, *, after: str = "") -> str:
    """Return the address of the first step that is not done; with `after`, of the first one after it.

    The patient comes first. If the visit cannot be theirs, nothing else is asked.
    """
    appointment = _appointment(visit)
    steps = of(appointment, caller)
    if not is_for_own(appointment, caller):
        return page_of(appointment, ABOUT)
    if UNFIT & requirements.unmet_by_requirement(appointment).keys():
        return page_of(appointment, CONFIRM)
    members = held_members(appointment)
    if after in (QUESTIONS, COVERAGE):  # of the other visits too
        rest = members[members.index(appointment) + 1 :]
        if undone := _undone(after, rest, caller):
            return page_of(undone, after)
    left = steps[steps.index(after) + 1 :] if after in steps else steps
    for step in left:
        if undone := _undone(step, members, caller):
            return page_of(undone, step)
    return page_of(appointment, CONFIRM)


def held_members(appointment: Appointment) -> list[Appointment]:
    """Return the visit and, if it is one of several combined visits, those that are held together with it."""
    if not appointment.is_combined:
        return [appointment]
    together = Appointment.objects.filter(series=appointment.series, status=appointment.status, deleted_at=None)
    return list(together.select_related("service", "patient").order_by("start", "pk")) or [appointment]


def first_with(step: str, appointment: Appointment) -> Appointment:
    """Return the first of the visits that are held together which has this step, or else the visit itself."""
    return next((each for each in held_members(appointment) if _has_step(step, each)), appointment)


def _has_step(step: str, appointment: Appointment) -> bool:
    service = appointment.service
    match step:
        case "questions":
            return service is not None and requirements.active_questionnaires(service).exists()
        case "coverage":
            return service is not None and requirements.needs_coverage(service)
    return True


def _undone(step: str, members: list[Appointment], caller: Caller) -> Appointment | None:
    """Return the first of the visits that has this step and has not done it."""
    return next((each for each in members if _has_step(step, each) and not _is_done(step, each, caller)), None)


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
        Requirement.ELIGIBILITY: ABOUT,
        Requirement.COVERAGE: COVERAGE,
        Requirement.ANSWERS: QUESTIONS,
    }
    return [
        Obstacle(each, people=_team_with_times(member))
        if each == Requirement.CARE_TEAM
        else Obstacle(each, tuple(issue.text for issue in issues), page=page_of(member, pages[each]))
        for member in held_members(appointment)
        for each, issues in requirements.unmet_by_requirement(member).items()
    ]


def is_for_own(appointment: Appointment, caller: Caller) -> bool:
    """True if the visit has a patient for whom the caller may book."""
    if appointment.patient_id is None:
        return False
    return (
        is_for_referred(appointment)
        or caller.user is None
        or caller.is_staff
        or appointment.patient_id in caller.patients
    )


def is_for_referred(appointment: Appointment) -> bool:
    """True if the visit is for the patient whom its ticket names."""
    ticket = appointment.referral
    return ticket is not None and ticket.patient_id is not None and ticket.patient_id == appointment.patient_id


def asks_details(appointment: Appointment, caller: Caller) -> bool:
    """True if the patient, or a carer, is to say whether the patient's details are still right."""
    patient = appointment.patient
    if patient is None or patient.pk not in caller.confided:
        return False
    return are_details_due(patient, now=appointment.last_updated)


def asks_needs(visit: Visit | Appointment, caller: Caller) -> bool:
    """True if the patient's needs can be seen and changed on the way to the booking.

    A guest has proven an address only, so they can add needs to a record without any, and are shown no others.
    """
    patient = _appointment(visit).patient
    return patient is not None and (caller.user is not None or patient.needs_asked is None)


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
