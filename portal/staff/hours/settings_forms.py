"""Forms for the settings of a service."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import HealthcareService, Questionnaire
from clinic.models.base import MOST_VISITS
from clinic.models.schedule import DAY_MINUTES
from portal.common.fields import NumberField
from portal.staff.hours.descriptions import minutes
from portal.staff.hours.forms import LengthField, VersionForm
from scheduling.opening import Change, Terms

REMINDERS = 3


def limit_field(label: Any) -> NumberField:
    """Return the field of a number of visits that is not exceeded."""
    return NumberField(
        label=label,
        help_text=gettext_lazy("Leave empty for no limit."),
        min_value=1,
        max_value=MOST_VISITS,
        required=False,
    )


class ParametersForm(VersionForm):
    """Form for the length of a visit and its possible starts: columns of SchedulingParameters."""

    duration = NumberField(
        label=gettext_lazy("Length of a visit"), min_value=1, max_value=DAY_MINUTES, widget=forms.NumberInput
    )
    buffer_before = NumberField(
        label=gettext_lazy("Kept free before it"), min_value=0, max_value=DAY_MINUTES, required=False
    )
    buffer_after = NumberField(
        label=gettext_lazy("Kept free after it"), min_value=0, max_value=DAY_MINUTES, required=False
    )
    alignment_interval = NumberField(
        label=gettext_lazy("A visit can start every"), min_value=1, max_value=DAY_MINUTES, required=False
    )
    slot_capacity = NumberField(
        label=gettext_lazy("Patients at the same time"), min_value=1, max_value=200, required=False
    )

    day_limit = limit_field(gettext_lazy("Visits a day"))
    week_limit = limit_field(gettext_lazy("Visits a week"))
    session_limit = limit_field(gettext_lazy("Visits a session"))
    new_patient_session_limit = limit_field(gettext_lazy("New patients a session"))

    LIMITS = ("day_limit", "week_limit", "session_limit", "new_patient_session_limit")
    PARAMETERS = ("duration", "buffer_before", "buffer_after", "alignment_interval", "slot_capacity", *LIMITS)
    DEFAULTS = {"buffer_before": 0, "buffer_after": 0, "alignment_interval": 60, "slot_capacity": 1}

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms) -> None:
        super().__init__(data, initial={"version": terms.resource.version})
        self.terms = terms
        for name in self.PARAMETERS:
            self.initial[name] = getattr(terms.row, name) if terms.row else None
            self.fields[name].help_text = self._hint(name)

    def _hint(self, name: str) -> str:
        general = self._general(name)
        if name in self.LIMITS:
            unit, value = _("On one calendar"), _("no limit") if general is None else str(general)
        elif name == "slot_capacity":
            unit, value = _("Patients"), str(general)
        else:
            unit, value = _("Minutes"), "" if general is None else minutes(general)
        if not value:
            return unit
        if self.terms.schedule:
            return _("%(unit)s. Leave empty to use the service\u2019s: %(value)s.") % {"unit": unit, "value": value}
        return (
            unit if name == "duration" else _("%(unit)s. Leave empty for %(value)s.") % {"unit": unit, "value": value}
        )

    def _general(self, name: str) -> int | None:
        default = self.DEFAULTS.get(name)
        if self.terms.schedule is None:
            return default
        general: int | None = getattr(self.terms.general, name) if self.terms.general else None
        return default if general is None else general

    def change(self) -> Change:
        return Change(parameters=self._cleaned(*self.PARAMETERS))

    def _cleaned(self, *names: str) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names}


class CalendarSettingsForm(ParametersForm):
    """Form for the settings of a service on one calendar, the calendar's own limits, and its video room."""

    total_day_limit = limit_field(gettext_lazy("Visits a day, all services together"))
    total_week_limit = limit_field(gettext_lazy("Visits a week, all services together"))

    meeting_url = forms.URLField(
        label=gettext_lazy("Video room"),
        help_text=gettext_lazy("The link for all video visits on this calendar. It starts with https://."),
        required=False,
        max_length=500,
        assume_scheme="https",
        error_messages={
            "invalid": gettext_lazy("Enter the link of the video room, such as https://video.example.org/room.")
        },
    )

    extra_limit = NumberField(
        label=gettext_lazy("Extra visits a day"),
        help_text=gettext_lazy(
            "At times that are taken, with a reason. 0: none. Leave empty for as many as the clinic allows."
        ),
        min_value=0,
        max_value=MOST_VISITS,
        required=False,
    )

    RESOURCE = ("meeting_url", "total_day_limit", "total_week_limit", "extra_limit")

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms) -> None:
        super().__init__(data, terms=terms)
        assert terms.schedule is not None
        for name in self.RESOURCE:
            self.initial[name] = getattr(terms.schedule, name)
        self.fields["duration"].required = self._general("duration") is None

    def change(self) -> Change:
        return Change(parameters=self._cleaned(*self.PARAMETERS), resource=self._cleaned(*self.RESOURCE))


