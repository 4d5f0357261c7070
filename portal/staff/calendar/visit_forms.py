"""Forms for making and moving visits. They check the input only; `scheduling` decides if the visit is possible."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import HealthcareService, Schedule
from clinic.models.people import birth_columns
from clinic.phone_field import PhoneField
from portal.common.fields import BornField, ClockField, DayField, NumberField
from portal.staff.calendar import local_times
from portal.staff.calendar.forms import calendar_field

FIRST, SECOND = "0", "1"


class WhenForm(forms.Form):
    """Form for a local time in `zone`; if a local hour comes twice, it asks which one."""

    date = DayField(label=_("Day"), error_messages={"required": _("Enter the day of the visit.")})
    time = ClockField(label=_("Time"), error_messages={"required": _("Enter the time of the visit.")})
    again = forms.ChoiceField(
        label=_("The clocks go back that night, so this time comes twice. Which one do you mean?"),
        choices=[(FIRST, _("Before they go back")), (SECOND, _("After they go back"))],
        widget=forms.RadioSelect,
        required=False,
    )

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.is_ambiguous = False

    def clean(self) -> dict[str, Any]:
        super().clean()
        day, at = self.cleaned_data.get("date"), self.cleaned_data.get("time")
        if day is not None and at is not None:
            self.cleaned_data["start"] = self._start(datetime.combine(day, at))
        return self.cleaned_data

    def _start(self, local: datetime) -> datetime | None:
        moments = local_times.instants(local, self.zone)
        again: str = self.cleaned_data.get("again") or ""
        self.is_ambiguous = len(moments) > 1
        if not moments:
            self.add_error("time", _("The clocks go forward that night and skip this time. Enter another."))
            return None
        if len(moments) > 1 and not again:
            self.add_error("again", _("Choose which of the two times you mean."))
            return None
        return moments[int(again)] if len(moments) > 1 else moments[0]

    @property
    def start(self) -> datetime | None:
        """The time in the fields, or None if they are not valid."""
        if self.is_bound:
            found: datetime | None = getattr(self, "cleaned_data", {}).get("start")
            return found.astimezone(self.zone) if found else None
        moments = local_times.instants(datetime.combine(self.initial["date"], self.initial["time"]), self.zone)
        if not moments:
            return None
        return moments[min(int(self.initial["again"]), len(moments) - 1)].astimezone(self.zone)

    @staticmethod
    def initial_values(start: datetime) -> dict[str, Any]:
        """Return the initial values for a local time."""
        return {"date": start.date(), "time": start.time(), "again": str(start.fold)}


def _clean_override(form: forms.Form) -> None:
    """Require a reason if the button to override was pressed; ignore it otherwise."""
    if "anyway" not in form.data:
        form.cleaned_data["override"] = ""
    elif not form.cleaned_data.get("override"):
        form.add_error("override", _("Enter the reason."))


OVERRIDE: dict[str, Any] = {
    "label": _("Reason for overriding the rule"),
    "help_text": _("It is saved with your name."),
    "required": False,
    "max_length": 500,
}


class VisitForm(WhenForm):
    """Form for a new visit: patient, service, time and calendar."""

    calendar = forms.ChoiceField()
    service = forms.ChoiceField(label=_("Visit"), error_messages={"required": _("Choose the visit.")})
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
    comment = forms.CharField(
        label=_("Reason or note"), required=False, max_length=1000, widget=forms.Textarea({"rows": 2})
    )
    activate = forms.BooleanField(label=_("Make the record active"), required=False)
    tell = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)
    override = forms.CharField(**OVERRIDE)

    field_order = ("calendar", "service", "date", "time", "again")

    def __init__(
        self, *args: Any, schedules: Sequence[Schedule], services: Sequence[HealthcareService], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"] = calendar_field(schedules)
        service = self.fields["service"]
        assert isinstance(service, forms.ChoiceField)
        service.choices = [("", _("Choose")), *((each.fhir_id, each.name) for each in services)]

    def clean(self) -> dict[str, Any]:
        super().clean()
        _clean_override(self)
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


class MoveForm(WhenForm):
    """Form that moves a visit to another time, calendar or length. `version` is the one it was read at."""

    calendar = forms.ChoiceField()
    minutes = NumberField(
        label=_("Minutes"),
        min_value=1,
        max_value=24 * 60,
        error_messages={"required": _("Enter how many minutes the visit lasts.")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
    tell = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)
    override = forms.CharField(**OVERRIDE)

    field_order = ("calendar", "date", "time", "again", "minutes")

    def __init__(self, *args: Any, schedules: Sequence[Schedule], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"] = calendar_field(schedules)

    @property
    def length(self) -> timedelta | None:
        """The length in the fields, or None if it is not valid."""
        given = getattr(self, "cleaned_data", {}) if self.is_bound else self.initial
        return timedelta(minutes=given["minutes"]) if given.get("minutes") else None

    def clean(self) -> dict[str, Any]:
        super().clean()
        _clean_override(self)
        return self.cleaned_data
