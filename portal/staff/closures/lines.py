"""Closures and public holidays in words."""

from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic import formats, time_text
from clinic.models import Closure
from clinic.translations import actor_name
from scheduling.opening import Holiday


@dataclass(frozen=True, slots=True)
class ClosureLine:
    """A closure, in the words of the list."""

    closure: Closure

    @property
    def whose(self) -> str:
        return actor_name(self.closure.actor) if self.closure.actor else _("The whole clinic")

    @property
    def when(self) -> str:
        closure = self.closure
        if closure.starts is None and closure.ends is None:
            if closure.first == closure.last:
                return time_text.full_day(closure.first)
            return formats.between(time_text.full_day(closure.first), time_text.full_day(closure.last))
        if closure.first == closure.last:
            return formats.day_and_clock(time_text.full_day(closure.first), formats.clocks(closure.start, closure.end))
        return formats.between(
            *(
                formats.day_and_clock(time_text.full_day(moment), formats.clock(moment))
                for moment in (closure.start, closure.end)
            )
        )

    @property
    def notes(self) -> list[str]:
        """The reason, and further remarks."""
        closure = self.closure
        remarks = [closure.name] if closure.name else []
        remarks += [_("every year")] if closure.yearly else []
        remarks += (
            [_("patients read the reason")] if closure.is_public and closure.reason and not closure.holiday else []
        )
        remarks += [_("added by itself for the new year")] if closure.by_rule else []
        return remarks


@dataclass(frozen=True, slots=True)
class HolidayLine:
    """A public holiday of a year, in the words of the list to choose from."""

    year: int
    holiday: Holiday
    is_closed: bool = False

    @property
    def value(self) -> str:
        """The value of its checkbox."""
        return f"{self.year} {self.holiday.key}"

    @property
    def words(self) -> str:
        """Its days with their names in the reader's language, or in that of the country."""
        return formats.listed(
            f"{names.get(get_language() or '', names[''])} ({time_text.full_day(day)})"
            for day, names in self.holiday.days.items()
        )
