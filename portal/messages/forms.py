"""Form for a patient's message preferences."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic.phone_field import PhoneField
from portal.common import languages


class PreferencesForm(forms.Form):
    """Form for the channels, the phone number and the language of messages. Texts only if the clinic sends them."""

    by_email = forms.BooleanField(label=_("By email"), required=False)
    by_sms = forms.BooleanField(label=_("By text message"), required=False)
    phone = PhoneField(
        label=_("Mobile number"), help_text=_("For example, +1 212 555 0123"), required=False, max_length=50
    )
    reminders = forms.BooleanField(
        label=_("Remind me before my visits"),
        help_text=_("We always tell you when a visit is booked, changed or cancelled."),
        required=False,
    )
    language = forms.ChoiceField(label=_("Language for messages"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = languages.names()
        if not settings.SMS_ENABLED:
            del self.fields["by_sms"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("by_sms") and not cleaned.get("phone") and "phone" not in self.errors:
            self.add_error("phone", _("Enter the number that texts are sent to, or choose no text messages."))
        return cleaned
