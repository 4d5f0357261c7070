"""Form by which patients find their visit at the front desk."""

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.common.fields import DatePartsField, with_example


class FindVisitForm(forms.Form):
    """Form that asks for two things that only the patient and those close to them know together."""

    birth_date = DatePartsField(
        label=_("Date of birth of the patient"),
        help_text=with_example(_("For example, {example}")),
        autocomplete="bday",
        error_messages={"required": _("Enter the date of birth.")},
    )
    known = forms.CharField(
        label=_("Phone number, email address or reference"),
        help_text=_("One that the clinic has on record. The reference is in your confirmation."),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
        error_messages={"required": _("Enter a phone number, an email address or the reference.")},
    )
