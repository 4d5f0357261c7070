"""Effect of a change of hours, by week and by day."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from clinic import time_text
from scheduling.opening import Preview


@dataclass(frozen=True, slots=True)
class TimesChange:
    """The number of bookable times in a period, before and after a change."""

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


def total(preview: Preview) -> TimesChange:
    return TimesChange("", sum(week.before for week in by_week(preview)), sum(week.after for week in by_week(preview)))


def by_week(preview: Preview) -> list[TimesChange]:
    """Return the numbers of each week of a preview."""
    return [TimesChange(time_text.days(first, last), *counts) for first, last, *counts in preview.weeks]


def by_day(preview: Preview) -> list[TimesChange]:
    """Return the numbers of the days that gain or lose times."""
    return [TimesChange(time_text.short_day(day), before, after) for day, before, after in preview.changed]
