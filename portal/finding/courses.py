"""The choice of a course on the page of times: how many visits are booked at once, and how far apart."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import HealthcareService
from clinic.models.services import FEWEST_VISITS
from portal.finding.forms import CLOSEST, CourseForm
from portal.finding.times import FilterOption
from scheduling.availability import Course

USUAL_WEEKS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class CourseChoice:
    """The choices of a service's course: the one that is chosen, or else None and the ones that are suggested.

    `query` is the rest of the page's query.
    """

    service: HealthcareService
    chosen: Course | None
    query: QueryDict

    @property
    def visits(self) -> int:
        service = self.service
        return self.chosen.count if self.chosen else service.course_visits or service.course_limit or FEWEST_VISITS

    @property
    def every(self) -> str:
        weeks = self.chosen.weeks if self.chosen else self.service.course_weeks
        return CLOSEST if weeks is None else str(weeks)

    @property
    def numbers(self) -> range:
        return range(FEWEST_VISITS, (self.service.course_limit or 0) + 1)

    @property
    def rhythms(self) -> list[FilterOption]:
        weeks = sorted({*USUAL_WEEKS, self.service.course_weeks, *([self.chosen.weeks or 1] if self.chosen else [])})
        return [*(FilterOption(str(each), every_weeks(each)) for each in weeks), FilterOption(CLOSEST, closest())]

    @property
    def rhythm(self) -> str:
        """The interval between the visits of the chosen course, in words."""
        weeks = self.chosen.weeks if self.chosen else None
        return closest() if weeks is None else every_weeks(weeks)

    @property
    def without(self) -> str:
        """The query of the page for one visit only."""
        query = self.query.copy()
        for name in ("visits", "every"):
            query.pop(name, None)
        return f"?{query.urlencode()}"


def course_choice(service: HealthcareService, query: QueryDict) -> CourseChoice | None:
    """Return the choice of a course; None if the service is booked one visit at a time."""
    if service.course_limit is None:
        return None
    return CourseChoice(service, CourseForm(query).course_of(service), query)


def every_weeks(weeks: int) -> str:
    return ngettext("every week", "every %(count)d weeks", weeks) % {"count": weeks}


def closest() -> str:
    return _("as close together as possible")
