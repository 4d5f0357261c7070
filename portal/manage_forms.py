"""What is asked of someone who comes by a secret link."""

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.fields import DatePartsField


class BirthDateForm(forms.Form):
    """By which a patient is known."""

    birth_date = DatePartsField(
        label=_("Date of birth of the patient"),
        help_text=_("For example, 27 3 1985"),
        autocomplete="bday",
        error_messages={"required": _("Enter the date of birth.")},
    )
