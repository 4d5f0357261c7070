"""Form fields and widgets for dates and times of day."""

from datetime import date, datetime, time
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import lazystr
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from clinic import formats
from portal.common import days
from portal.common.days import D

PARTS = {"day": (_("Day"), 2), "month": (_("Month"), 2), "year": (_("Year"), 4)}


class DatePart(NamedTuple):
    """One of the three numbers of a date: its name, its label, and its greatest number of digits."""

    name: str
    label: Any
    digits: int


def date_parts() -> list[DatePart]:
    """Return the parts of a date in the order of the clinic's country."""
    return [DatePart(name, *PARTS[name]) for name in formats.date_order()]


class _InNumbers:
    """A day that formats itself in numbers when it is displayed: lazy, since the format depends on the country."""

    def __init__(self, day: date) -> None:
        self.day = day

    def __str__(self) -> str:
        return formats.in_numbers(self.day)


def with_example(text: Any, day: date = date(1985, 3, 27)) -> Any:
    """Return the text with {example} replaced by a day in numbers, lazily."""
    return format_lazy(text, example=lazystr(_InNumbers(day)))


class DatePartsWidget(forms.MultiWidget):
    """Three inputs for day, month and year, in the order of the clinic's country.

    Typing is quicker than scrolling a date picker back to a year of birth.
    """

    # In the app's own templates, because the form renderer looks only there.
    template_name = "portal/common/date_parts.html"
    use_fieldset = True

    def __init__(self, autocomplete: str = "") -> None:
        widgets: dict[str, forms.Widget | type[forms.Widget]] = {}
        for name, (_label, size) in PARTS.items():
            attributes = {"inputmode": "numeric", "maxlength": size, "size": size}
            if autocomplete:
                attributes["autocomplete"] = f"{autocomplete}-{name}"
            widgets[name] = forms.TextInput(attributes)
        super().__init__(widgets)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for part, (label, _size) in zip(context["widget"]["subwidgets"], PARTS.values(), strict=True):
            part["label"] = label
        by_name = dict(zip(PARTS, context["widget"]["subwidgets"], strict=True))
        context["widget"]["subwidgets"] = [by_name[part] for part in formats.date_order()]
        return context

    def decompress(self, value: Any) -> list[int | None]:
        """The day, month and year of a date, or of as much of one as FHIR writes."""
        if not value:
            return [None, None, None]
        year, month, day = [*(int(part) for part in str(value).split("-")), None, None][:3]
        return [day, month, year]

    def id_for_label(self, id_: str | None) -> str:
        return f"{id_}_{list(PARTS).index(formats.date_order()[0])}"  # target of the link in the error summary


class DatePartsField(forms.MultiValueField):
    """Field for a date in three numbers."""

    default_error_messages = {
        "no_date": with_example(_("There is no such date. Enter it in numbers, such as {example}.")),
        "incomplete": _("Enter all three numbers of the date."),
    }

    def __init__(self, *, autocomplete: str = "", **kwargs: Any) -> None:
        no_number = {"invalid": self.default_error_messages["no_date"]}
        parts = tuple(forms.IntegerField(error_messages=no_number) for _part in PARTS)
        super().__init__(fields=parts, widget=DatePartsWidget(autocomplete), require_all_fields=True, **kwargs)

    def clean(self, value: Any) -> Any:
        filled = [bool(str(part or "").strip()) for part in value or []]
        if any(filled) and not all(filled):
            raise ValidationError(self.error_messages["incomplete"], code="incomplete")
        return super().clean(value)

    def compress(self, data_list: Any) -> date | None:
        if not data_list:
            return None
        day, month, year = data_list
        try:
            return date(year, month, day)
        except (ValueError, OverflowError):
            raise ValidationError(self.error_messages["no_date"], code="no_date") from None


class BornField(DatePartsField):
    """Field for a date of birth that may be partial, in FHIR's format: 1985-03-27, 1985-03 or 1985."""

    def clean(self, value: Any) -> Any:
        if self.disabled:  # the initial value, which the form does not change
            return value
        day, month, year = (str(part or "").strip() for part in value or ("", "", ""))
        if not (day or month or year):
            return super().clean(value)
        if day or not year:
            full = super().clean(value)
            return full and full.isoformat()
        return self._partial(month, year)

    def _partial(self, month: str, year: str) -> str:
        try:
            first = date(int(year), int(month or 1), 1)
        except (ValueError, OverflowError):
            raise ValidationError(self.error_messages["no_date"], code="no_date") from None
        return f"{first:%Y-%m}" if month else f"{first:%Y}"


class DateInput(forms.DateInput):
    """The browser's date input, whose value is in ISO 8601."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """The browser's time input, to the minute."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class ClockField(forms.TimeField):
    """Field for a time of day. In browsers without a time input it accepts 14:30 and 2:30 pm."""

    widget = TimeInput

    def to_python(self, value: Any) -> time | None:
        if value in self.empty_values or isinstance(value, time):
            return value or None
        clock = formats.read_clock(str(value))
        if clock is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return clock


class DayField(forms.DateField):
    """Field for a day whose year is one of days.YEARS."""

    widget = DateInput

    def to_python(self, value: Any) -> date | None:
        return _within_years(super().to_python(value), self.error_messages["invalid"])


class MomentField(forms.DateTimeField):
    """Field for a date and time whose year is one of days.YEARS."""

    def to_python(self, value: Any) -> datetime | None:
        return _within_years(super().to_python(value), self.error_messages["invalid"])


def _within_years(day: D | None, error: Any) -> D | None:
    if day is not None and days.within_years(day) is None:
        raise ValidationError(error, code="invalid")
    return day


class NumberField(forms.IntegerField):
    """Field for a whole number within limits. Its error names the field and the limits, also in the summary."""

    def __init__(self, *, label: Any, min_value: int, max_value: int, **kwargs: Any) -> None:
        text = format_lazy(
            _("{label}: enter a whole number from {least} to {most}."), label=label, least=min_value, most=max_value
        )
        messages = dict.fromkeys(("required", "invalid", "min_value", "max_value"), text)
        messages |= kwargs.pop("error_messages", {})
        super().__init__(label=label, min_value=min_value, max_value=max_value, error_messages=messages, **kwargs)
