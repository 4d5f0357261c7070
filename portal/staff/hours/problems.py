"""Problems of what cannot be booked, as pages show them: in words, with the page that mends them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from clinic.admin.links import page_of
from scheduling.access import Caller
from scheduling.availability import Problem


@dataclass(frozen=True, slots=True)
class Line:
    """A problem; `mended_at` is the page in Administration, empty for people who may not open it."""

    text: str
    is_warning: bool
    mended_at: str = ""
    page: str = ""


def line_of(problem: Problem, caller: Caller) -> Line:
    may_mend = caller.is_administrator and caller.user is not None and caller.user.is_staff
    if not may_mend:
        return Line(problem.text, problem.is_warning)
    page = str(problem.mend) if problem.mend else _("Schedules")
    return Line(problem.text, problem.is_warning, page_of(problem.mend), page)
