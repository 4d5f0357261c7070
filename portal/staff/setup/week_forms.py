"""Forms for one week of hours: the days, when they begin and end, and a break."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.translation import gettext_lazy as _

from clinic import formats
from clinic.models import WEEKDAYS
from portal.common.fields import ClockField
from portal.staff.hours.forms import VersionForm
from scheduling.opening import CLOSED, OpenSpan, Week
from scheduling.setup import CLINIC_KINDS, TEMPLATES, ServiceTemplate, templates_of

WORKING_DAYS = WEEKDAYS[:5]
NINE, FIVE = time(9), time(17)


class WeekForm(forms.Form):
    """Form for the same hours on some days of the week, with a break if there is one."""

    days = forms.MultipleChoiceField(
        label=_("Days"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Choose the days.")}
    )
    opens = ClockField(label=_("From"), error_messages={"required": _("Enter when the day begins, such as 09:00.")})
    closes = ClockField(label=_("Until"), error_messages={"required": _("Enter when the day ends, such as 17:00.")})
    break_begins = ClockField(label=_("Break from"), required=False)
    break_ends = ClockField(label=_("Break until"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None) -> None:
        usual = {"days": WORKING_DAYS, "opens": NINE, "closes": FIVE}
        super().__init__(data, initial={**usual, **(initial or {})})
        field = self.fields["days"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(WEEKDAYS[day], WEEKDAY_NAMES[day]) for day in formats.weekdays()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        opens, begins, ends, closes = (cleaned.get(name) for name in ("opens", "break_begins", "break_ends", "closes"))
        if opens and closes and opens >= closes:
            self.add_error("closes", _("The end is before the beginning. Enter a later time."))
        elif bool(begins) != bool(ends):
            self.add_error("break_ends" if begins else "break_begins", _("Enter when the break begins and ends."))
        elif begins and ends and opens and closes and not opens < begins < ends < closes:
            self.add_error("break_begins", _("The break must lie inside the hours."))
        return cleaned

    @property
    def week(self) -> Week:
        """The entered week."""
        opens, begins, ends, closes = (
            self.cleaned_data[name] for name in ("opens", "break_begins", "break_ends", "closes")
        )
        spans = (OpenSpan(opens, begins), OpenSpan(ends, closes)) if begins else (OpenSpan(opens, closes),)
        return tuple(spans if day in self.cleaned_data["days"] else () for day in WEEKDAYS)


class TemplatesForm(WeekForm):
    """Form that adds visits from the templates of a kind of clinic, and says when they are given."""

    field_order = ("kind", "templates")

    kind = forms.ChoiceField(choices=CLINIC_KINDS, widget=forms.HiddenInput)
    templates = forms.MultipleChoiceField(
        label=_("Visits to add"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one visit.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, kind: str) -> None:
        offered = TEMPLATES[kind]
        super().__init__(data, initial={"kind": kind, "templates": [template.code for template in offered]})
        field = self.fields["templates"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [
            (template.code, _("%(name)s, %(minutes)d minutes") % {"name": template.name, "minutes": template.minutes})
            for template in offered
        ]

    @property
    def chosen(self) -> list[ServiceTemplate]:
        return templates_of(self.cleaned_data["kind"], self.cleaned_data["templates"])


class CalendarWeekForm(WeekForm, VersionForm):
    """Form for the hours of a calendar: those of each visit, or one week for all its visits."""

    SERVICES, OWN = "services", "own"

    field_order = ("whose",)

    whose = forms.ChoiceField(
        label=_("Hours"),
        choices=((SERVICES, _("Those of each visit")), (OWN, _("The same for all visits, as below"))),
        widget=forms.RadioSelect,
    )

    @property
    def own_week(self) -> Week | None:
        """The entered week; None for the hours of each visit."""
        return self.week if self.cleaned_data["whose"] == self.OWN else None


def initial_of(week: Week) -> dict[str, Any]:
    """Return the initial values for a week, as far as the form can hold it: the days, and the hours of the first."""
    days = [day for day, spans in zip(WEEKDAYS, week, strict=True) if spans]
    spans = next(filter(None, week), ()) if week != CLOSED else ()
    if not spans or len(spans) > 2:
        return {}
    values = {"days": days, "opens": spans[0].opens, "closes": spans[-1].closes}
    return values if len(spans) == 1 else {**values, "break_begins": spans[0].closes, "break_ends": spans[1].opens}
