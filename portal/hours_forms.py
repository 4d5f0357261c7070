"""What staff enter about hours and services, checked, as the change that it means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import WEEKDAYS, HealthcareService, Questionnaire
from clinic.models.schedule import DAY_MINUTES
from portal.hours import minutes
from scheduling.core.hours import Window
from scheduling.opening import ALL_DAY, Change, Span, Terms, Version, Week, extra_hours, put, remove, write

CLOSED, OPEN, WHOLE = "closed", "open", "all-day"
STATES = (
    (CLOSED, gettext_lazy("Closed")),
    (OPEN, gettext_lazy("Open")),
    (WHOLE, gettext_lazy("All day")),
)
LEAST_ROWS, MOST_ROWS = 2, 6
SERVICE, OWN = "service", "own"
REMINDERS = 3


def time_input() -> forms.TimeInput:
    return forms.TimeInput({"type": "time"}, format="%H:%M")


def date_input() -> forms.DateInput:
    return forms.DateInput({"type": "date"}, format="%Y-%m-%d")


class VersionForm(forms.Form):
    """What is entered for a resource as it was read at `version`."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class SinceForm(forms.Form):
    """Which of the dated versions to show, or from which day on to make another."""

    first = forms.DateField(
        label=gettext_lazy("From"),
        widget=date_input(),
        error_messages={
            "required": gettext_lazy("Enter the day from which on the new hours hold."),
            "invalid": gettext_lazy("Enter a date, such as 1 May 2026."),
        },
    )


@dataclass(frozen=True)
class DayFields:
    """The fields of one weekday."""

    code: str
    name: str
    state: forms.BoundField
    spans: list[tuple[forms.BoundField, forms.BoundField]]

    @property
    def errors(self) -> list[str]:
        return [str(error) for span in self.spans for bound in span for error in bound.errors]


