"""Form for an absence: who is away, from when to when, and why."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.local_time import in_zone
from clinic.models import Absence
from clinic.models.absences import NOTICE_LENGTH, REASON_LENGTH
from portal.common.fields import ClockField, DayField
from portal.staff.absences.people import Absentee, groups_of
from scheduling.availability import as_datetime
from scheduling.booking import AbsenceRequest
from scheduling.core.hours import instant, whole_days


class AbsenceForm(forms.Form):
    """Form for an absence: whole days, unless times are given. `version` is the one that staff have seen."""

    who = forms.ChoiceField(label=_("Who or what is away?"), error_messages={"required": _("Choose who is away.")})
    first = DayField(label=_("First day"), error_messages={"required": _("Enter the first day.")})
    start = ClockField(label=_("From"), help_text=_("Leave empty for the whole day."), required=False)
    last = DayField(label=_("Last day"), help_text=_("Leave empty for the same day."), required=False)
    end = ClockField(label=_("To"), help_text=_("Leave empty for the whole day."), required=False)
    reason = forms.CharField(
        label=_("Why?"),
        help_text=_("Only staff see this, on the calendar."),
        required=False,
        max_length=REASON_LENGTH,
    )
    notice = forms.CharField(
        label=_("What patients are told"),
        help_text=_("A sentence in the message to them, such as: Dr. Chen is ill. Leave it empty to say nothing."),
        required=False,
        max_length=NOTICE_LENGTH,
        widget=forms.Textarea({"rows": 2}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, people: Sequence[Absentee], absence: Absence | None = None, **more: Any) -> None:
        self._people = {each.key: each for each in people}
        if absence is not None:
            absentee = next(each for each in people if each.is_of(absence))
            self._people = {absentee.key: absentee}
            more["initial"] = _initial(absence, absentee)
        super().__init__(*args, **more)
        field = self.fields["who"]
        assert isinstance(field, forms.ChoiceField)
        chosen = groups_of(list(self._people.values()))
        field.choices = chosen if absence else [("", _("Choose")), *chosen]

    def clean(self) -> dict[str, Any]:
        super().clean()
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            raise ValidationError({"last": _("The last day must be the first day or later.")})
        if not self.errors:
            start, end = self._span
            if start >= end:
                raise ValidationError({"end": _("The end must be after the start.")})
        return self.cleaned_data

    @property
    def request(self) -> AbsenceRequest:
        """The absence that a valid form describes."""
        start, end = self._span
        return AbsenceRequest(
            bookable=self._absentee.bookable,
            site=self._absentee.site,
            start=start,
            end=end,
            reason=self.cleaned_data["reason"],
            notice=self.cleaned_data["notice"],
            version=self.cleaned_data["version"] or 0,
        )

    @property
    def _absentee(self) -> Absentee:
        return self._people[self.cleaned_data["who"]]

    @property
    def _span(self) -> tuple[datetime, datetime]:
        given, zone = self.cleaned_data, self._absentee.zone
        first: date = given["first"]
        last: date = given["last"] or first
        start, end = whole_days(first, last, zone)
        if given.get("start"):
            start = instant(first, given["start"], zone)
        if given.get("end"):
            end = instant(last, given["end"], zone)
        return as_datetime(start), as_datetime(end)


def _initial(absence: Absence, absentee: Absentee) -> dict[str, Any]:
    """The values of the form for a recorded absence. Midnight is a whole day, and needs no time."""
    zone = absentee.zone
    start, end = in_zone(absence.start, zone), in_zone(absence.end, zone)
    is_midnight = end.time() == time()
    last = in_zone(as_datetime(int(absence.end.timestamp()) - 1), zone).date() if is_midnight else end.date()
    return {
        "who": absentee.key,
        "first": start.date(),
        "start": None if start.time() == time() else start.time(),
        "last": last,
        "end": None if is_midnight else end.time(),
        "reason": absence.reason,
        "notice": absence.notice,
        "version": absence.version,
    }
