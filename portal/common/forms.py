"""What is asked of people on more pages than one."""

from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.fhir.validation import UNSTORABLE
from clinic.models import Patient, User
from portal.common.fields import DatePartsField

OLDEST = 130  # years


class PatientDetailsForm(forms.Form):
    """What a patient's record needs at the least."""

    given = forms.CharField(
        label=_("Given names"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "given-name"}),
        error_messages={"required": _("Enter your given names.")},
    )
    family = forms.CharField(
        label=_("Family name"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "family-name"}),
        error_messages={"required": _("Enter your family name.")},
    )
    birth_date = DatePartsField(
        label=_("Date of birth"),
        help_text=_("For example, 27 3 1985"),
        autocomplete="bday",
        error_messages={"required": _("Enter your date of birth.")},
    )

    def clean_given(self) -> str:
        return _on_one_line(self.cleaned_data["given"])

    def clean_family(self) -> str:
        return _on_one_line(self.cleaned_data["family"])

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        today = datetime.now(UTC).date()
        if born > today:
            raise ValidationError(_("A date of birth is in the past."))
        if born.year < today.year - OLDEST:
            raise ValidationError(_("Check the year of birth."))
        return born

    def make_record(self, user: User, *, now: datetime) -> Patient:
        """The patient's record of this user, who has none yet; asked twice, the first stays."""
        patient, _created = Patient.objects.get_or_create(
            user=user,
            defaults={
                "given": self.cleaned_data["given"],
                "family": self.cleaned_data["family"],
                "birth_date": self.cleaned_data["birth_date"],
                "email": user.email,
                "last_updated": now,
            },
        )
        return patient


def _on_one_line(name: str) -> str:
    return UNSTORABLE.sub("", " ".join(name.split()))


class AskedForm(forms.Form):
    """A form that refuses nothing: what cannot be read is as if it were not there."""

    def asked(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)
