"""Closures in words."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic import formats, time_text
from clinic.fhir.datatypes import Json

DATE = len("2026-12-31")


@dataclass(frozen=True, slots=True)
class Closure:
    """A notAvailable element, with its time in words."""

    entry: Json
    when: str
    description: str
    is_over: bool

    @property
    def json(self) -> str:
        """The element as JSON, for a hidden field."""
        return json.dumps(self.entry)


def closure(entry: Json, zone: ZoneInfo, today: date) -> Closure:
    during = entry.get("during") or {}
    start: str | None = during.get("start")
    end: str | None = during.get("end")
    is_over = end is not None and end[:DATE] < today.isoformat()[: len(end[:DATE])]
    return Closure(entry, _during(start, end, zone), entry.get("description", ""), is_over)


def _during(start: str | None, end: str | None, zone: ZoneInfo) -> str:
    first, last = (_moment(each, zone) if each else "" for each in (start, end))
    if start and end and start[:DATE] == end[:DATE] and first != last and len(start) > DATE < len(end):
        opens, closes = (datetime.fromisoformat(each).astimezone(zone) for each in (start, end))
        return formats.day_and_clock(time_text.full_day(opens), time_text.hours(opens, closes))
    if first == last:
        return first or _("Never")
    if first and last:
        return formats.between(first, last)
    return _("From %(day)s on") % {"day": first} if first else _("Until %(day)s") % {"day": last}


def _moment(written: str, zone: ZoneInfo) -> str:
    """Return a FHIR dateTime (year, month, day or instant) in words."""
    if len(written) < DATE:
        return time_text.partial_day(written)
    if len(written) == DATE:
        return time_text.full_day(date.fromisoformat(written))
    moment = datetime.fromisoformat(written).astimezone(zone)
    return formats.day_and_clock(time_text.full_day(moment), time_text.clock(moment))