class ServiceSettingsForm(ParametersForm):
    """Form for the settings of a service on all calendars, and what it requires of patients."""

    minimum_notice = LengthField(
        label=gettext_lazy("Minimum notice"),
        help_text=gettext_lazy("How long before the visit it must be booked. 0 means until it starts."),
    )
    booking_horizon_days = NumberField(
        label=gettext_lazy("How far ahead it can be booked"),
        help_text=gettext_lazy("Days before the visit. Leave empty for as far ahead as the calendars go."),
        required=False,
        min_value=1,
        max_value=3650,
    )
    cancellation_notice = LengthField(
        label=gettext_lazy("Notice for cancelling or moving"),
        help_text=gettext_lazy(
            "How long before the visit patients can still cancel or move it. 0 means until it starts."
        ),
    )
    total_day_limit = limit_field(gettext_lazy("Visits a day, all calendars together"))
    total_week_limit = limit_field(gettext_lazy("Visits a week, all calendars together"))
    new_patient_limit = limit_field(gettext_lazy("New patients a day"))
    patient_limit = limit_field(gettext_lazy("Upcoming visits of one patient"))
    patient_week_limit = limit_field(gettext_lazy("Visits of one patient a week"))
    eligibility = forms.ChoiceField(
        label=gettext_lazy("Who it is for"), choices=HealthcareService.Eligibility.choices, widget=forms.RadioSelect
    )
    requires_coverage = forms.BooleanField(
        label=gettext_lazy("Only with insurance that is valid on the day"), required=False
    )
    requires_verified_coverage = forms.BooleanField(
        label=gettext_lazy("Only with insurance that the clinic has checked"), required=False
    )
    requires_care_team = forms.BooleanField(
        label=gettext_lazy("Only with practitioners of the care team"), required=False
    )
    questionnaires = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Questions that belong to it"),
        queryset=Questionnaire.objects.filter(status=Questionnaire.Status.ACTIVE, deleted_at=None),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    requires_questionnaires = forms.BooleanField(
        label=gettext_lazy("Questions must be answered before booking"), required=False
    )
    preparation = forms.CharField(
        label=gettext_lazy("How to prepare"),
        help_text=gettext_lazy("Shown to the patient once the visit is booked."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 4}),
    )

    RESOURCE = (
        "minimum_notice",
        "booking_horizon_days",
        "cancellation_notice",
        "total_day_limit",
        "total_week_limit",
        "new_patient_limit",
        "patient_limit",
        "patient_week_limit",
        "eligibility",
        "requires_coverage",
        "requires_verified_coverage",
        "requires_care_team",
        "requires_questionnaires",
        "preparation",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms) -> None:
        super().__init__(data, terms=terms)
        service = terms.service
        for name in self.RESOURCE:
            self.initial[name] = getattr(service, name)
        self.initial["questionnaires"] = list(service.questionnaires.all())
        for name in ("minimum_notice", "cancellation_notice"):
            required = _("Enter how long, or 0 for no minimum.")
            self.fields[name].error_messages["required"] = required
        reminders = sorted(service.reminders, reverse=True)
        self.reminder_names = [f"reminder-{n}" for n in range(max(REMINDERS, len(reminders) + 1))]
        for number, name in enumerate(self.reminder_names, start=1):
            self.fields[name] = LengthField(
                label=_("Reminder %(number)d") % {"number": number},
                help_text=_("Before the visit. Leave empty for none."),
                required=False,
            )
            self.initial[name] = reminders[number - 1] if number <= len(reminders) else None

    @property
    def reminders(self) -> list[forms.BoundField]:
        return [self[name] for name in self.reminder_names]

    def change(self) -> Change:
        reminders = {self.cleaned_data[name] for name in self.reminder_names}
        plan = sorted((each for each in reminders if each), reverse=True)
        return Change(
            parameters=self._cleaned(*self.PARAMETERS),
            resource={**self._cleaned(*self.RESOURCE), "reminders": plan},
            questionnaires=list(self.cleaned_data["questionnaires"]),
        )
