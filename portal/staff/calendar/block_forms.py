"""Forms for blocks, which are times without visits."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic import formats
from clinic.models import Schedule
from portal.common.fields import ClockField, DayField
from portal.staff.calendar.forms import calendar_field
from portal.staff.calendar.local_times import DAY
from scheduling.core.hours import instant, whole_days
from scheduling.core.intervals import Span

LONGEST = timedelta(days=366)  # longest period of a repeated block
WEEKDAYS = (
    ("0", _("Monday")),
    ("1", _("Tuesday")),
    ("2", _("Wednesday")),
    ("3", _("Thursday")),
    ("4", _("Friday")),
    ("5", _("Saturday")),
    ("6", _("Sunday")),
)


def _weekdays() -> list[tuple[str, Any]]:
    """Return the weekdays in the country's order."""
    return [WEEKDAYS[weekday] for weekday in formats.weekdays()]


class BlockForm(forms.Form):
    """Form for a block: between two times or for whole days, once or every week until a day."""

    REASONS = [
        ("leave", _("Leave")),
        ("lunch", _("Lunch")),
        ("meeting", _("Meeting")),
        ("other", _("Something else")),
    ]

    calendar = forms.ChoiceField()
    reason = forms.ChoiceField(label=_("What for?"), choices=REASONS, widget=forms.RadioSelect, initial="leave")
    note = forms.CharField(label=_("Note"), required=False, max_length=200)
    first = DayField(label=_("First day"), error_messages={"required": _("Enter the first day.")})
    last = DayField(label=_("Last day"), help_text=_("Leave empty for the same day."), required=False)
    all_day = forms.BooleanField(label=_("All day"), required=False)
    start = ClockField(label=_("From"), required=False)
    end = ClockField(label=_("To"), required=False)
    weekdays = forms.MultipleChoiceField(
        label=_("Repeat every week on"), choices=_weekdays, required=False, widget=forms.CheckboxSelectMultiple
    )
    until = DayField(label=_("Until"), required=False)
    around = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, schedules: Sequence[Schedule], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"] = calendar_field(schedules)

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        first, last, until = given.get("first"), given.get("last"), given.get("until")
        if not given.get("all_day"):
            for name in ("start", "end"):
                if given.get(name) is None and name not in self.errors:
                    self.add_error(name, _("Enter a time, or choose all day."))
        if first and last and last < first:
            self.add_error("last", _("The last day must be the first day or later."))
        if given.get("weekdays"):
            self._clean_repeat(first, last, until)
        if given.get("reason") == "other" and not given.get("note"):
            self.add_error("note", _("Say in a few words what it is for."))
        timed = not self.errors and not given["all_day"]
        if timed and (last or first) == first and given["end"] <= given["start"]:
            self.add_error(
                "end", _("The end must be after the start. For an overnight block, enter the next day as the last day.")
            )
        return given

    def _clean_repeat(self, first: date | None, last: date | None, until: date | None) -> None:
        if until is None:
            if "until" not in self.errors:
                self.add_error("until", _("Enter the last day of the repeat."))
        elif first and not first <= until <= first + LONGEST:
            self.add_error("until", _("Choose a day after the first one, and at most a year later."))
        if first and last and last > first:
            self.add_error("last", _("A weekly block can last at most one day. Leave the last day empty."))

    @property
    def comment(self) -> str:
        """The text of the block in the calendar."""
        word = str(dict(self.REASONS)[self.cleaned_data["reason"]])
        note: str = self.cleaned_data["note"]
        if self.cleaned_data["reason"] == "other":
            return note
        return f"{word}: {note}" if note else word

    def occasions(self, zone: ZoneInfo) -> list[Span]:
        """Return the blocked spans in order, with local times in `zone`."""
        first: date = self.cleaned_data["first"]
        last: date = self.cleaned_data["last"] or first
        if not self.cleaned_data["weekdays"]:
            return [self._span(first, last, zone)]
        weekdays = {int(weekday) for weekday in self.cleaned_data["weekdays"]}
        days = (first + n * DAY for n in range((self.cleaned_data["until"] - first).days + 1))
        spans = [self._span(day, day, zone) for day in days if day.weekday() in weekdays]
        return [(start, end) for start, end in spans if start < end]  # a clock change may skip a whole span

    def _span(self, first: date, last: date, zone: ZoneInfo) -> Span:
        if self.cleaned_data["all_day"]:
            return whole_days(first, last, zone)
        start: time = self.cleaned_data["start"]
        end: time = self.cleaned_data["end"]
        return instant(first, start, zone), instant(last, end, zone)


class ExtentForm(forms.Form):
    """Form that asks which occasions of a repeated block to remove."""

    extent = forms.ChoiceField(
        label=_("What to remove"),
        choices=[("one", _("This one")), ("following", _("This and those after it")), ("all", _("All of them"))],
        widget=forms.RadioSelect,
        initial="one",
    )
