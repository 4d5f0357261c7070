"""Forms for the details of a patient. Each has `changes`, the columns of the record that it writes."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import AccessNeed, Coverage, InsurancePlan, Patient
from clinic.named_concepts import SPOKEN
from clinic.patient_text import SIGN_LANGUAGES, language_name
from clinic.phone_field import PhoneField
from portal.common.fields import DatePartsField, with_example
from portal.common.forms import PatientDetailsForm

COVERAGE_TYPES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
COVERAGE_CLASSES = "http://terminology.hl7.org/CodeSystem/coverage-class"
# https://hl7.org/fhir/R4/valueset-coverage-type.html
COVERAGE_KINDS = {
    "EHCPOL": gettext_lazy("Health insurance through my employer or my own policy"),
    "PUBLICPOL": gettext_lazy("Public insurance"),
    "WCBPOL": gettext_lazy("For an accident at work"),
}


class NeedsForm(forms.Form):
    """Form for what a patient needs so that a visit works for them."""

    interpreter = forms.ChoiceField(
        label=gettext_lazy("Interpreter"),
        help_text=gettext_lazy("The language that you want to speak at the clinic, if you need an interpreter for it."),
        required=False,
    )
    needs = forms.MultipleChoiceField(
        label=gettext_lazy("What do you need at the clinic?"),
        choices=AccessNeed.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    other_needs = forms.CharField(
        label=gettext_lazy("Anything else (optional)"),
        help_text=gettext_lazy("For example, that you bring an assistance dog."),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["interpreter"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = _languages(str(self.initial.get("interpreter", "")))

    @staticmethod
    def initial_of(patient: Patient) -> dict[str, Any]:
        """Return what the form shows of a record."""
        needed = patient.interpreter_language or "und" if patient.interpreter_required else ""
        return {"interpreter": needed, "needs": patient.needs, "other_needs": patient.other_needs}

    def changes(self, now: datetime) -> dict[str, Any]:
        """The columns of the record, which notes that the patient was asked."""
        language = self.cleaned_data["interpreter"]
        return {
            "interpreter_required": bool(language),
            "interpreter_language": "" if language == "und" else language,
            "needs": [need.value for need in AccessNeed if need in self.cleaned_data["needs"]],
            "other_needs": " ".join(self.cleaned_data["other_needs"].split()),
            "needs_asked": now,
        }


def _languages(known: str) -> list[tuple[str, Any]]:
    """Return the choices of a language: no interpreter, sign language, then the others by name in the reader's."""
    tags = {*SPOKEN, known} - {"", "und", SIGN_LANGUAGES}
    named = sorted(((tag, language_name(tag)) for tag in tags), key=lambda choice: choice[1].casefold())
    unknown = [("und", gettext_lazy("Yes, the language is not known"))] if known == "und" else []
    sign_language = (SIGN_LANGUAGES, gettext_lazy("Sign language"))
    return [("", gettext_lazy("No interpreter")), *unknown, sign_language, *named]


