"""Form fields that ask the way people answer."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.common import days
from portal.common.days import D

PARTS = {"day": (_("Day"), 2), "month": (_("Month"), 2), "year": (_("Year"), 4)}


class DatePartsWidget(forms.MultiWidget):
    """Day, month and year, typed: nobody scrolls back to the year of their birth."""

    # In the app's own templates, for that is where the form renderer looks.
    template_name = "portal/date_parts.html"
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
        return context

    def decompress(self, value: Any) -> list[int | None]:
        return [value.day, value.month, value.year] if isinstance(value, date) else [None, None, None]

    def id_for_label(self, id_: str | None) -> str:
        return f"{id_}_0"  # where an error summary's link leads


class DatePartsField(forms.MultiValueField):
    """A date in three numbers; says so if one of them is missing."""

    default_error_messages = {
        "no_date": _("There is no such date. Enter it in numbers, such as 27 3 1985."),
        "incomplete": _("Enter the day, the month and the year."),
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
    """A date of birth as far as it is known, as FHIR writes it: 1985-03-27, 1985-03 or 1985."""

    def clean(self, value: Any) -> Any:
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
    """The browser's own, which writes a date as ISO 8601 does."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """The browser's own, to the minute."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class DayField(forms.DateField):
    """A day that a calendar can show."""

    widget = DateInput

    def to_python(self, value: Any) -> date | None:
        return _shown(super().to_python(value), self.error_messages["invalid"])


class MomentField(forms.DateTimeField):
    """A time of such a day."""

    def to_python(self, value: Any) -> datetime | None:
        return _shown(super().to_python(value), self.error_messages["invalid"])


def _shown(day: D | None, refusal: Any) -> D | None:
    if day is not None and days.shown(day) is None:
        raise ValidationError(refusal, code="invalid")
    return day
