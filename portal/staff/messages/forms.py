"""Form of a message in the words of staff: to whom it goes, and its text."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic import placeholders
from clinic.models import Absence, Event, HealthcareService, Schedule, StaffMessage
from clinic.models.staff_messages import BODY_LENGTH, SUBJECT_LENGTH
from clinic.translations import text_of
from portal.common.fields import DayField
from portal.common.schedules import name_of

VISITS, WAITING, ABSENCE = "visits", "waiting", "absence"


class StaffMessageForm(forms.Form):
    """Form for the selection and the text. `version` is the one of a draft that staff have seen."""

    whom = forms.ChoiceField(
        label=_("Who is it for?"),
        choices=[(VISITS, _("Patients with a visit")), (WAITING, _("Patients on the waiting list"))],
        widget=forms.RadioSelect,
        initial=VISITS,
    )
    calendars = forms.MultipleChoiceField(
        label=_("Calendars"),
        help_text=_("None chosen: all calendars that you work with."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    first = DayField(label=_("First day"), required=False)
    last = DayField(label=_("Last day"), help_text=_("Leave empty for the same day."), required=False)
    service = forms.ChoiceField(label=_("Waiting list of"), required=False)
    subject = forms.CharField(
        label=_("Subject"),
        help_text=_("Of an email. Texts have none."),
        max_length=SUBJECT_LENGTH,
        error_messages={"required": _("Enter a subject.")},
    )
    body = forms.CharField(
        label=_("Message"),
        max_length=BODY_LENGTH,
        widget=forms.Textarea({"rows": 6}),
        error_messages={"required": _("Enter the message.")},
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        schedules: Sequence[Schedule],
        services: Sequence[HealthcareService],
        absence: Absence | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self._schedules = {each.fhir_id: each for each in schedules}
        self._services = {each.fhir_id: each for each in services}
        self.absence = absence
        for name, choices in (
            ("calendars", [(each.fhir_id, name_of(each)) for each in schedules]),
            ("service", [("", _("Choose")), *((each.fhir_id, text_of(each, "name")) for each in services)]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
        if absence is not None:
            for name in ("whom", "calendars", "first", "last", "service"):
                del self.fields[name]
        elif not services:
            for name in ("whom", "service"):
                del self.fields[name]

    @property
    def is_to_waiting(self) -> bool:
        """True if it goes to the waiting list of a service."""
        return self.cleaned_data.get("whom") == WAITING

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        if self.is_to_waiting:
            if not given.get("service"):
                self.add_error("service", _("Choose the waiting list."))
        elif self.absence is None:
            if not given.get("first") and "first" not in self.errors:
                self.add_error("first", _("Enter the first day."))
            if given.get("first") and given.get("last") and given["last"] < given["first"]:
                self.add_error("last", _("The last day must be the first day or later."))
        among = placeholders.OF_NOTES_TO_WAITING if self.is_to_waiting else placeholders.OF_NOTES
        for name in ("subject", "body"):
            try:
                placeholders.check(given.get(name, ""), Event.NOTE, among)
            except ValidationError as error:
                self.add_error(name, error)
        return given

    def fill(self, message: StaffMessage) -> StaffMessage:
        """Set the selection and the text of a draft as a valid form says."""
        given = self.cleaned_data
        message.subject, message.body, message.absence = given["subject"], given["body"], self.absence
        message.service = self._services[given["service"]] if self.is_to_waiting else None
        has_days = self.absence is None and not self.is_to_waiting
        message.first = given["first"] if has_days else None
        message.last = given["last"] if has_days else None
        message.calendars = [self._schedules[each].pk for each in given["calendars"]] if has_days else []
        if given.get("version"):
            message.version = given["version"]
        return message


def initial_of(message: StaffMessage, schedules: Sequence[Schedule]) -> dict[str, Any]:
    """The values of the form for a draft."""
    return {
        "whom": WAITING if message.service else VISITS,
        "calendars": [each.fhir_id for each in schedules if each.pk in message.calendars],
        "first": message.first,
        "last": message.last,
        "service": message.service.fhir_id if message.service else "",
        "subject": message.subject,
        "body": message.body,
        "version": message.version,
    }
