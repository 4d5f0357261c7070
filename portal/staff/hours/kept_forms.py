"""Forms for time that a calendar keeps for a service."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.translation import gettext_lazy as _

from clinic import formats
from clinic.fhir.datatypes import Json
from clinic.models import WEEKDAYS
from portal.common.fields import ClockField
from portal.staff.hours.forms import LengthField, VersionForm
from portal.staff.hours.recurrences import choices, recurrence_of
from scheduling.opening import Change, OpenSpan, Terms, kept_entry


class KeptTimeForm(VersionForm):
    """Form for weekly hours that are kept for a service, and when what is left of them is opened to all."""

    days = forms.MultipleChoiceField(
        label=_("Days"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Choose the days.")}
    )
    opens = ClockField(label=_("From"), error_messages={"required": _("Enter when the kept time begins.")})
    closes = ClockField(label=_("To"), error_messages={"required": _("Enter when the kept time ends.")})
    weeks = forms.ChoiceField(label=_("In which weeks"), required=False)
    released = LengthField(
        label=_("Opened to all visits, so long before it begins"),
        help_text=_("Leave empty to keep it to the end. Days are counted on the calendar: at the same time of day."),
        required=False,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms, today: date) -> None:
        super().__init__(data, initial={"version": terms.resource.version, "released": timedelta(days=1)})
        days, weeks = self.fields["days"], self.fields["weeks"]
        assert isinstance(days, forms.MultipleChoiceField)
        assert isinstance(weeks, forms.ChoiceField)
        days.choices = [(WEEKDAYS[day], WEEKDAY_NAMES[day]) for day in formats.weekdays()]
        weeks.choices = choices(0, (), today)

    @property
    def entry(self) -> Json:
        """The kept time as it is stored."""
        cleaned = self.cleaned_data
        span = OpenSpan(cleaned["opens"], cleaned["closes"], recurrence_of(cleaned["weeks"]))
        return kept_entry(cleaned["days"], span, cleaned["released"])

    def change(self, kept: Sequence[Json]) -> Change:
        return Change(parameters={"kept": [*kept, *([] if self.entry in kept else [self.entry])]})


class RemoveKeptTimeForm(VersionForm):
    """Form that removes kept time, given as its stored element."""

    entry = forms.JSONField(widget=forms.HiddenInput)

    def change(self, kept: Sequence[Json]) -> Change:
        return Change(parameters={"kept": [each for each in kept if each != self.cleaned_data["entry"]]})
