"""Combined visits as the pages show and post them: several services, or several patients, one after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.models import HealthcareService
from portal.common.days import moment_of
from portal.finding import times
from portal.finding.forms import CHOICE
from portal.finding.times import Choice, Menu
from scheduling.availability import FoundVisit, as_datetime
from scheduling.booking.combined import MOST

Posted = tuple[str, datetime, tuple[str, ...]]  # the id of a service, the start, the ids of the schedules


@dataclass(frozen=True, slots=True)
class CombinedChoice:
    """Combined visits as a button or radio shows and posts them: each visit with its service, in order of time."""

    visits: tuple[tuple[HealthcareService, Choice], ...]
    value: str

    @property
    def start(self) -> datetime:
        return self.visits[0][1].start

    @property
    def end(self) -> datetime:
        return max(choice.end for _service, choice in self.visits)

    @property
    def with_whom(self) -> str:
        """The people of all visits, each once."""
        return ", ".join(dict.fromkeys(choice.with_whom for _service, choice in self.visits if choice.with_whom))


def choice_of(visits: Sequence[FoundVisit], menus: Sequence[Menu]) -> CombinedChoice:
    """Return the visits of a combination with the menus of their parts."""
    shown = tuple(
        (each.service, menus[each.part].choice_of(each.offerings, as_datetime(each.start))) for each in visits
    )
    by_part = sorted(visits, key=lambda each: each.part)
    value = "|".join(
        f"{each.service.fhir_id}@{times.time_value(as_datetime(each.start), each.offerings)}" for each in by_part
    )
    return CombinedChoice(shown, value)


class CombinedForm(forms.Form):
    """Form for chosen combined visits, as `choice_of` writes them: in the order of the parts."""

    visits = forms.CharField(max_length=6000, error_messages={"required": _("Choose one of the times.")})

    def clean_visits(self) -> list[Posted]:
        return read_visits(self.cleaned_data["visits"])


def read_visits(value: str) -> list[Posted]:
    """Return the visits of a posted value. Raises ValidationError."""
    return [_read(part) for part in value.split("|")[: MOST + 1]]


def _read(part: str) -> Posted:
    service, _at, time = part.partition("@")
    match = CHOICE.fullmatch(time)
    start = moment_of(match["start"]) if match else None
    if match is None or start is None:
        raise ValidationError(_("Choose one of the times."))
    return service, start, tuple(match["schedules"].split("~")[1:])
