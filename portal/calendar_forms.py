"""What the people of a clinic tell its calendars, checked. Whether it can be done is asked of scheduling, not here."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import HealthcareService, Patient, Schedule
from portal import wall
from portal.calendar import DAY
from portal.fields import DatePartsField
from scheduling.core.hours import instant, whole_days
from scheduling.core.intervals import Span

FIRST, SECOND = "0", "1"
LONGEST = timedelta(days=366)  # that a block is repeated for
WEEKDAYS = (
    ("0", _("Monday")),
    ("1", _("Tuesday")),
    ("2", _("Wednesday")),
    ("3", _("Thursday")),
    ("4", _("Friday")),
    ("5", _("Saturday")),
    ("6", _("Sunday")),
)


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M", attrs={"step": 60})


class LookForm(forms.Form):
    """Which day, and whose calendar. What cannot be read is as if it were not there."""

    date = forms.DateField(required=False)
    start = forms.DateTimeField(required=False)
    end = forms.DateTimeField(required=False)
    schedule = forms.CharField(required=False, max_length=64)
    minutes = forms.IntegerField(required=False, min_value=1, max_value=24 * 60)
    version = forms.IntegerField(required=False)

    def asked(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)


class WhenForm(forms.Form):
    """A day and a time of it on the wall of `zone`; of an hour that comes twice, which."""

    date = forms.DateField(
        label=_("Day"), widget=DateInput(), error_messages={"required": _("Enter the day of the visit.")}
    )
    time = forms.TimeField(
        label=_("Time"), widget=TimeInput(), error_messages={"required": _("Enter the time of the visit.")}
    )
    again = forms.ChoiceField(
        label=_("The clocks go back that night and show this time twice. Which one?"),
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
        moments = wall.instants(local, self.zone)
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
        """The time that the fields show, as far as it is one."""
        if self.is_bound:
            found: datetime | None = getattr(self, "cleaned_data", {}).get("start")
            return found.astimezone(self.zone) if found else None
        moments = wall.instants(datetime.combine(self.initial["date"], self.initial["time"]), self.zone)
        if not moments:
            return None
        return moments[min(int(self.initial["again"]), len(moments) - 1)].astimezone(self.zone)

    @staticmethod
    def shown(start: datetime) -> dict[str, Any]:
        """The values that stand for a local time."""
        return {"date": start.date(), "time": start.time(), "again": str(start.fold)}


def _calendar_field(schedules: Iterable[Schedule]) -> forms.ChoiceField:
    """All of one site, which the page names already."""
    choices = [(each.fhir_id, str(each.bookable.actor)) for each in schedules]
    return forms.ChoiceField(label=_("Calendar"), choices=choices)


def _clean_override(form: forms.Form) -> None:
    """A reason counts only where the button was pressed that asks for it, and that button asks for a reason."""
    if "anyway" not in form.data:
        form.cleaned_data["override"] = ""
    elif not form.cleaned_data.get("override"):
        form.add_error("override", _("Enter the reason."))


OVERRIDE: dict[str, Any] = {
    "label": _("Reason for doing it anyway"),
    "help_text": _("It is kept with your name."),
    "required": False,
    "max_length": 500,
}


class VisitForm(WhenForm):
    """A new visit: for whom, what, when, on which calendar."""

    calendar = forms.ChoiceField()
    service = forms.ChoiceField(label=_("Visit"), error_messages={"required": _("Choose the visit.")})
    patient = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    search = forms.CharField(
        label=_("Find a patient"),
        help_text=_("Name, date of birth, phone number or record number."),
        required=False,
        max_length=100,
    )
    given = forms.CharField(label=_("Given names"), required=False, max_length=200)
    family = forms.CharField(label=_("Family name"), required=False, max_length=200)
    birth_date = DatePartsField(label=_("Date of birth"), required=False)
    phone = forms.CharField(label=_("Phone"), required=False, max_length=50, widget=forms.TextInput({"type": "tel"}))
    email = forms.EmailField(label=_("E-mail"), required=False)
    comment = forms.CharField(
        label=_("Reason or note"), required=False, max_length=1000, widget=forms.Textarea({"rows": 2})
    )
    tell = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)
    override = forms.CharField(**OVERRIDE)

    field_order = ("calendar", "service", "date", "time", "again")

    def __init__(
        self, *args: Any, schedules: Sequence[Schedule], services: Sequence[HealthcareService], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"] = _calendar_field(schedules)
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
        elif not given or not family:
            self.add_error("family" if given else "given", _("A new patient has given names and a family name."))
        elif not self.cleaned_data.get("birth_date") and "birth_date" not in self.errors:
            self.add_error("birth_date", _("Enter the date of birth of the new patient."))
        return self.cleaned_data

    @property
    def is_new_patient(self) -> bool:
        return not self.cleaned_data.get("patient")

    @property
    def new_patient_opened(self) -> bool:
        return any(self.data.get(self.add_prefix(each)) for each in ("given", "family")) if self.is_bound else False

    def make_patient(self, *, now: datetime) -> Patient:
        names = ("given", "family", "birth_date", "phone", "email")
        return Patient.objects.create(last_updated=now, **{each: self.cleaned_data[each] for each in names})


class MoveForm(WhenForm):
    """Another time, calendar or length for a visit, which is at `version`."""

    calendar = forms.ChoiceField()
    minutes = forms.IntegerField(
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
        self.fields["calendar"] = _calendar_field(schedules)

    def clean(self) -> dict[str, Any]:
        super().clean()
        _clean_override(self)
        return self.cleaned_data


class BlockForm(forms.Form):
    """Time to keep free of visits: from a time to a time, or whole days; once, or on weekdays until a day."""

    REASONS = [
        ("leave", _("Leave")),
        ("lunch", _("Lunch")),
        ("meeting", _("Meeting")),
        ("other", _("Something else")),
    ]

    calendar = forms.ChoiceField()
    reason = forms.ChoiceField(label=_("What for?"), choices=REASONS, widget=forms.RadioSelect, initial="leave")
    note = forms.CharField(label=_("Note"), required=False, max_length=200)
    first = forms.DateField(
        label=_("First day"), widget=DateInput(), error_messages={"required": _("Enter the first day.")}
    )
    last = forms.DateField(label=_("Last day"), help_text=_("Empty: the same day."), widget=DateInput(), required=False)
    all_day = forms.BooleanField(label=_("All day"), required=False)
    start = forms.TimeField(label=_("From"), widget=TimeInput(), required=False)
    end = forms.TimeField(label=_("To"), widget=TimeInput(), required=False)
    weekdays = forms.MultipleChoiceField(
        label=_("Repeat every week on"), choices=WEEKDAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    until = forms.DateField(label=_("Until"), widget=DateInput(), required=False)
    around = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, schedules: Sequence[Schedule], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"] = _calendar_field(schedules)

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        first, last, until = given.get("first"), given.get("last"), given.get("until")
        if not given.get("all_day"):
            for each in ("start", "end"):
                if given.get(each) is None and each not in self.errors:
                    self.add_error(each, _("Enter a time, or choose all day."))
        if first and last and last < first:
            self.add_error("last", _("The last day is on the first day or after it."))
        if given.get("weekdays"):
            self._clean_repeat(first, last, until)
        if given.get("reason") == "other" and not given.get("note"):
            self.add_error("note", _("Say in a few words what it is for."))
        timed = not self.errors and not given["all_day"]
        if timed and (last or first) == first and given["end"] <= given["start"]:
            self.add_error("end", _("It ends after it starts; for a night, enter the day after as the last day."))
        return given

    def _clean_repeat(self, first: date | None, last: date | None, until: date | None) -> None:
        if until is None:
            if "until" not in self.errors:
                self.add_error("until", _("Enter the day until which it is repeated."))
        elif first and not first <= until <= first + LONGEST:
            self.add_error("until", _("Choose a day after the first one, and at most a year later."))
        if first and last and last > first:
            self.add_error("last", _("What is repeated every week lasts a day at most. Leave this empty."))

    @property
    def comment(self) -> str:
        """What stands in the calendar."""
        word = str(dict(self.REASONS)[self.cleaned_data["reason"]])
        note: str = self.cleaned_data["note"]
        if self.cleaned_data["reason"] == "other":
            return note
        return f"{word}: {note}" if note else word

    def occasions(self, zone: ZoneInfo) -> list[Span]:
        """The spans of time that it means, in order, on the wall of `zone`."""
        first: date = self.cleaned_data["first"]
        last: date = self.cleaned_data["last"] or first
        if not self.cleaned_data["weekdays"]:
            return [self._span(first, last, zone)]
        wanted = {int(each) for each in self.cleaned_data["weekdays"]}
        days = (first + n * DAY for n in range((self.cleaned_data["until"] - first).days + 1))
        spans = [self._span(day, day, zone) for day in days if day.weekday() in wanted]
        return [(start, end) for start, end in spans if start < end]  # the clocks may skip all of one

    def _span(self, first: date, last: date, zone: ZoneInfo) -> Span:
        if self.cleaned_data["all_day"]:
            return whole_days(first, last, zone)
        start: time = self.cleaned_data["start"]
        end: time = self.cleaned_data["end"]
        return instant(first, start, zone), instant(last, end, zone)


class ExtentForm(forms.Form):
    """How much of a repeated block goes."""

    extent = forms.ChoiceField(
        label=_("What to remove"),
        choices=[("one", _("This one")), ("following", _("This and those after it")), ("all", _("All of them"))],
        widget=forms.RadioSelect,
        initial="one",
    )