class CoverageForm(forms.Form):
    """Form for the details on an insurance card."""

    accepted = forms.ModelChoiceField(
        label=gettext_lazy("Plan that the clinic accepts (optional)"),
        help_text=gettext_lazy("Not in the list? Leave this empty and enter what is on the card."),
        queryset=InsurancePlan.objects.none(),
        to_field_name="fhir_id",
        required=False,
        empty_label=gettext_lazy("Another one"),
    )
    payor = forms.CharField(
        label=gettext_lazy("Who is your insurer?"),
        help_text=gettext_lazy("The name on the card, such as Acme Health."),
        required=False,
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
        plans = InsurancePlan.objects.filter(status=InsurancePlan.Status.ACTIVE, deleted_at=None)
        accepted = self.fields["accepted"]
        assert isinstance(accepted, forms.ModelChoiceField)
        accepted.queryset = plans.select_related("payer")
        if not accepted.queryset:
            del self.fields["accepted"]

    def clean(self) -> dict[str, Any] | None:
        """Ask for the insurer, unless one of the accepted plans names it."""
        cleaned = super().clean()
        plan = self.cleaned_data.get("accepted")
        if not self.cleaned_data.get("payor") and (plan is None or plan.payer is None) and "payor" not in self.errors:
            self.add_error("payor", str(self.fields["payor"].error_messages["required"]))
        return cleaned

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
        plan = coverage.insurance_plan
        return {
            "accepted": plan.fhir_id if plan else None,
            "payor": next(payors, ""),
            "member": coverage.subscriber_id,
            "kind": next(kinds, ""),
            "plan": next(plans, ""),
            "end": coverage.end,
        }

    @property
    def changes(self) -> dict[str, Any]:
        """The columns of the coverage whose fields were changed: what the fields do not show stays."""
        columns = {"payor": "payor", "member": "subscriber_id", "kind": "type", "plan": "extra", "end": "end"}
        changed = {columns[name] for name in self.changed_data if name in columns}
        if "accepted" in self.changed_data:
            changed |= {"insurance_plan", "payor"}
        return {name: value for name, value in self.card.items() if name in changed}

    @property
    def card(self) -> dict[str, Any]:
        """The columns of a new coverage."""
        code = self.cleaned_data["kind"]
        kind = {"coding": [{"system": COVERAGE_TYPES, "code": code}]}
        plan = {"type": {"coding": [{"system": COVERAGE_CLASSES, "code": "plan"}]}, "value": self.cleaned_data["plan"]}
        accepted: InsurancePlan | None = self.cleaned_data.get("accepted")
        payor = {"display": self.cleaned_data["payor"]}
        if accepted and accepted.payer:
            payor = {"reference": accepted.payer.reference, "display": accepted.payer.name}
        return {
            "subscriber_id": self.cleaned_data["member"],
            "insurance_plan": accepted,
            "payor": [payor],
            "end": self.cleaned_data["end"],
            "type": kind if code else None,
            "extra": {"class": [plan]} if self.cleaned_data["plan"] else {},
        }


class AddressForm(forms.Form):
    """Form for a postal address."""

    line = forms.CharField(
        label=gettext_lazy("Street and number"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "address-line1"}),
    )
    postal_code = forms.CharField(
        label=gettext_lazy("Postal code"),
        required=False,
        max_length=20,
        widget=forms.TextInput({"autocomplete": "postal-code"}),
    )
    city = forms.CharField(
        label=gettext_lazy("Town"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"autocomplete": "address-level2"}),
    )
    state = forms.CharField(
        label=gettext_lazy("State or region (optional)"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"autocomplete": "address-level1"}),
    )

    @staticmethod
    def initial_of(patient: Patient) -> dict[str, Any]:
        """Return what the form shows of a record."""
        address = current_address(patient)
        return {
            "line": ", ".join(address.get("line", ())),
            "postal_code": address.get("postalCode", ""),
            "city": address.get("city", ""),
            "state": address.get("state", ""),
        }

    def changes(self, patient: Patient) -> dict[str, Any]:
        """The columns of the record, with this address in place of the current one. Other addresses stay."""
        typed = {name: " ".join(value.split()) for name, value in self.cleaned_data.items()}
        parts = {"city": typed["city"], "state": typed["state"], "postalCode": typed["postal_code"]}
        lines = {"line": [typed["line"]]} if typed["line"] else {}
        new = lines | {name: value for name, value in parts.items() if value}
        known = patient.extra.get("address", [])
        current = current_address(patient)
        others = [address for address in known if address is not current]
        kept: dict[str, Any] = {}
        if new:
            kept = {name: current[name] for name in ("use", "type", "country") if name in current}
        addresses = [{**kept, **new}, *others] if new else others
        rest = {name: value for name, value in patient.extra.items() if name != "address"}
        return {"extra": {**rest, "address": addresses} if addresses else rest}


class IdentityForm(PatientDetailsForm):
    """Form for a patient's name and birth date."""

    @staticmethod
    def initial_of(patient: Patient) -> dict[str, Any]:
        """Return what the form shows of a record."""
        return {"given": patient.given, "family": patient.family, "birth_date": patient.born}

    @property
    def identity(self) -> dict[str, str]:
        """The name and FHIR birthDate, as the use case takes them."""
        data = self.cleaned_data
        return {"given": data["given"], "family": data["family"], "born": data["birth_date"]}


class NumberForm(forms.Form):
    """Form for the mobile number that a patient confirms."""

    phone = PhoneField(
        label=gettext_lazy("Mobile number"),
        help_text=gettext_lazy("We send a code to this number to check that it is yours."),
        max_length=50,
        error_messages={"required": gettext_lazy("Enter the number of your mobile phone.")},
    )


class PhotoForm(forms.Form):
    """Form for the photos of an insurance card. On a phone it opens the camera."""

    front = forms.FileField(label=gettext_lazy("Front of the card"), required=False)
    back = forms.FileField(label=gettext_lazy("Back of the card"), required=False)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            field.widget = forms.FileInput({"accept": "image/*", "capture": "environment"})


def current_address(patient: Patient) -> dict[str, Any]:
    """Return the patient's first address that is not an old one; empty if there is none."""
    known: list[dict[str, Any]] = patient.extra.get("address", [])
    return next((address for address in known if address.get("use") != "old"), {})
