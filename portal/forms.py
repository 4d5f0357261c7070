"""What people tell the pages, checked. Whether a time can be had is asked of scheduling, not here."""

import re
from datetime import UTC, date, datetime

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from clinic.fhir.validation import UNSTORABLE
from clinic.models import Patient, User
from portal.fields import DatePartsField

CHOICE = re.compile(r"(?P<start>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(?P<schedules>(~[A-Za-z0-9.-]{1,64}){1,10})")
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


class SignupForm(PatientDetailsForm):
    """What allauth's sign-up asks besides e-mail address and password."""

    def signup(self, request: HttpRequest, user: User) -> None:
        self.make_record(user, now=user.date_joined)


class TimeForm(forms.Form):
    """A chosen time: `choosing.written` of its start and its schedules.

    `instead_of` is the hold that it replaces, where it is not the last one.
    """

    time = forms.CharField(max_length=1000)
    instead_of = forms.CharField(required=False, max_length=64)

    def clean_time(self) -> tuple[datetime, tuple[str, ...]]:
        match = CHOICE.fullmatch(self.cleaned_data["time"])
        if match is None:
            raise ValidationError(_("Choose one of the times."))
        try:
            start = datetime.fromisoformat(match["start"])
        except ValueError:
            raise ValidationError(_("Choose one of the times.")) from None
        return start, tuple(match["schedules"].split("~")[1:])


class ConfirmForm(forms.Form):
    """The last step before a visit is booked."""

    comment = forms.CharField(
        label=_("Is there anything the clinic should know before your visit?"),
        help_text=_("Optional. For example, that you need an interpreter or step-free access."),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
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
