"""Form of a new referral."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.fhir.validation import UNSTORABLE
from clinic.models import HealthcareService, Medium
from clinic.phone_field import PhoneField
from clinic.translations import text_of
from portal.common.fields import DatePartsField, with_example
from portal.common.uploads import read_file
from scheduling.questionnaires import MEDIA, MEGABYTE, MOST_MEGABYTES, Json

MOST_DOCUMENTS = 3
VALID_FOR = timedelta(days=90)
LONGEST = timedelta(days=366)
PATIENT = ("given", "family", "birth_date")


class DocumentsInput(forms.ClearableFileInput):
    """A file control for several files."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class DocumentsField(forms.FileField):
    """Field for a few files. Their first bytes decide their type; it cleans to FHIR Attachments."""

    widget = DocumentsInput({"accept": ",".join(MEDIA)})

    def clean(self, data: Any, initial: Any = None) -> list[Json]:
        uploads = [each for each in data or () if isinstance(each, UploadedFile)]
        if len(uploads) > MOST_DOCUMENTS:
            raise ValidationError(_("Choose %(most)d documents at most.") % {"most": MOST_DOCUMENTS})
        documents = [read_file(upload) for upload in uploads]
        for document in documents:
            values = {"name": document.get("title", ""), "most": MOST_MEGABYTES, "kinds": ", ".join(MEDIA.values())}
            if document.get("size", 0) > MOST_MEGABYTES * MEGABYTE:
                raise ValidationError(_("%(name)s is larger than %(most)d MB. Choose a smaller file.") % values)
            if document.get("contentType") not in MEDIA or not document.get("data"):
                raise ValidationError(_("%(name)s cannot be read here. Choose a %(kinds)s.") % values)
        return documents


class ReferralForm(forms.Form):
    """Form of a referral: for what, why, for whom if that is known, and until when the link works."""

    service = forms.ChoiceField(
        label=gettext_lazy("What is the visit for?"), error_messages={"required": gettext_lazy("Choose a visit.")}
    )
    reason = forms.CharField(
        label=gettext_lazy("Why do you refer the patient?"),
        help_text=gettext_lazy("The clinic reads it, and the patient on the page of the link. It is in no email."),
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": gettext_lazy("Enter the reason.")},
    )
    given = forms.CharField(
        label=gettext_lazy("Given names"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    family = forms.CharField(
        label=gettext_lazy("Family name"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    birth_date = DatePartsField(
        label=gettext_lazy("Date of birth"),
        help_text=with_example(gettext_lazy("For example, {example}")),
        required=False,
    )
    email = forms.EmailField(
        label=gettext_lazy("Email address"),
        help_text=gettext_lazy("The clinic writes to this address about the visit."),
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
        error_messages={"invalid": gettext_lazy("Enter an email address such as name@example.com.")},
    )
    phone = PhoneField(label=gettext_lazy("Phone"), required=False, max_length=50)
    valid_until = DatePartsField(
        label=gettext_lazy("The link works until"),
        help_text=gettext_lazy("The last day on which a visit can be booked with it."),
        error_messages={"required": gettext_lazy("Enter the last day.")},
    )
    documents = DocumentsField(
        label=gettext_lazy("Documents (optional)"),
        help_text=gettext_lazy("Three at most, such as a letter or a picture: PDF, JPEG or PNG, 5 MB each."),
        required=False,
    )

    def __init__(
        self, *args: Any, services: Iterable[HealthcareService], zone: ZoneInfo, now: datetime, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        today = now.astimezone(zone).date()
        self.initial.setdefault("valid_until", today + VALID_FOR)
        self.zone, self.today = zone, today
        self.services = {service.fhir_id: service for service in services}
        field = self.fields["service"]
        assert isinstance(field, forms.ChoiceField)
        names = [(service.fhir_id, text_of(service, "name")) for service in self.services.values()]
        field.choices = [("", _("Choose a visit")), *names]

    def clean_birth_date(self) -> date | None:
        born: date | None = self.cleaned_data["birth_date"]
        if born and born > self.today:
            raise ValidationError(_("The date of birth must be in the past."))
        return born

    def clean_valid_until(self) -> date:
        until: date = self.cleaned_data["valid_until"]
        if not self.today <= until <= self.today + LONGEST:
            raise ValidationError(_("Enter a day from today on, within a year."))
        return until

    def clean(self) -> dict[str, Any] | None:
        """Ask for the whole patient or for none: a name alone finds nobody."""
        cleaned = super().clean()
        if self.names_patient or "book" in self.data:
            if not (self.cleaned_data.get("given") or self.cleaned_data.get("family")):
                self.add_error("given", _("Enter the patient\u2019s name."))
            if not self.cleaned_data.get("birth_date") and "birth_date" not in self.errors:
                self.add_error("birth_date", _("Enter the patient\u2019s date of birth."))
            contacts = {"email", "phone"}
            if not any(self.cleaned_data.get(name) for name in contacts) and not contacts & self.errors.keys():
                self.add_error("email", _("Enter an email address or a phone number of the patient."))
        return cleaned

    @property
    def names_patient(self) -> bool:
        return any(self.cleaned_data.get(name) for name in (*PATIENT, "email", "phone"))

    @property
    def patient_name(self) -> str:
        return " ".join(filter(None, (_one_line(self.cleaned_data[name]) for name in ("given", "family"))))

    @property
    def patient(self) -> dict[str, Any]:
        """The columns of the patient's record."""
        names = {name: _one_line(self.cleaned_data[name]) for name in ("given", "family")}
        return names | {name: self.cleaned_data[name] for name in ("birth_date", "email", "phone")}

    @property
    def contact_media(self) -> tuple[Medium, ...]:
        """The media for which an address of the patient is given."""
        given = {Medium.EMAIL: "email", Medium.SMS: "phone"}
        return tuple(medium for medium, name in given.items() if self.cleaned_data[name])

    @property
    def valid_until_moment(self) -> datetime:
        """The end of the last day, by the clinic's clock."""
        return datetime.combine(self.cleaned_data["valid_until"] + timedelta(days=1), time(), self.zone).astimezone(UTC)


def _one_line(name: str) -> str:
    return UNSTORABLE.sub("", " ".join(name.split()))