class HoursForm(VersionForm):
    """A week of hours, from a day on: for each weekday, closed, all day, or some spans with a break between them."""

    since = forms.DateField(required=False, widget=forms.HiddenInput)
    whose = forms.ChoiceField(
        label=gettext_lazy("Whose hours apply"), choices=(), required=False, widget=forms.RadioSelect
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms, version: Version, own: bool) -> None:
        super().__init__(data, initial={"version": terms.resource.version, "since": version.first})
        self.terms = terms
        if terms.schedule is None:
            del self.fields["whose"]
        else:
            field = self.fields["whose"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [(SERVICE, _("Those of the service")), (OWN, _("Its own"))]
            self.initial["whose"] = OWN if own else SERVICE
        for code, spans in zip(WEEKDAYS, version.week, strict=True):
            self._add_day(code, spans, data)

    def _add_day(self, code: str, spans: Sequence[Span], data: Mapping[str, Any] | None) -> None:
        sent = sum(f"{code}-{row}-opens" in data for row in range(MOST_ROWS)) if data else 0
        rows = min(MOST_ROWS, max(LEAST_ROWS, sent, len(spans) + 1 if len(spans) >= LEAST_ROWS else 0))
        day = WEEKDAY_NAMES[WEEKDAYS.index(code)]
        state = WHOLE if spans == (ALL_DAY,) else OPEN if spans else CLOSED
        self.fields[f"{code}-state"] = forms.ChoiceField(label=day, choices=STATES, initial=state)
        for row in range(rows):
            written = spans[row] if state == OPEN and row < len(spans) else (None, None)
            for name, value in zip(("opens", "closes"), written, strict=True):
                self.fields[f"{code}-{row}-{name}"] = forms.TimeField(
                    required=False,
                    initial=value,
                    widget=time_input(),
                    error_messages={"invalid": _("%(day)s: enter a time such as 09:00.") % {"day": day}},
                )

    @property
    def days(self) -> Iterator[DayFields]:
        for code, name in zip(WEEKDAYS, WEEKDAY_NAMES.values(), strict=True):
            pairs = [(self[f"{code}-{n}-opens"], self[f"{code}-{n}-closes"]) for n in range(self._rows(code))]
            yield DayFields(code, str(name), self[f"{code}-state"], pairs)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("whose") == SERVICE == self.initial["whose"] and self._has_typed_hours():
            cleaned["whose"] = OWN  # nobody types hours that are not to count
        if cleaned.get("whose") != SERVICE:
            cleaned["week"] = tuple(self._clean_day(code) for code in WEEKDAYS)
        return cleaned

    def change(self, versions: Sequence[Version]) -> Change:
        """What it means for hours that are `versions` now."""
        if self.cleaned_data.get("whose") == SERVICE:
            return Change(parameters={"availability": None})
        week: Week = self.cleaned_data["week"]
        return Change(parameters={"availability": write(put(versions, Version(self.cleaned_data["since"], week)))})

    def _has_typed_hours(self) -> bool:
        return any(name.partition("-")[0] in WEEKDAYS for name in self.changed_data)

    def _clean_day(self, code: str) -> tuple[Span, ...]:
        state, day = self.cleaned_data.get(f"{code}-state"), WEEKDAY_NAMES[WEEKDAYS.index(code)]
        if state != OPEN:
            return (ALL_DAY,) if state == WHOLE else ()
        spans: list[tuple[Span, str]] = []
        for row in range(self._rows(code)):
            names = (f"{code}-{row}-opens", f"{code}-{row}-closes")
            opens, closes = (self.cleaned_data.get(name) for name in names)
            if opens is not None and closes is not None:
                spans.append(((opens, closes), names[0]))
            elif opens is not None and names[1] not in self.errors:
                self.add_error(names[1], _("%(day)s: enter until when it is open.") % {"day": day})
            elif closes is not None and names[0] not in self.errors:
                self.add_error(names[0], _("%(day)s: enter from when on it is open.") % {"day": day})
        if not spans and not any(name.startswith(f"{code}-") for name in self.errors):
            self.add_error(f"{code}-0-opens", _("%(day)s: enter the hours, or choose Closed.") % {"day": day})
        self._no_overlap(sorted(spans), str(day))
        return tuple(sorted({span for span, _name in spans}))

    def _no_overlap(self, spans: Sequence[tuple[Span, str]], day: str) -> None:
        for ((before, until), _name), ((opens, _closes), name) in pairwise(spans):
            if opens < until or until <= before:
                text = _("%(day)s: these hours begin at %(time)s, before the others have ended.")
                self.add_error(name, text % {"day": day, "time": f"{opens:%H:%M}"})

    def _rows(self, code: str) -> int:
        return sum(f"{code}-{row}-opens" in self.fields for row in range(MOST_ROWS))


class RemoveVersionForm(VersionForm):
    """Which of the dated versions is no longer wanted."""

    since = forms.DateField(required=False, widget=forms.HiddenInput)

    def change(self, versions: Sequence[Version]) -> Change:
        return Change(parameters={"availability": write(remove(versions, self.cleaned_data["since"]))})


class ClosureForm(VersionForm):
    """When the service is not given, and why."""

    first = forms.DateField(
        label=gettext_lazy("From"),
        widget=date_input(),
        error_messages={"required": gettext_lazy("Enter the first day of the closure.")},
    )
    first_time = forms.TimeField(
        label=gettext_lazy("From, time"),
        help_text=gettext_lazy("Empty: the whole day"),
        required=False,
        widget=time_input(),
    )
    last = forms.DateField(
        label=gettext_lazy("To"),
        help_text=gettext_lazy("Empty: the same day"),
        required=False,
        widget=date_input(),
    )
    last_time = forms.TimeField(
        label=gettext_lazy("To, time"),
        help_text=gettext_lazy("Empty: to the end of the day"),
        required=False,
        widget=time_input(),
    )
    description = forms.CharField(
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("Optional. Staff see it, patients do not. For example, Training."),
        required=False,
        max_length=200,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms) -> None:
        super().__init__(data, initial={"version": terms.resource.version})
        self.zone = terms.zone
        if self.zone is None:  # whole days are the only times that mean the same everywhere
            del self.fields["first_time"], self.fields["last_time"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last") or cleaned.get("first")
        if first and last:
            from_time, to_time = cleaned.get("first_time"), cleaned.get("last_time")
            if (first, from_time or time.min) >= (last, to_time or time.max):
                self.add_error("last", _("A closure ends after it starts. Enter a later day or time."))
            cleaned["during"] = {"start": self._written(first, from_time), "end": self._written(last, to_time)}
        return cleaned

    def change(self, closures: Sequence[dict[str, Any]]) -> Change:
        description = {"description": text} if (text := self.cleaned_data["description"]) else {}
        entry = {**description, "during": self.cleaned_data["during"]}
        return Change(parameters={"not_available": [*closures, entry]})

    def _written(self, day: date, at: time | None) -> str:
        if at is None or self.zone is None:
            return day.isoformat()
        return datetime.combine(day, at, self.zone).isoformat()


class RemoveClosureForm(VersionForm):
    """Which closure is called off: its element, as it is kept."""

    entry = forms.JSONField(widget=forms.HiddenInput)

    def change(self, closures: Sequence[dict[str, Any]]) -> Change:
        return Change(parameters={"not_available": [each for each in closures if each != self.cleaned_data["entry"]]})


class ExtraForm(forms.Form):
    """Time on one day, beyond the weekly hours."""

    day = forms.DateField(
        label=gettext_lazy("Day"),
        widget=date_input(),
        error_messages={"required": gettext_lazy("Enter the day of the extra time.")},
    )
    opens = forms.TimeField(
        label=gettext_lazy("From"),
        widget=time_input(),
        error_messages={"required": gettext_lazy("Enter when the extra time begins.")},
    )
    closes = forms.TimeField(
        label=gettext_lazy("To"),
        help_text=gettext_lazy("At or before the start means the next day."),
        widget=time_input(),
        error_messages={"required": gettext_lazy("Enter when the extra time ends.")},
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), help_text=gettext_lazy("Optional."), required=False, max_length=200
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, today: date) -> None:
        super().__init__(data)
        self.today = today

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if day < self.today:
            raise ValidationError(_("This day has passed. Enter today or a later day."))
        return day

    @property
    def window(self) -> Window:
        return extra_hours(*(self.cleaned_data[name] for name in ("day", "opens", "closes")))


class LengthWidget(forms.MultiWidget):
    """How many, and of what."""

    template_name = "portal/length.html"
    use_fieldset = True

    def __init__(self) -> None:
        super().__init__(
            {
                "count": forms.NumberInput({"min": 0, "inputmode": "numeric"}),
                "unit": forms.Select(choices=UNITS),
            }
        )

    def decompress(self, value: Any) -> list[Any]:
        if not isinstance(value, timedelta):
            return [None, "60"]
        count = int(value.total_seconds() // 60)
        unit = next((unit for unit in (DAY_MINUTES, 60) if count and count % unit == 0), 1)
        return [count // unit, str(unit)]

    def id_for_label(self, id_: str | None) -> str:
        return f"{id_}_0"


UNITS = (
    ("1", gettext_lazy("minutes")),
    ("60", gettext_lazy("hours")),
    (str(DAY_MINUTES), gettext_lazy("days")),
)


class LengthField(forms.MultiValueField):
    """A length of time in whole minutes, hours or days, up to a year; None where nothing is entered."""

    def __init__(self, **kwargs: Any) -> None:
        count = forms.IntegerField(
            validators=[MinValueValidator(0), MaxValueValidator(525_600)],
            error_messages={"invalid": gettext_lazy("Enter a whole number.")},
        )
        super().__init__(
            fields=(count, forms.ChoiceField(choices=UNITS)), widget=LengthWidget(), require_all_fields=False, **kwargs
        )
        self.fields[1].required = False

    def clean(self, value: Any) -> Any:
        count = str((value or [""])[0] or "").strip()
        return super().clean(value if count else None)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True

    def compress(self, data_list: Any) -> timedelta | None:
        if not data_list or data_list[0] is None:
            return None
        length = timedelta(minutes=data_list[0] * int(data_list[1] or 1))
        if length > timedelta(days=365):
            raise ValidationError(_("Enter at most 365 days."))
        return length


class ParametersForm(VersionForm):
    """How long a visit takes and when one can start: columns of SchedulingParameters."""

    duration = forms.IntegerField(
        label=gettext_lazy("Length of a visit"), min_value=1, max_value=DAY_MINUTES, widget=forms.NumberInput
    )
    buffer_before = forms.IntegerField(
        label=gettext_lazy("Kept free before it"), min_value=0, max_value=DAY_MINUTES, required=False
    )
    buffer_after = forms.IntegerField(
        label=gettext_lazy("Kept free after it"), min_value=0, max_value=DAY_MINUTES, required=False
    )
    alignment_interval = forms.IntegerField(
        label=gettext_lazy("A visit can start every"), min_value=1, max_value=DAY_MINUTES, required=False
    )
    slot_capacity = forms.IntegerField(
        label=gettext_lazy("Patients at the same time"), min_value=1, max_value=200, required=False
    )

    PARAMETERS = ("duration", "buffer_before", "buffer_after", "alignment_interval", "slot_capacity")
    DEFAULTS = {"buffer_before": 0, "buffer_after": 0, "alignment_interval": 60, "slot_capacity": 1}

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms) -> None:
        super().__init__(data, initial={"version": terms.resource.version})
        self.terms = terms
        for name in self.PARAMETERS:
            self.initial[name] = getattr(terms.row, name) if terms.row else None
            self.fields[name].help_text = self._hint(name)

    def _hint(self, name: str) -> str:
        unit = _("Patients") if name == "slot_capacity" else _("Minutes")
        general = self._general(name)
        if general is None:
            return unit
        said = str(general) if name == "slot_capacity" else minutes(general)
        if self.terms.schedule:
            return _("%(unit)s. Empty: as the service, %(value)s.") % {"unit": unit, "value": said}
        return unit if name == "duration" else _("%(unit)s. Empty: %(value)s.") % {"unit": unit, "value": said}

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
    """Where one calendar gives the service differently, and its video room."""

    meeting_url = forms.URLField(
        label=gettext_lazy("Video room"),
        help_text=gettext_lazy(
            "Where visits by video on this calendar take place, whatever the service. It begins with https://."
        ),
        required=False,
        max_length=500,
        assume_scheme="https",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, terms: Terms) -> None:
        super().__init__(data, terms=terms)
        assert terms.schedule is not None
        self.initial["meeting_url"] = terms.schedule.meeting_url
        self.fields["duration"].required = self._general("duration") is None

    def change(self) -> Change:
        return Change(parameters=self._cleaned(*self.PARAMETERS), resource=self._cleaned("meeting_url"))


class ServiceSettingsForm(ParametersForm):
    """How the service is given on all calendars, and what a patient needs to have it."""

    minimum_notice = LengthField(
        label=gettext_lazy("Booked no later than"), help_text=gettext_lazy("So long before the visit. 0: at any time.")
    )
    booking_horizon_days = forms.IntegerField(
        label=gettext_lazy("Booked no earlier than"),
        help_text=gettext_lazy("Days before the visit. Empty: as far ahead as calendars go."),
        required=False,
        min_value=1,
        max_value=3650,
    )
    cancellation_notice = LengthField(
        label=gettext_lazy("Cancelled or moved no later than"),
        help_text=gettext_lazy("So long before the visit, by its patient. 0: at any time."),
    )
    eligibility = forms.ChoiceField(
        label=gettext_lazy("Whom it is for"), choices=HealthcareService.Eligibility.choices, widget=forms.RadioSelect
    )
    requires_coverage = forms.BooleanField(
        label=gettext_lazy("Only with insurance that is valid on the day"), required=False
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
        label=gettext_lazy("Only once its questions are answered"), required=False
    )
    preparation = forms.CharField(
        label=gettext_lazy("How to prepare"),
        help_text=gettext_lazy("What a patient reads once the visit is booked."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 4}),
    )

    RESOURCE = (
        "minimum_notice",
        "booking_horizon_days",
        "cancellation_notice",
        "eligibility",
        "requires_coverage",
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
            required = _("Enter how long; 0 where it may be at the last moment.")
            self.fields[name].error_messages["required"] = required
        reminders = sorted(service.reminders, reverse=True)
        self.reminder_names = [f"reminder-{n}" for n in range(max(REMINDERS, len(reminders) + 1))]
        for number, name in enumerate(self.reminder_names, start=1):
            self.fields[name] = LengthField(
                label=_("Reminder %(number)d") % {"number": number},
                help_text=_("Before the visit. Empty: none."),
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
