"""Fields that choose the patient of a visit: a record that was found, or a new one."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models.people import birth_columns
from clinic.phone_field import PhoneField
from portal.common.fields import BornField


class PatientChoiceForm(forms.Form):
    """Form for the patient of a visit. A new patient needs a name and a date of birth."""

    patient = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    search = forms.CharField(
        label=_("Find a patient"),
        help_text=_("Name, date of birth, phone number, email or record number."),
        required=False,
        max_length=100,
    )
    given = forms.CharField(label=_("Given names"), required=False, max_length=200)
    family = forms.CharField(label=_("Family name"), required=False, max_length=200)
    birth_date = BornField(
        label=_("Date of birth"),
        help_text=_("The year alone, if no more is known."),
        required=False,
    )
    birth_unknown = forms.BooleanField(label=_("The date of birth is not known"), required=False)
    phone = PhoneField(label=_("Phone"), required=False, widget=forms.TextInput({"type": "tel"}))
    email = forms.EmailField(label=_("Email"), required=False)
    activate = forms.BooleanField(label=_("Make the record active"), required=False)

    def clean(self) -> dict[str, Any]:
        super().clean()
        given, family = self.cleaned_data.get("given"), self.cleaned_data.get("family")
        if self.cleaned_data.get("patient"):
            return self.cleaned_data
        if not (given or family):
            self.add_error("search", _("Find and choose the patient, or enter a new one."))
        elif not (self.cleaned_data.get("birth_date") or self.cleaned_data["birth_unknown"] or self.errors):
            self.add_error("birth_date", _("Enter the date of birth of the new patient, or say that it is not known."))
        return self.cleaned_data

    @property
    def is_new_patient(self) -> bool:
        return not self.cleaned_data.get("patient")

    @property
    def new_patient_opened(self) -> bool:
        return any(self.data.get(self.add_prefix(each)) for each in ("given", "family")) if self.is_bound else False

    @property
    def new_patient(self) -> dict[str, Any]:
        """The columns of the new patient's record."""
        typed = {each: self.cleaned_data[each] for each in ("given", "family", "phone", "email")}
        return {**typed, **birth_columns(self.cleaned_data["birth_date"] or "")}
