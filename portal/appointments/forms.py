"""Forms about a patient's own visit."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.phone_field import PhoneField
from portal.common.fields import DatePartsField, with_example


class BirthDateForm(forms.Form):
    """Form that asks for the birth date before a manage link shows details."""

    birth_date = DatePartsField(
        label=_("Date of birth of the patient"),
        help_text=with_example(_("For example, {example}")),
        autocomplete="bday",
        error_messages={"required": _("Enter the date of birth.")},
    )


class OwnPhoneForm(forms.Form):
    """Form that asks for the phone number of a patient whose day of birth the clinic does not have."""

    phone = PhoneField(
        label=_("Patient\u2019s phone number"),
        help_text=_("The phone number that the clinic has on record. The date of birth is not known."),
        error_messages={"required": _("Enter the phone number.")},
    )


class CancelForm(forms.Form):
    """Form that cancels a visit, with an optional reason."""

    reason = forms.CharField(
        label=_("Why are you cancelling?"),
        help_text=_("Optional. It helps us to plan."),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
    )


class SuggestionForm(forms.Form):
    """Form that accepts or refuses the time that the clinic suggests. `suggestion` is the id of the one shown."""

    suggestion = forms.CharField(max_length=64)
    answer = forms.ChoiceField(choices=[("accepted", _("Take this time")), ("declined", _("Refuse"))])


class AlternativeForm(forms.Form):
    """Form that chooses another time, asks for a call, or cancels. `hold` is the id of the chosen time."""

    hold = forms.CharField(max_length=64, required=False)
    answer = forms.ChoiceField(
        choices=[("", _("Take this time")), ("call", _("Call me")), ("cancel", _("Cancel"))], required=False
    )

    def clean(self) -> dict[str, str]:
        super().clean()
        if not (self.cleaned_data.get("hold") or self.cleaned_data.get("answer")):
            raise ValidationError(_("Choose a time."))
        return self.cleaned_data


class AgreeForm(forms.Form):
    """Form that agrees to the terms of paying what is due for a booked visit."""

    agree = forms.BooleanField(
        label=_("I agree to this."),
        error_messages={"required": _("Tick the box if you agree. Otherwise you can pay at the clinic.")},
    )
