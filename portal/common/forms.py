"""Forms that several groups of pages use."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.fhir.validation import UNSTORABLE
from clinic.models import Patient, User
from clinic.models.people import birth_columns
from portal.common.fields import BornField, with_example

OLDEST = 130  # years
GOOD_PASSWORD = _("At least 10 characters. Avoid common passwords and ones that resemble your name or email address.")


class PatientDetailsForm(forms.Form):
    """Form for a patient's names and birth date, with boxes for a single name and for an unknown date."""

    given = forms.CharField(
        label=_("Given names"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "given-name"}),
        error_messages={"required": _("Enter your given names.")},
    )
    family = forms.CharField(
        label=_("Family name"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "family-name"}),
        error_messages={"required": _("Enter your family name.")},
    )
    one_name = forms.BooleanField(label=_("I have only one name"), required=False)
    birth_date = BornField(
        label=_("Date of birth"),
        help_text=with_example(_("For example, {example}")),
        autocomplete="bday",
        required=False,
        error_messages={"required": _("Enter your date of birth.")},
    )
    birth_unknown = forms.BooleanField(
        label=_("I don\u2019t know the exact date"),
        help_text=_("Enter as much of it above as you know, such as only the year, or leave it empty."),
        required=False,
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if "birth_date" in self.initial:
            one_name = not (self.initial["given"] and self.initial["family"])
            known = {"one_name": one_name, "birth_unknown": not _is_whole(self.initial["birth_date"])}
            self.initial = {**known, **self.initial}

    def clean_given(self) -> str:
        return self._name("given", "family")

    def clean_family(self) -> str:
        return self._name("family", "given")

    def clean_birth_date(self) -> str:
        born: str = self.cleaned_data["birth_date"] or ""
        if not self._is_ticked("birth_unknown") and not _is_whole(born):
            error = _("Enter the whole date of birth, or tick that it is not known exactly.")
            raise ValidationError(error if born else self.fields["birth_date"].error_messages["required"])
        today = datetime.now(UTC).date().isoformat()
        if born > today[: len(born)]:
            raise ValidationError(_("The date of birth must be in the past."))
        if born and int(born[:4]) < int(today[:4]) - OLDEST:
            raise ValidationError(_("Check the year of birth."))
        return born

    @property
    def person(self) -> dict[str, Any]:
        """The columns of the patient's record."""
        names = {name: self.cleaned_data[name] for name in ("given", "family")}
        return names | birth_columns(self.cleaned_data["birth_date"])

    def _name(self, name: str, other: str) -> str:
        """Return one of the two names. It may be empty if the box for a single name is ticked."""
        text = _on_one_line(self.cleaned_data[name])
        is_enough = self._is_ticked("one_name") and (name == "family" or _on_one_line(self[other].data or ""))
        if not (text or is_enough):
            raise ValidationError(self.fields[name].error_messages["required"])
        return text

    def _is_ticked(self, name: str) -> bool:
        """True if a box is ticked, or is not part of the form."""
        return name not in self.fields or bool(self[name].data)

    def make_record(self, user: User, *, now: datetime) -> Patient:
        """Create the patient record of this user. If there is one already, return it unchanged."""
        patient, _created = Patient.objects.get_or_create(
            user=user,
            defaults={
                **self.person,
                "email": user.email,
                "last_updated": now,
            },
        )
        return patient


def _is_whole(born: str) -> bool:
    """True if a FHIR birthDate includes the day."""
    return len(born) == len("1985-03-27")


def _on_one_line(name: str) -> str:
    return UNSTORABLE.sub("", " ".join(name.split()))


class QueryForm(forms.Form):
    """Form for the query of a page's address. It refuses nothing: an invalid value counts as missing."""

    def value(self, name: str) -> Any:
        """Return the cleaned value of a field, or None."""
        self.is_valid()
        return self.cleaned_data.get(name)
