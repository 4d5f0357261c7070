"""What a change would do, week by week and day by day."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from clinic import time_text
from scheduling.opening import Preview


@dataclass(frozen=True, slots=True)
class Times:
    """How many times can be booked in a stretch of days, before a change and after it."""

    label: str
    before: int
    after: int

    @property
    def difference(self) -> str:
        more = self.after - self.before
        if more == 0:
            return _("the same")
        pattern = _("%(count)d more") if more > 0 else _("%(count)d fewer")
        return pattern % {"count": abs(more)}

    @property
    def tone(self) -> str:
        return "more" if self.after > self.before else "fewer" if self.after < self.before else "same"


def total(preview: Preview) -> Times:
    return Times("", sum(week.before for week in by_week(preview)), sum(week.after for week in by_week(preview)))


def by_week(preview: Preview) -> list[Times]:
    """Each seven days of a preview."""
    return [Times(time_text.days(first, last), *counts) for first, last, *counts in preview.weeks]


def by_day(preview: Preview) -> list[Times]:
    """The days that gain or lose times."""
    return [Times(time_text.short_day(day), before, after) for day, before, after in preview.changed]
