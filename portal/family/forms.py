"""Somebody whom one cares for, as people tell it."""

from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Patient, RelatedPerson
from portal.common.forms import PatientDetailsForm
from scheduling.access import Caller

ROLE_CODES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
# What one is to the patient: https://terminology.hl7.org/CodeSystem-v3-RoleCode.html
RELATIONSHIPS = {
    "PRN": gettext_lazy("parent"),
    "SPS": gettext_lazy("spouse or partner"),
    "CHILD": gettext_lazy("child"),
    "SIB": gettext_lazy("brother or sister"),
    "GRPRN": gettext_lazy("grandparent"),
    "GUARD": gettext_lazy("guardian"),
    "FRND": gettext_lazy("friend or carer"),
}


class SomeoneForm(PatientDetailsForm):
    """Somebody whom one cares for."""

    relationship = forms.ChoiceField(
        label=gettext_lazy("How are you related to them?"),
        choices=[("", ""), *((code, word) for code, word in RELATIONSHIPS.items())],
        error_messages={"required": gettext_lazy("Choose how you are related to them.")},
    )

    def __init__(self, *args: Any, has_account: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["one_name"].label = _("They have only one name")
        if has_account:
            for name in ("given", "family", "birth_date"):
                self.fields[name].disabled = True  # theirs to change
            del self.fields["one_name"], self.fields["birth_unknown"]
        said = {
            "given": _("Enter their given names."),
            "family": _("Enter their family name."),
            "birth_date": _("Enter their date of birth."),
        }
        for name, words in said.items():
            self.fields[name].error_messages["required"] = words
            # The browser knows the name and the birthday of who types, and would put in the wrong ones.
            for widget in getattr(self.fields[name].widget, "widgets", [self.fields[name].widget]):
                widget.attrs["autocomplete"] = "off"

    @transaction.atomic
    def add(self, caller: Caller, *, now: datetime) -> Patient:
        """A new record, and the caller's right to book for them.

        Without an address of their own they are written to at their carers', as long as these care for them.
        """
        assert caller.user is not None
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
        """What is written of somebody; of someone with an account only what one is to them."""
        related.relationship = self._relationship
        _write(related, now)
        if related.patient.user_id is None:
            related.patient.given, related.patient.family = self.cleaned_data["given"], self.cleaned_data["family"]
            related.patient.write_born(self.cleaned_data["birth_date"])
            _write(related.patient, now)

    @property
    def _relationship(self) -> list[dict[str, Any]]:
        code = self.cleaned_data["relationship"]
        return [{"coding": [{"system": ROLE_CODES, "code": code}]}]


def relationship_of(related: RelatedPerson) -> str:
    """The code of what somebody is to the patient; empty where it is none that is asked for."""
    codes = (coding.get("code", "") for each in related.relationship for coding in each.get("coding", []))
    return next((code for code in codes if code in RELATIONSHIPS), "")


def relationship_word(related: RelatedPerson) -> Any:
    """What somebody is to the patient, for people."""
    return RELATIONSHIPS.get(relationship_of(related), "")


def _write(row: RelatedPerson | Patient, now: datetime) -> None:
    row.version += 1
    row.last_updated = now
    row.save()
