"""The planned visits of a course or of a move, and the form that chooses other times for those that are not free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clinic import time_text
from clinic.models.services import FEWEST_VISITS
from scheduling.availability import PlannedVisit, as_datetime

LEAVE_OUT = "leave-out"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A planned visit as the page shows it, with the field that asks for another time if it is not free."""

    number: int
    start: datetime
    end: datetime
    field: forms.BoundField | None


class PlannedTimesForm(forms.Form):
    """Form that asks for another time for each planned visit that is not free.

    A visit can be left out; in a move it stays where it is.
    """

    def __init__(
        self, *args: Any, planned: Sequence[PlannedVisit], zone: ZoneInfo, is_move: bool = False, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.planned, self.is_move = planned, is_move
        for visit in planned:
            if not visit.is_free:
                self.fields[_name(visit)] = _field(visit, zone, _("Leave it where it is") if is_move else "")

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not (self.errors or self.is_move) and len(self.starts) < FEWEST_VISITS:
            raise ValidationError(_("Only one visit is left. Choose another first time, or book one visit."))
        return self.cleaned_data

    @property
    def starts(self) -> dict[int, datetime]:
        """The start of each visit that is not left out, by its number, in order of time."""
        chosen = {visit.number: self._start(visit) for visit in self.planned}
        kept = [(start, number) for number, start in chosen.items() if start is not None]
        return {number: start for start, number in sorted(kept)}

    @property
    def changed(self) -> frozenset[int]:
        """The places, among the visits that are not left out, of those at a time of their own."""
        unlike = {visit.number for visit in self.planned if not visit.is_free}
        return frozenset(place for place, number in enumerate(self.starts, 1) if number in unlike)

    def _start(self, visit: PlannedVisit) -> datetime | None:
        if visit.is_free:
            return as_datetime(visit.start)
        value = self.cleaned_data[_name(visit)]
        return None if value == LEAVE_OUT else as_datetime(int(value))

    def rows(self, zone: ZoneInfo, length: int) -> list[PlannedRow]:
        """The planned visits by the clocks of the zone; a visit lasts so many seconds."""
        return [
            PlannedRow(
                visit.number,
                as_datetime(visit.start).astimezone(zone),
                as_datetime(visit.start + length).astimezone(zone),
                None if visit.is_free else self[_name(visit)],
            )
            for visit in self.planned
        ]


def _name(visit: PlannedVisit) -> str:
    return f"visit-{visit.number}"


def _field(visit: PlannedVisit, zone: ZoneInfo, leave_out: str) -> forms.ChoiceField:
    when = time_text.day_and_time(as_datetime(visit.start).astimezone(zone))
    others = [(str(start), time_text.day_and_time(as_datetime(start).astimezone(zone))) for start in visit.alternatives]
    return forms.ChoiceField(
        label=_("Visit %(number)d: %(when)s is not free") % {"number": visit.number, "when": when},
        help_text="" if others else _("No other time is free near it."),
        choices=[*others, (LEAVE_OUT, leave_out or _("Leave this visit out"))],
        initial="" if others else LEAVE_OUT,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose another time for visit %(number)d, or leave it out.") % {"number": visit.number},
            "invalid_choice": _("That time for visit %(number)d is no longer free. Choose another.")
            % {"number": visit.number},
        },
    )
