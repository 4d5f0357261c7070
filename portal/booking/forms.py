"""Forms between a held time and the booked visit: patient, insurance, and confirmation."""

import dataclasses
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.encoding import punycode
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from clinic.models import Coverage, Patient
from clinic.phone_field import PhoneField
from portal.appointments.same_day import SameDayForm
from portal.booking.guests import GuestDetails
from portal.common import languages
from portal.common.fields import DatePartsField, with_example
from portal.common.forms import PatientDetailsForm
from scheduling.access import Caller

COVERAGE_TYPES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
COVERAGE_CLASSES = "http://terminology.hl7.org/CodeSystem/coverage-class"
ME, SOMEONE, ANOTHER = "me", "someone", "another"
# https://hl7.org/fhir/R4/valueset-coverage-type.html
COVERAGE_KINDS = {
    "EHCPOL": gettext_lazy("Health insurance through my employer or my own policy"),
    "PUBLICPOL": gettext_lazy("Public insurance"),
    "WCBPOL": gettext_lazy("For an accident at work"),
}


class ChoosePatientForm(forms.Form):
    """Form that asks which person the visit is for."""

    who = forms.ChoiceField(
        label=gettext_lazy("Who is the visit for?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose who the visit is for.")},
    )

    def __init__(self, *args: Any, caller: Caller, **more: Any) -> None:
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

    def clean_email(self) -> str:
        """Write the domain in ASCII, so that another spelling of it does not count as another address for codes."""
        local, _at, domain = self.cleaned_data["email"].rpartition("@")
        return f"{local}@{domain if domain.isascii() else punycode(domain)}"

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


class CoverageForm(forms.Form):
    """Form for the details on an insurance card."""

    payor = forms.CharField(
        label=gettext_lazy("Who is your insurer?"),
        help_text=gettext_lazy("The name on the card, such as Acme Health."),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter the name of the insurer.")},
    )
    member = forms.CharField(
        label=gettext_lazy("Member number"),
        max_length=100,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Enter the member number. It is on the card.")},
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of insurance (optional)"),
        required=False,
        choices=[("", ""), *((code, word) for code, word in COVERAGE_KINDS.items())],
    )
    plan = forms.CharField(label=gettext_lazy("Plan (optional)"), required=False, max_length=200)
    end = DatePartsField(
        label=gettext_lazy("Valid until (optional)"),
        help_text=with_example(gettext_lazy("For example, {example}"), date(2027, 12, 31)),
        required=False,
    )

    def __init__(self, *args: Any, day: date, **more: Any) -> None:
        super().__init__(*args, **more)
        self.day = day

    def clean_end(self) -> date | None:
        end: date | None = self.cleaned_data["end"]
        if end and end < self.day:
            raise ValidationError(_("The insurance must be valid on the day of the visit. Enter another one."))
        return end

    @staticmethod
    def initial_of(coverage: Coverage) -> dict[str, Any]:
        """Return the values of the fields from which the coverage was made."""
        payors = (str(each.get("display", "")) for each in coverage.payor)
        plans = (str(each.get("value", "")) for each in coverage.extra.get("class", ()))
        kinds = (str(each.get("code", "")) for each in (coverage.type or {}).get("coding", ()))
        return {
            "payor": next(payors, ""),
            "member": coverage.subscriber_id,
            "kind": next(kinds, ""),
            "plan": next(plans, ""),
            "end": coverage.end,
        }

    def add(self, patient: Patient, *, now: datetime) -> Coverage:
        """Return the patient's coverage. The same card entered again is the same row."""
        code = self.cleaned_data["kind"]
        kind = {"coding": [{"system": COVERAGE_TYPES, "code": code}]}
        plan = {"type": {"coding": [{"system": COVERAGE_CLASSES, "code": "plan"}]}, "value": self.cleaned_data["plan"]}
        coverage, _made = Coverage.objects.get_or_create(
            beneficiary=patient,
            subscriber_id=self.cleaned_data["member"],
            payor=[{"display": self.cleaned_data["payor"]}],
            end=self.cleaned_data["end"],
            status=Coverage.Status.ACTIVE,
            deleted_at=None,
            defaults={
                "type": kind if code else None,
                "extra": {"class": [plan]} if self.cleaned_data["plan"] else {},
                "last_updated": now,
            },
        )
        return coverage


class ConfirmForm(SameDayForm):
    """Form of the last step before a visit is booked."""

    comment = forms.CharField(
        label=gettext_lazy("Is there anything the clinic should know before your visit?"),
        help_text=gettext_lazy("Optional. For example, that you need an interpreter or step-free access."),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
    )
