"""Forms for the weekly hours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise
from typing import Any, NamedTuple

from django import forms
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import formats
from clinic.models import WEEKDAYS
from portal.common.fields import ClockField, DayField
from portal.staff.hours.forms import VersionForm
from portal.staff.hours.recurrences import choices, code_of, recurrence_of
from scheduling.core.recurrence import EVERY_WEEK
from scheduling.opening import ALL_DAY, Change, OpenSpan, Terms, Version, Week, put, remove, write

CLOSED, OPEN, WHOLE = "closed", "open", "all-day"
STATES = (
    (CLOSED, gettext_lazy("Closed")),
    (OPEN, gettext_lazy("Open")),
    (WHOLE, gettext_lazy("All day")),
)
LEAST_ROWS, MOST_ROWS = 2, 6
SERVICE, OWN = "service", "own"
NINE = time(9)


class SinceForm(forms.Form):
    """Form for the first day of a version of the hours, existing or new."""

    first = DayField(
        label=gettext_lazy("From"),
        error_messages={
            "required": gettext_lazy("Enter the day on which the new hours start."),
            "invalid": gettext_lazy("Enter a date, such as 1 May 2026."),
        },
    )


@dataclass(frozen=True)
class DayFields:
    """The fields of one weekday."""

    code: str
    name: str
    state: forms.BoundField
    spans: list["SpanFields"]

    @property
    def errors(self) -> list[str]:
        return [str(error) for span in self.spans for bound in span for error in bound.errors]


class SpanFields(NamedTuple):
    """The fields of one span of a weekday: from, to, and in which weeks."""

    opens: forms.BoundField
    closes: forms.BoundField
    weeks: forms.BoundField


class HoursForm(VersionForm):
    """Form for the weekly hours from a day on: each weekday is closed, open all day, or open in some spans."""

    since = DayField(required=False, widget=forms.HiddenInput)
    whose = forms.ChoiceField(
        label=gettext_lazy("Whose hours apply"), choices=(), required=False, widget=forms.RadioSelect
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, terms: Terms, version: Version, own: bool, today: date
    ) -> None:
        super().__init__(data, initial={"version": terms.resource.version, "since": version.first})
        self.terms = terms
        self.today = max(version.first or today, today)
        self.stored = {span.recurrence for spans in version.week for span in spans}
        if terms.schedule is None:
            del self.fields["whose"]
        else:
            field = self.fields["whose"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(SERVICE, _("Those of the service")), (OWN, _("Its own"))]
            self.initial["whose"] = OWN if own else SERVICE
        for weekday in formats.weekdays():
            self._add_day(WEEKDAYS[weekday], version.week[weekday], data)

    def _add_day(self, code: str, spans: Sequence[OpenSpan], data: Mapping[str, Any] | None) -> None:
        sent = sum(f"{code}-{row}-opens" in data for row in range(MOST_ROWS)) if data else 0
        rows = min(MOST_ROWS, max(LEAST_ROWS, sent, len(spans) + 1 if len(spans) >= LEAST_ROWS else 0))
        day = WEEKDAY_NAMES[WEEKDAYS.index(code)]
        state = WHOLE if spans == (ALL_DAY,) else OPEN if spans else CLOSED
        self.fields[f"{code}-state"] = forms.ChoiceField(label=day, choices=STATES, initial=state)
        for row in range(rows):
            written = spans[row] if state == OPEN and row < len(spans) else None
            for name in ("opens", "closes"):
                self.fields[f"{code}-{row}-{name}"] = ClockField(
                    required=False,
                    initial=getattr(written, name, None),
                    error_messages={
                        "invalid": _("%(day)s: enter a time such as %(example)s.")
                        % {"day": day, "example": formats.clock(NINE)}
                    },
                )
            self.fields[f"{code}-{row}-weeks"] = forms.ChoiceField(
                required=False,
                choices=choices(WEEKDAYS.index(code), self.stored, self.today),
                initial=code_of(written.recurrence if written else EVERY_WEEK),
            )

    @property
    def days(self) -> Iterator[DayFields]:
        for weekday in formats.weekdays():
            code, name = WEEKDAYS[weekday], WEEKDAY_NAMES[weekday]
            spans = [
                SpanFields(*(self[f"{code}-{row}-{part}"] for part in SpanFields._fields))
                for row in range(self._rows(code))
            ]
            yield DayFields(code, str(name), self[f"{code}-state"], spans)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("whose") == SERVICE == self.initial["whose"] and self._has_typed_hours():
            cleaned["whose"] = OWN  # typed hours show that the calendar is to have its own
        if cleaned.get("whose") != SERVICE:
            cleaned["week"] = tuple(self._clean_day(code) for code in WEEKDAYS)
        return cleaned

    def change(self, versions: Sequence[Version]) -> Change:
        """Return the change of hours that have these versions now."""
        if self.cleaned_data.get("whose") == SERVICE:
            return Change(parameters={"availability": None})
        week: Week = self.cleaned_data["week"]
        return Change(parameters={"availability": write(put(versions, Version(self.cleaned_data["since"], week)))})

    def _has_typed_hours(self) -> bool:
        return any(name.partition("-")[0] in WEEKDAYS for name in self.changed_data)

    def _clean_day(self, code: str) -> tuple[OpenSpan, ...]:
        state, day = self.cleaned_data.get(f"{code}-state"), WEEKDAY_NAMES[WEEKDAYS.index(code)]
        if state != OPEN:
            return (ALL_DAY,) if state == WHOLE else ()
        spans: list[tuple[OpenSpan, str]] = []
        for row in range(self._rows(code)):
            names = (f"{code}-{row}-opens", f"{code}-{row}-closes")
            opens, closes = (self.cleaned_data.get(name) for name in names)
            if opens is not None and closes is not None:
                weeks = recurrence_of(self.cleaned_data.get(f"{code}-{row}-weeks", ""))
                spans.append((OpenSpan(opens, closes, weeks), names[0]))
            elif opens is not None and names[1] not in self.errors:
                self.add_error(names[1], _("%(day)s: enter the closing time.") % {"day": day})
            elif closes is not None and names[0] not in self.errors:
                self.add_error(names[0], _("%(day)s: enter the opening time.") % {"day": day})
        if not spans and not any(name.startswith(f"{code}-") for name in self.errors):
            self.add_error(f"{code}-0-opens", _("%(day)s: enter the hours, or choose Closed.") % {"day": day})
        self._no_overlap(sorted(spans), str(day))
        return tuple(sorted({span for span, _name in spans}))

    def _no_overlap(self, spans: Sequence[tuple[OpenSpan, str]], day: str) -> None:
        """Refuse hours that overlap in the same weeks."""
        wrong: dict[str, time] = {}
        for recurrence in {span.recurrence for span, _name in spans}:
            together = [each for each in spans if each[0].recurrence in (recurrence, EVERY_WEEK)]
            for (before, _name), (after, name) in pairwise(together):
                if after.opens < before.closes or before.closes <= before.opens:
                    wrong[name] = after.opens
        for name, opens in wrong.items():
            text = _("%(day)s: these hours begin at %(time)s, before the others have ended.")
            self.add_error(name, text % {"day": day, "time": formats.clock(opens)})

    def _rows(self, code: str) -> int:
        return sum(f"{code}-{row}-opens" in self.fields for row in range(MOST_ROWS))


class RemoveVersionForm(VersionForm):
    """Form that removes one of the dated versions."""

    since = DayField(required=False, widget=forms.HiddenInput)

    def change(self, versions: Sequence[Version]) -> Change:
        return Change(parameters={"availability": write(remove(versions, self.cleaned_data["since"]))})
