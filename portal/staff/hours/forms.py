"""Base form and field of the forms for hours and settings."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models.schedule import DAY_MINUTES


class VersionForm(forms.Form):
    """Form for a resource that was read at `version`."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class LengthWidget(forms.MultiWidget):
    """Widget for a number and its unit."""

    template_name = "portal/staff/hours/length.html"
    use_fieldset = True

    def __init__(self) -> None:
        super().__init__(
            {
                "count": forms.NumberInput({"min": 0, "inputmode": "numeric"}),
                "unit": forms.Select(choices=UNITS),
            }
        )

    def decompress(self, value: Any) -> list[Any]:
        if not isinstance(value, timedelta):
            return [None, "60"]
        count = int(value.total_seconds() // 60)
        unit = next((unit for unit in (DAY_MINUTES, 60) if count and count % unit == 0), 1)
        return [count // unit, str(unit)]

    def id_for_label(self, id_: str | None) -> str:
        return f"{id_}_0"


UNITS = (
    ("1", gettext_lazy("minutes")),
    ("60", gettext_lazy("hours")),
    (str(DAY_MINUTES), gettext_lazy("days")),
)


class LengthField(forms.MultiValueField):
    """Field for a length of time in whole minutes, hours or days, up to a year; None if it is empty."""

    def __init__(self, **kwargs: Any) -> None:
        count = forms.IntegerField(
            validators=[
                MinValueValidator(0, gettext_lazy("Enter 0 or more.")),
                MaxValueValidator(525_600, gettext_lazy("Enter at most 365 days.")),
            ],
            error_messages={"invalid": gettext_lazy("Enter a whole number.")},
        )
        super().__init__(
            fields=(count, forms.ChoiceField(choices=UNITS)), widget=LengthWidget(), require_all_fields=False, **kwargs
        )
        self.fields[1].required = False

    def clean(self, value: Any) -> Any:
        count = str((value or [""])[0] or "").strip()
        return super().clean(value if count else None)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True

    def compress(self, data_list: Any) -> timedelta | None:
        if not data_list or data_list[0] is None:
            return None
        length = timedelta(minutes=data_list[0] * int(data_list[1] or 1))
        if length > timedelta(days=365):
            raise ValidationError(_("Enter at most 365 days."))
        return length
