"""Forms for making and moving visits. They check the input only; `scheduling` decides if the visit is possible."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import HealthcareService, Schedule
from clinic.models.services import FEWEST_VISITS, MOST_VISITS, MOST_WEEKS
from portal.appointments.several import Several
from portal.common.fields import ClockField, DayField, NumberField
from portal.common.schedules import name_of
from portal.staff.calendar import local_times
from portal.staff.calendar.forms import calendar_field
from portal.staff.calendar.patient_forms import PatientChoiceForm

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


def clean_override(form: forms.Form) -> None:
    """Require a reason if the button to override was pressed; ignore it otherwise."""
    if "anyway" not in form.data:
        form.cleaned_data["override"] = ""
    elif not form.cleaned_data.get("override"):
        form.add_error("override", _("Enter the reason."))


def clean_extra(form: forms.Form) -> None:
    """Take the reason as that of an extra visit if that button was pressed."""
    if "extra" in form.data:
        form["override"].label = EXTRA_REASON
    reason = form.cleaned_data.get("override") or ""
    form.cleaned_data["overbook"] = reason if "extra" in form.data else ""
    if "extra" in form.data and not reason:
        form.add_error("override", _("Enter the reason."))


def service_choices(services: Sequence[HealthcareService]) -> list[tuple[str, Any]]:
    return [("", _("Choose")), *((each.fhir_id, each.name) for each in services)]


EXTRA_REASON = _("Reason for the extra visit")
OVERRIDE: dict[str, Any] = {
    "label": _("Reason for overriding the rule"),
    "help_text": _("It is saved with your name."),
    "required": False,
    "max_length": 500,
}


class VisitForm(PatientChoiceForm, WhenForm):
    """Form for a new visit: patient, service, time and calendar."""

    calendar = forms.ChoiceField()
    service = forms.ChoiceField(label=_("Visit"), error_messages={"required": _("Choose the visit.")})
    comment = forms.CharField(
        label=_("Reason or note"), required=False, max_length=1000, widget=forms.Textarea({"rows": 2})
    )
    visits = NumberField(
        label=_("Number of visits"),
        help_text=_("Leave empty for one."),
        required=False,
        min_value=FEWEST_VISITS,
        max_value=MOST_VISITS,
    )
    weeks = NumberField(label=_("Weeks between them"), required=False, min_value=1, max_value=MOST_WEEKS, initial=1)
    leave_out = forms.BooleanField(label=_("Leave out the visits that are not free"), required=False)
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
        service.choices = service_choices(services)

    def clean(self) -> dict[str, Any]:
        super().clean()
        clean_extra(self)
        clean_override(self)
        return self.cleaned_data


class WalkInForm(PatientChoiceForm):
    """Form for a patient who came without a visit. `take` is the pressed time, as `NextFree.value` has it."""

    service = forms.ChoiceField(label=_("Visit"), error_messages={"required": _("Choose the visit.")})
    take = forms.CharField(
        max_length=200, widget=forms.HiddenInput, error_messages={"required": _("Choose one of the free times.")}
    )
    comment = forms.CharField(
        label=_("Reason or note"), required=False, max_length=1000, widget=forms.Textarea({"rows": 2})
    )
    override = forms.CharField(**OVERRIDE)

    field_order = ("service",)

    def __init__(self, *args: Any, services: Sequence[HealthcareService], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        service = self.fields["service"]
        assert isinstance(service, forms.ChoiceField)
        service.choices = service_choices(services)

    def clean(self) -> dict[str, Any]:
        super().clean()
        clean_override(self)
        return self.cleaned_data


class ExplanationForm(WhenForm):
    """Form for the visit that the page of explanations is asked about: calendar, service and time."""

    schedule = forms.ChoiceField(label=_("Calendar"))
    service = forms.ChoiceField(label=_("Visit"), error_messages={"required": _("Choose the visit.")})

    field_order = ("schedule", "service", "date", "time", "again")

    def __init__(
        self, *args: Any, schedules: Sequence[Schedule], services: Sequence[HealthcareService], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("schedule", [(each.fhir_id, name_of(each)) for each in schedules]),
            ("service", service_choices(services)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices


class MoveForm(WhenForm):
    """Form that moves a visit to another time, calendar or length. `version` is the one it was read at.

    For a visit of a series, `which` says what moves with it: nothing, or one of `together`.
    """

    calendar = forms.ChoiceField()
    minutes = NumberField(
        label=_("Minutes"),
        min_value=1,
        max_value=24 * 60,
        error_messages={"required": _("Enter how many minutes the visit lasts.")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
    which = forms.ChoiceField(label=_("Move"), required=False, widget=forms.RadioSelect)
    tell = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)
    override = forms.CharField(**OVERRIDE)

    field_order = ("calendar", "date", "time", "again", "minutes")

    def __init__(
        self, *args: Any, schedules: Sequence[Schedule], together: Sequence[Several] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"] = calendar_field(schedules)
        which = self.fields["which"]
        assert isinstance(which, forms.ChoiceField)
        which.choices = [("", _("Only this visit")), *((each.which, each.title) for each in together)]
        if not together:
            del self.fields["which"]

    @property
    def length(self) -> timedelta | None:
        """The length in the fields, or None if it is not valid."""
        given = getattr(self, "cleaned_data", {}) if self.is_bound else self.initial
        return timedelta(minutes=given["minutes"]) if given.get("minutes") else None

    def clean(self) -> dict[str, Any]:
        super().clean()
        clean_override(self)
        return self.cleaned_data
