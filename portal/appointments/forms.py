"""What is asked of people about a visit of theirs."""

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.phone_field import PhoneField
from portal.common.fields import DatePartsField, with_example


class BirthDateForm(forms.Form):
    """By which a patient is known who comes by a secret link."""

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
    """Why a visit is cancelled, if one wants to say so."""

    reason = forms.CharField(
        label=_("Why are you cancelling?"),
        help_text=_("Optional. It helps us to plan."),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
    )
