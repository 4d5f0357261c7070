"""Forms for closures and extra time: days that differ from the weekly hours."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.common.fields import ClockField, DayField
from portal.staff.hours.forms import VersionForm
from scheduling.core.hours import Window
from scheduling.opening import Change, Terms, extra_hours


class ClosureForm(VersionForm):
    """Form for a closure and its reason."""

    first = DayField(
        label=gettext_lazy("From"),
        error_messages={"required": gettext_lazy("Enter the first day of the closure.")},
    )
    first_time = ClockField(
        label=gettext_lazy("From, time"),
        help_text=gettext_lazy("Leave empty for the whole day"),
        required=False,
    )
    last = DayField(
        label=gettext_lazy("To"),
        help_text=gettext_lazy("Leave empty for the same day"),
        required=False,
    )
    last_time = ClockField(
        label=gettext_lazy("To, time"),
        help_text=gettext_lazy("Leave empty for the end of the day"),
        required=False,
    )
    description = forms.CharField(
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("Optional. Staff see it, patients do not. For example, Training."),
        required=False,
        max_length=200,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms) -> None:
        super().__init__(data, initial={"version": terms.resource.version})
        self.zone = terms.zone
        if self.zone is None:  # without a zone only whole days are clear
            del self.fields["first_time"], self.fields["last_time"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last") or cleaned.get("first")
        if first and last:
            from_time, to_time = cleaned.get("first_time"), cleaned.get("last_time")
            if (first, from_time or time.min) >= (last, to_time or time.max):
                self.add_error("last", _("The closure must end after it starts. Enter a later day or time."))
            cleaned["during"] = {"start": self._written(first, from_time), "end": self._written(last, to_time)}
        return cleaned

    def change(self, closures: Sequence[dict[str, Any]]) -> Change:
        description = {"description": text} if (text := self.cleaned_data["description"]) else {}
        entry = {**description, "during": self.cleaned_data["during"]}
        return Change(parameters={"not_available": [*closures, entry]})

    def _written(self, day: date, at: time | None) -> str:
        if at is None or self.zone is None:
            return day.isoformat()
        return datetime.combine(day, at, self.zone).isoformat()


class RemoveClosureForm(VersionForm):
    """Form that removes a closure, given as its stored element."""

    entry = forms.JSONField(widget=forms.HiddenInput)

    def change(self, closures: Sequence[dict[str, Any]]) -> Change:
        return Change(parameters={"not_available": [each for each in closures if each != self.cleaned_data["entry"]]})


class ExtraForm(forms.Form):
    """Form for extra time on one day, outside of the weekly hours."""

    day = DayField(
        label=gettext_lazy("Day"),
        error_messages={"required": gettext_lazy("Enter the day of the extra time.")},
    )
    opens = ClockField(
        label=gettext_lazy("From"),
        error_messages={"required": gettext_lazy("Enter when the extra time begins.")},
    )
    closes = ClockField(
        label=gettext_lazy("To"),
        help_text=gettext_lazy("An end at or before the start means the next day."),
        error_messages={"required": gettext_lazy("Enter when the extra time ends.")},
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), help_text=gettext_lazy("Optional."), required=False, max_length=200
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, today: date) -> None:
        super().__init__(data)
        self.today = today

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if day < self.today:
            raise ValidationError(_("This day has passed. Enter today or a later day."))
        return day

    @property
    def window(self) -> Window:
        return extra_hours(*(self.cleaned_data[name] for name in ("day", "opens", "closes")))
