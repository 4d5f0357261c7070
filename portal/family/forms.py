"""Form for a person whom the caller cares for."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import childhood, named_concepts, people_search, phones
from clinic.fhir.codes import ROLE_CODES
from clinic.models import Patient, RelatedPerson
from clinic.models.people import birth_columns
from portal.common.forms import PatientDetailsForm
from scheduling.access import Caller
from scheduling.carers import Invitation

RELATIONSHIPS = {code: gettext_lazy(word) for code, word in named_concepts.RELATIONSHIPS.items()}


class DependantForm(PatientDetailsForm):
    """Form for the details of a person whom the caller cares for, and how they are related."""

    relationship = forms.ChoiceField(
        label=gettext_lazy("How are you related to them?"),
        choices=[("", ""), *((code, word) for code, word in RELATIONSHIPS.items())],
        error_messages={"required": gettext_lazy("Choose how you are related to them.")},
    )

    def __init__(self, *args: Any, has_account: bool = False, keeps_access: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.keeps_access = keeps_access
        self.fields["one_name"].label = _("They have only one name")
        if has_account:
            for name in ("given", "family", "birth_date"):
                self.fields[name].disabled = True  # only the person with the account changes them
            del self.fields["one_name"], self.fields["birth_unknown"]
        required = {
            "given": _("Enter their given names."),
            "family": _("Enter their family name."),
            "birth_date": _("Enter their date of birth."),
        }
        for name, text in required.items():
            self.fields[name].error_messages["required"] = text
            # The browser would fill in the name and birthday of its user, not of the dependant.
            for widget in getattr(self.fields[name].widget, "widgets", [self.fields[name].widget]):
                widget.attrs["autocomplete"] = "off"

    def clean_relationship(self) -> str:
        """Refuse a parent of an adult: their access would have ended already."""
        code: str = self.cleaned_data["relationship"]
        born = birth_columns(self.cleaned_data.get("birth_date") or "")["birth_date"]
        ends = childhood.ends_access(_relationship(code), keeps=self.keeps_access)
        if ends and childhood.is_over(born, datetime.now(UTC), has_account=False):
            text = _(
                "They are of age. They can invite you from an account of their own, or the clinic can let you book."
            )
            raise ValidationError(text)
        return code

    @transaction.atomic
    def add(self, caller: Caller, *, now: datetime) -> Patient:
        """Create the patient's record and the caller's right to book for them.

        The same person entered again is the same record. A patient without an email address gets messages at the
        addresses of their carers.
        """
        assert caller.user is not None
        known = self._known(caller)
        if known is not None:
            return known
        language = caller.patient.language if caller.patient else ""
        patient = Patient.objects.create(**self.person, language=language, last_updated=now)
        own = caller.patient
        RelatedPerson.objects.create(
            patient=patient,
            user=caller.user,
            given=own.given if own else "",
            family=own.family if own else "",
            email=caller.user.email,
            relationship=self._relationship,
            last_updated=now,
        )
        return patient

    @transaction.atomic
    def change(self, related: RelatedPerson, *, now: datetime) -> None:
        """Save the details; of a person with an account only the relationship."""
        related.relationship = self._relationship
        _write(related, now)
        if related.patient.user_id is None and related.access == RelatedPerson.Access.ALL:
            related.patient.given, related.patient.family = self.cleaned_data["given"], self.cleaned_data["family"]
            related.patient.write_born(self.cleaned_data["birth_date"])
            _write(related.patient, now)

    def _known(self, caller: Caller) -> Patient | None:
        """Return the person with this name and birth date for whom the caller can book already."""
        others = Patient.objects.filter(pk__in=caller.patients, deleted_at=None)
        if caller.patient:
            others = others.exclude(pk=caller.patient.pk)
        named = others.filter(people_search.named_exactly("{given} {family}".format(**self.person)))
        return next((each for each in named if each.born == self.cleaned_data["birth_date"]), None)

    @property
    def _relationship(self) -> list[dict[str, Any]]:
        return _relationship(self.cleaned_data["relationship"])


class InvitationForm(forms.Form):
    """Form that invites somebody to manage the caller's visits."""

    address = forms.CharField(
        label=gettext_lazy("Their email address"),
        max_length=254,
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "email"}),
        error_messages={"required": gettext_lazy("Enter the address to which we send the invitation.")},
    )
    relationship = forms.ChoiceField(
        label=gettext_lazy("Who are they to you? (optional)"),
        required=False,
        choices=[("", ""), *((code, word) for code, word in RELATIONSHIPS.items())],
    )
    access = forms.ChoiceField(
        label=gettext_lazy("What may they do?"),
        widget=forms.RadioSelect,
        choices=[
            (
                RelatedPerson.Access.VISITS,
                gettext_lazy("See my visits, book, move and cancel them"),
            ),
            (
                RelatedPerson.Access.ALL,
                gettext_lazy("Everything that I can: also my answers, insurance and settings"),
            ),
        ],
        error_messages={"required": gettext_lazy("Choose what they may do.")},
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if settings.SMS_ENABLED:
            self.fields["address"].label = _("Their email address or mobile number")

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"].strip()
        try:
            if settings.SMS_ENABLED and "@" not in address:
                return phones.read(address)
            validate_email(address)
        except (phones.NotANumber, ValidationError):
            raise ValidationError(self._example) from None
        return address

    @property
    def _example(self) -> str:
        if not settings.SMS_ENABLED:
            return _("Enter an email address such as name@example.com.")
        text = _("Enter an email address such as name@example.com, or a number such as %(example)s.")
        return text % {"example": phones.example()}

    @property
    def invitation(self) -> Invitation:
        return Invitation(**{name: self.cleaned_data[name] for name in ("address", "access", "relationship")})


def _relationship(code: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": ROLE_CODES, "code": code}]}]


def relationship_of(related: RelatedPerson) -> str:
    """Return the code of the relationship if it is one of RELATIONSHIPS, else an empty string."""
    codes = (coding.get("code", "") for each in related.relationship for coding in each.get("coding", []))
    return next((code for code in codes if code in RELATIONSHIPS), "")


def relationship_word(related: RelatedPerson) -> Any:
    """Return the word for the relationship."""
    return RELATIONSHIPS.get(relationship_of(related), "")


def _write(row: RelatedPerson | Patient, now: datetime) -> None:
    row.version += 1
    row.last_updated = now
    row.save()
