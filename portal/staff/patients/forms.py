"""Forms about a patient for staff."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Patient
from clinic.phone_field import PhoneField
from portal.common import languages
from portal.common.forms import PatientDetailsForm, QueryForm
from portal.staff.patients.comparison import FIELDS

# The columns that the form writes besides the name and the birth date.
COLUMNS = ("phone", "email", "language", "vip", "barred_online", "barred_reason")


class PatientForm(PatientDetailsForm):
    """Form for a patient's name, birth date, contact data and flags."""

    phone = PhoneField(label=gettext_lazy("Phone"), required=False)
    email = forms.EmailField(label=gettext_lazy("Email"), required=False, max_length=254)
    language = forms.ChoiceField(label=gettext_lazy("Language for messages"), required=False)
    vip = forms.BooleanField(label=gettext_lazy("Treat as VIP"), required=False)
    barred_online = forms.BooleanField(
        label=gettext_lazy("Barred from online booking"),
        help_text=gettext_lazy("The patient is asked to call instead, and is not told why. Staff still book."),
        required=False,
    )
    barred_reason = forms.CharField(
        label=gettext_lazy("Why are they barred?"),
        help_text=gettext_lazy("Only staff see it."),
        required=False,
        max_length=500,
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["one_name"].label = _("They have only one name")
        self.fields["birth_unknown"].label = _("The exact date is not known")
        texts = {
            "given": _("Enter their given names."),
            "family": _("Enter their family name."),
            "birth_date": _("Enter their date of birth."),
        }
        for name, text in texts.items():
            self.fields[name].error_messages["required"] = text
        for field in self.fields.values():
            # The browser would fill in its user's own data.
            for widget in getattr(field.widget, "widgets", [field.widget]):
                widget.attrs["autocomplete"] = "off"
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)
        language.choices = [("", _("The clinic\u2019s language")), *languages.names()]

    def clean(self) -> dict[str, Any] | None:
        """Ask why a patient is barred, since the next colleague has to know."""
        cleaned = super().clean()
        if self.cleaned_data.get("barred_online") and not self.cleaned_data.get("barred_reason"):
            self.add_error("barred_reason", _("Enter why, so that your colleagues know."))
        return cleaned

    @staticmethod
    def initial_of(patient: Patient) -> dict[str, Any]:
        """Return what the form shows of a record."""
        columns = {name: getattr(patient, name) for name in (*COLUMNS, "version")}
        return {"given": patient.given, "family": patient.family, "birth_date": patient.born, **columns}

    @property
    def identity(self) -> dict[str, str]:
        """The name and FHIR birthDate, as the use case takes them."""
        data = self.cleaned_data
        return {"given": data["given"], "family": data["family"], "born": data["birth_date"]}

    @property
    def changes(self) -> dict[str, Any]:
        """The other columns. A patient who is not barred has no reason for it."""
        columns = {name: self.cleaned_data[name] for name in COLUMNS}
        return columns if columns["barred_online"] else {**columns, "barred_reason": ""}


class ListsForm(QueryForm):
    """Form for the query of a patient's page: which page of each long list is shown."""

    past = forms.IntegerField(min_value=1, max_value=10_000, required=False)
    messages = forms.IntegerField(min_value=1, max_value=10_000, required=False)
    audit = forms.IntegerField(min_value=1, max_value=10_000, required=False)


class SearchForm(forms.Form):
    """Form that searches for patients."""

    search = forms.CharField(
        label=gettext_lazy("Find a patient"),
        help_text=gettext_lazy("Name, date of birth, phone number, email address or record number, or parts of them."),
        max_length=100,
        error_messages={"required": gettext_lazy("Type part of a name or number.")},
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "search", "autofocus": True}),
    )


class MergeForm(forms.Form):
    """Form that merges two records: the fields to take from the record that goes, and the versions that were seen."""

    take = forms.MultipleChoiceField(required=False, choices=[(name, name) for name in FIELDS])
    source_version = forms.IntegerField()
    target_version = forms.IntegerField()

    def __init__(self, data: Any = None) -> None:
        """Read one choice for each field: `source` takes it from the record that goes."""
        chosen = None
        if data is not None:
            chosen = {name: data.get(name) for name in ("source_version", "target_version")}
            chosen["take"] = [name for name in FIELDS if data.get(name) == "source"]
        super().__init__(chosen)


class EraseForm(forms.Form):
    """Form that confirms the deletion of everything about a patient by typing the patient's name."""

    typed_name = forms.CharField(
        label=gettext_lazy("Type the patient\u2019s name to confirm"),
        max_length=500,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, name: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self._name = name
        self.fields["typed_name"].help_text = name

    def clean_typed_name(self) -> str:
        typed: str = self.cleaned_data["typed_name"]
        if typed.casefold().split() != self._name.casefold().split():
            raise forms.ValidationError(_("This is not the name. Type: %(name)s") % {"name": self._name})
        return typed


class DeclineErasureForm(forms.Form):
    """Form with the reason for which the clinic does not delete everything about a patient."""

    reason = forms.CharField(
        label=gettext_lazy("Why can it not be done?"),
        help_text=gettext_lazy("The patient reads it. Say what must stay, for how long, and whom they can ask."),
        max_length=1000,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": gettext_lazy("Say why: the law gives the patient an answer.")},
    )


class ReportsForm(QueryForm):
    """Form for the query of the list of reports: which page is shown."""

    page = forms.IntegerField(min_value=1, max_value=10_000, required=False)
