"""Problems that keep services from being booked, in words, with links to where they are solved."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from clinic.admin.links import page_of
from scheduling.access import Caller
from scheduling.availability import BookingProblem


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """A problem; `mended_at` is the page in Administration that solves it, empty if the caller may not open it."""

    text: str
    is_warning: bool
    mended_at: str = ""
    page: str = ""


def problem_line(problem: BookingProblem, caller: Caller) -> ProblemLine:
    may_mend = caller.is_administrator and caller.user is not None and caller.user.is_staff
    if not may_mend:
        return ProblemLine(problem.text, problem.is_warning)
    page = str(problem.mend) if problem.mend else _("Schedules")
    return ProblemLine(problem.text, problem.is_warning, page_of(problem.mend), page)
