"""Kept time in words."""

import json
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.dates import WEEKDAYS as WEEKDAY_NAMES
from django.utils.translation import gettext as _

from clinic import formats, time_text
from clinic.fhir.datatypes import Json
from portal.staff.hours.descriptions import spans_in_words
from scheduling import availability
from scheduling.opening import OpenSpan


@dataclass(frozen=True, slots=True)
class KeptLine:
    """An entry of kept time in words: when it is, and until when it is kept."""

    entry: Json
    when: str
    until: str

    @property
    def json(self) -> str:
        """The entry as JSON, for a hidden field."""
        return json.dumps(self.entry)


def kept_line(entry: Json, today: date) -> KeptLine:
    [kept] = availability.kept_times_of([entry])
    [window] = kept.hours
    days = formats.listed(str(WEEKDAY_NAMES[day]) for day in formats.weekdays() if day in window.weekdays)
    hours = spans_in_words([OpenSpan(window.opens, window.closes, window.recurrence)], today)
    return KeptLine(entry, _("%(days)s: %(hours)s") % {"days": days, "hours": hours}, _until(kept.released_before))


def _until(before: timedelta | None) -> str:
    if before is None:
        return _("kept to the end")
    if not before:
        return _("opened to all visits when it begins")
    return _("opened to all visits %(length)s before") % {"length": time_text.length(before)}
