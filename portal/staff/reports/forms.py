"""The form with which staff choose the days of a report and how it is divided."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.common.fields import DayField
from scheduling.reports import WEEK, Kind, Period

LONGEST = timedelta(days=3 * 366)
DIVISIONS = {
    WEEK: _("Week"),
    "service": _("Service"),
    "site": _("Site"),
    "person": _("Person"),
    "room": _("Room"),
    "medium": _("Way"),
    "event": _("Kind of message"),
}


class ReportForm(forms.Form):
    """Form for the first and the last day of a report, and its lines; without data the last four weeks by week."""

    first = DayField(label=_("From"), error_messages={"required": _("Enter the first day.")})
    last = DayField(label=_("To"), error_messages={"required": _("Enter the last day.")})
    by = forms.ChoiceField(label=_("Group by"), error_messages={"required": _("Choose how to group the figures.")})

    def __init__(self, data: Mapping[str, Any] | None, *, kind: Kind, today: date) -> None:
        usual = four_weeks(today)
        values = data or {"first": usual.first.isoformat(), "last": usual.last.isoformat(), "by": WEEK}
        super().__init__(values)
        field = self.fields["by"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(division, DIVISIONS[division]) for division in kind.divisions]

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", ValidationError(_("Enter a last day that is not before the first one.")))
        elif first and last and last - first > LONGEST:
            self.add_error("last", ValidationError(_("A report can cover three years at most.")))
        return self.cleaned_data

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["first"], self.cleaned_data["last"])


def four_weeks(today: date) -> Period:
    """Return the last four weeks that are over."""
    monday = today - timedelta(days=today.weekday())
    return Period(monday - timedelta(weeks=4), monday - timedelta(days=1))


def usual_periods(today: date) -> list[tuple[Any, Period]]:
    """Return the periods that people ask for, with their names."""
    month = today.replace(day=1)
    last_month = month - timedelta(days=1)
    year = today.replace(month=1, day=1)
    return [
        (_("Last 4 weeks"), four_weeks(today)),
        (_("Last month"), Period(last_month.replace(day=1), last_month)),
        (_("Month so far"), Period(month, today)),
        (_("This year"), Period(year, today)),
        (_("Last 12 months"), Period(_a_year_before(today), today - timedelta(days=1))),
    ]


def _a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
