"""Problems that keep services from being booked, in words, with links to where they are solved."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from clinic.admin.links import page_of
from clinic.models import Device, HealthcareService, Location, Practitioner, Resource, Schedule
from scheduling.access import Caller
from scheduling.availability import BookingProblem, Fault

# Faults of a service or calendar that the page of its hours mends, and those that the page of its rules does.
OF_HOURS = frozenset({Fault.NO_HOURS, Fault.HOURS_OVER, Fault.ALWAYS_CLOSED, Fault.NOTHING_SO_SOON, Fault.ALL_TAKEN})
OF_RULES = frozenset({Fault.NO_DAYS_AHEAD, Fault.NOTICE_TOO_LONG, Fault.QUESTIONS_NOT_ASKED})


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """A problem; `mended_at` is the page that solves it, empty if the caller may not open it."""

    text: str
    is_warning: bool
    mended_at: str = ""
    page: str = ""


def problem_line(problem: BookingProblem, caller: Caller) -> ProblemLine:
    if not caller.sets_up:
        return ProblemLine(problem.text, problem.is_warning)
    page = str(problem.mend) if problem.mend else _("People")
    return ProblemLine(problem.text, problem.is_warning, _page(problem, caller), page)


def _page(problem: BookingProblem, caller: Caller) -> str:
    row = problem.mend
    if isinstance(row, HealthcareService) and problem.fault in OF_HOURS | OF_RULES:
        return reverse(f"portal:hours-{'edit' if problem.fault in OF_HOURS else 'settings'}", args=[row.fhir_id])
    return setup_page(row) or (page_of(row) if caller.is_administrator else "")


def setup_page(row: Resource | None) -> str:
    """Return the address of the page of the set-up that changes a row; without a row, that of the people and their
    calendars. It is empty for rows that only Administration changes.
    """
    match row:
        case None:
            return reverse("portal:setup-people")
        case Location() if row.part_of_id:
            return reverse("portal:setup-room", args=[row.fhir_id])
        case Location():
            return reverse("portal:setup-site", args=[row.fhir_id])
        case Device():
            return reverse("portal:setup-device", args=[row.fhir_id])
        case Practitioner():
            return reverse("portal:setup-person", args=[row.fhir_id])
        case HealthcareService():
            return reverse("portal:setup-service", args=[row.fhir_id])
        case Schedule():
            return reverse("portal:setup-calendar", args=[row.fhir_id])
    return ""
