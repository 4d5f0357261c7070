"""Forms between a held time and the booked visit: patient, insurance, and confirmation."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.utils.encoding import punycode
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from clinic.models import Coverage, Patient
from clinic.phone_field import PhoneField
from portal.appointments.same_day import SameDayForm
from portal.booking.guests import GuestDetails
from portal.common import languages
from portal.common.forms import PatientDetailsForm
from scheduling.access import Caller

ME, SOMEONE, ANOTHER = "me", "someone", "another"


class ChoosePatientForm(forms.Form):
    """Form that asks which person the visit is for."""

    who = forms.ChoiceField(
        label=gettext_lazy("Who is the visit for?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose who the visit is for.")},
    )

    def __init__(self, *args: Any, caller: Caller, together: bool = False, **more: Any) -> None:
        """Make the form. With `together` it asks too for whom else the same visit is."""
        super().__init__(*args, **more)
        own = caller.patient.pk if caller.patient else None
        choices = [
            (each.fhir_id, _("Me, %(name)s") % {"name": each} if each.pk == own else str(each))
            for each in caller.patients.values()
        ]
        if own is None:
            choices.insert(0, (ME, _("Me")))
        field = self.fields["who"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*choices, (SOMEONE, _("Someone else I care for"))]
        self.people = list(caller.patients.values()) if together and len(caller.patients) > 1 else []
        for person in self.people:
            self.fields[_also(person)] = forms.BooleanField(label=str(person), required=False)

    @property
    def others(self) -> list[forms.BoundField]:
        """The boxes of the people for whom the visit is too."""
        return [self[_also(person)] for person in self.people]

    @property
    def also(self) -> list[Patient]:
        """The people whose boxes are ticked, besides the one who was chosen."""
        others = (person for person in self.people if person.fhir_id != self.cleaned_data["who"])
        return [person for person in others if self.cleaned_data[_also(person)]]


def _also(patient: Patient) -> str:
    return f"also-{patient.fhir_id}"


class GuestForm(PatientDetailsForm):
    """Form for a guest's details and how the clinic reaches them."""

    email = forms.EmailField(
        label=gettext_lazy("Email address"),
        help_text=gettext_lazy(
            "We send a code to this address to check that it is yours, and then the details of your visit."
        ),
        widget=forms.EmailInput({"autocomplete": "email"}),
        error_messages={
            "required": gettext_lazy("Enter your email address."),
            "invalid": gettext_lazy("Enter an email address such as name@example.com."),
        },
    )
    phone = PhoneField(
        label=gettext_lazy("Phone (optional)"),
        help_text=gettext_lazy("So that the clinic can call you if something changes at short notice."),
        required=False,
        max_length=50,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language for messages"), required=False, choices=languages.names, initial=get_language
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if settings.SMS_ENABLED:
            self.fields["email"].required = False
            self.fields["email"].help_text = _(
                "We send a code to this address to check that it is yours, and then the details of your visit. Leave it"
                " empty if you have none: then we write to your mobile phone."
            )
            self.fields["phone"].label = _("Phone")
            self.fields["phone"].help_text = _(
                "A mobile number, if you have given no email address. Otherwise it is optional: the clinic can call you"
                " if something changes at short notice."
            )

    def clean(self) -> dict[str, Any]:
        """Require an email address, or a number where the clinic sends texts."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not (cleaned.get("email") or cleaned.get("phone") or self.errors.keys() & {"email", "phone"}):
            self.add_error("email", _("Enter your email address or, below, the number of your mobile phone."))
        return cleaned

    def clean_email(self) -> str:
        """Write the domain in ASCII, so that another spelling of it does not count as another address for codes."""
        local, at, domain = self.cleaned_data["email"].rpartition("@")
        return f"{local}{at}{domain if domain.isascii() else punycode(domain)}"

    @property
    def details(self) -> GuestDetails:
        return GuestDetails(**{each.name: self.cleaned_data[each.name] for each in dataclasses.fields(GuestDetails)})


class ChooseCoverageForm(forms.Form):
    """Form that asks which of the patient's coverages pays."""

    coverage = forms.ChoiceField(
        label=gettext_lazy("Which insurance pays for the visit?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose one, or add another.")},
    )

    def __init__(self, *args: Any, coverages: Iterable[Coverage], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["coverage"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*((each.fhir_id, str(each)) for each in coverages), (ANOTHER, _("Another one"))]


class ConfirmForm(SameDayForm):
    """Form of the last step before a visit is booked."""

    comment = forms.CharField(
        label=gettext_lazy("Is there anything the clinic should know before your visit?"),
        help_text=gettext_lazy("Optional. For example, what has changed since your last visit."),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
    )


class PayForm(forms.Form):
    """Form that agrees to the terms of a payment."""

    agree = forms.BooleanField(
        label=gettext_lazy("I agree to this."),
        error_messages={"required": gettext_lazy("Tick the box if you agree. Otherwise choose another visit.")},
    )
