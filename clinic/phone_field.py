"""The form field for a telephone number, on all pages and in the administration."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic import phones


class PhoneField(forms.CharField):
    """A field that accepts a telephone number in any format. Its value is the stored form: see clinic.phones."""

    widget = forms.TextInput({"type": "tel", "autocomplete": "tel"})
    default_error_messages = {
        "short": _("This phone number is too short. Enter one such as %(example)s."),
        "long": _("This phone number is too long. Enter one such as %(example)s."),
        "invalid": _("This is not a phone number. Enter one such as %(example)s."),
    }

    known = ""

    def __init__(self, *, max_length: int = 50, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return phones.display(value) if value else value

    def to_python(self, value: Any) -> str:
        return phones.clean(super().to_python(value) or "")

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        self.known = form.get_initial_for_field(self, field_name) or ""
        return super().get_bound_field(form, field_name)

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        if self.known and typed == phones.clean(phones.display(self.known)):
            return self.known  # unchanged, even if software sent it in a form that cannot be typed
        try:
            return phones.read(typed) if typed else ""
        except phones.NotANumber as error:
            raise ValidationError(
                self.error_messages[error.reason], code=error.reason, params={"example": phones.example()}
            ) from None
