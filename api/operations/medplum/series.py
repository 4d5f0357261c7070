"""Recurring series as Medplum has them: the recurrenceTemplate of R5, as an extension of the first Appointment.

https://hl7.org/fhir/R5/appointment-definitions.html#Appointment.recurrenceTemplate. A visit of a series that differs
from the template has an extension of its own: in a proposal it names the free times instead of one in
conflict, and in a booking the time that was chosen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.operations.medplum.proposals import Window, proposed_appointment
from api.operations.medplum.slots import ProposalReader
from api.operations.parameters import moment, whole_number
from api.operations.proposals import contained_slots, instant_text, objects
from clinic.fhir import codes
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.models import HealthcareService
from clinic.models.services import FEWEST_VISITS, MOST_VISITS, MOST_WEEKS
from clinic.zones import ZONES, zone_named
from scheduling import availability
from scheduling.availability import FoundSeries
from scheduling.availability.series import LONGEST_SERIES
from scheduling.booking import BookingRequest, Occurrences, SeriesRequest
from scheduling.core.hours import local_date
from scheduling.core.series import Conflict, Recurrence

OCCURRENCES = "occurrences"
TEMPLATE = {
    "timezone": "valueCodeableConcept",
    "recurrenceType": "valueCodeableConcept",
    "occurrenceCount": "valuePositiveInt",
    "weeklyTemplate": "extension",
}
OCCURRENCE = {
    "recurrenceId": "valuePositiveInt",
    "start": "valueInstant",
    "conflict": "valueInstant",
    "alternative": "valueInstant",
}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY_WEEK = {"coding": [{"system": codes.UCUM, "code": "wk", "display": "week"}]}
WEEKLY = {**dict.fromkeys(WEEKDAYS, "valueBoolean"), "weekInterval": "valuePositiveInt"}


def series_proposals(
    found: Iterable[FoundSeries], service: HealthcareService, searched: Window, weeks: int
) -> list[Json]:
    """Return the entries of a searchset: for each series its first visit, with the template."""
    return [
        {"resource": _first_visit(series, service, searched, weeks), "search": {"mode": "match"}} for series in found
    ]


def _first_visit(series: FoundSeries, service: HealthcareService, searched: Window, weeks: int) -> Json:
    return {
        **proposed_appointment(service, series.offerings, searched),
        "extension": [
            _template(
                series.zone, WEEKDAYS[local_date(series.start, series.zone).weekday()], len(series.starts), weeks
            ),
            *(_conflict(conflict) for conflict in series.conflicts),
        ],
        "start": instant_text(series.start),
        "end": instant_text(series.end),
        "contained": contained_slots(series.offerings, series.start),
    }


def _template(zone: ZoneInfo, weekday: str, count: int, weeks: int) -> Json:
    weekly = [{"url": weekday, "valueBoolean": True}, {"url": "weekInterval", "valuePositiveInt": weeks}]
    return {
        "url": codes.RECURRENCE_TEMPLATE,
        "extension": [
            {"url": "timezone", "valueCodeableConcept": {"coding": [{"system": codes.IANA_ZONES, "code": zone.key}]}},
            {"url": "recurrenceType", "valueCodeableConcept": EVERY_WEEK},
            {"url": "occurrenceCount", "valuePositiveInt": count},
            {"url": "weeklyTemplate", "extension": weekly},
        ],
    }


def _conflict(conflict: Conflict) -> Json:
    return {
        "url": codes.SERIES_OCCURRENCE,
        "extension": [
            {"url": "recurrenceId", "valuePositiveInt": conflict.number},
            {"url": "conflict", "valueInstant": instant_text(conflict.start)},
            *({"url": "alternative", "valueInstant": instant_text(each)} for each in conflict.alternatives),
        ],
    }


# $hold and $book


@dataclass(frozen=True)
class SeriesTemplate:
    """A recurrenceTemplate that was sent, with the starts chosen for single visits, by number."""

    recurrence: Recurrence
    weekday: str
    chosen: Mapping[int, datetime]
    at: str

    def request_for(self, first: BookingRequest, reader: ProposalReader) -> SeriesRequest | None:
        """Return the request for the series whose first visit is given; None with an issue if it has no such dates."""
        recurrence, begin = self.recurrence, int(first.start.timestamp())
        if WEEKDAYS[local_date(begin, recurrence.zone).weekday()] != self.weekday:
            reader.refuse(f"Unsupported recurrenceTemplate: the first visit is not on a {self.weekday}", self.at)
            return None
        starts = {number: availability.as_datetime(at) for number, at in enumerate(recurrence.starts(begin), 1)}
        for number, start in starts.items():
            is_kept = recurrence.is_kept(begin, number - 1, int(start.timestamp()))
            if not is_kept and number not in self.chosen:
                text = f"Appointment {number} of {recurrence.count}: the clocks skip its local time on that day"
                reader.refuse(text, self.at, "business-rule")
                return None
        changed = frozenset(number for number, start in self.chosen.items() if start != starts[number])
        chosen = {**starts, **self.chosen}
        return SeriesRequest(first=first, starts=tuple(chosen.values()), zone=recurrence.zone, changed=changed)


def read_template(reader: ProposalReader) -> SeriesTemplate | None:
    """Return the template of a series and the starts that were chosen; None for one visit, or with issues."""
    extensions = list(objects(reader.appointment.get("extension")))
    for n, extension in extensions:
        if extension.get("url") == codes.RECURRENCE_ID:
            reader.refuse("recurrenceId is assigned by the server", f"extension[{n}]")
    for n, identifier in objects(reader.appointment.get("identifier")):
        if identifier.get("system") == codes.SERIES:
            reader.refuse("A series identifier is assigned by the server", f"identifier[{n}]")
    templates = [(n, each) for n, each in extensions if each.get("url") == codes.RECURRENCE_TEMPLATE]
    if len(templates) > 1:
        reader.refuse("Unsupported recurrenceTemplate: there is more than one", f"extension[{templates[1][0]}]")
    if len(templates) != 1:
        return None
    n, template = templates[0]
    found = len(reader.issues)
    read = reader.read(_read_template, template, f"extension[{n}]")
    if read is None:
        return None
    recurrence, weekday = read
    chosen: dict[int, datetime] = {}
    for m, extension in extensions:
        if extension.get("url") == codes.SERIES_OCCURRENCE:
            occurrence = reader.read(_read_occurrence, extension, f"extension[{m}]")
            if occurrence and occurrence[1] is not None:
                chosen[occurrence[0]] = occurrence[1]
                if not 2 <= occurrence[0] <= recurrence.count:
                    text = f"recurrenceId is a number from 2 to {recurrence.count}: the first visit has its own start"
                    reader.refuse(text, f"extension[{m}]")
    return SeriesTemplate(recurrence, weekday, chosen, f"extension[{n}]") if len(reader.issues) == found else None


def occurrences(value: Any) -> Occurrences:
    """Read the visits of a series that a change is for."""
    if value not in list(Occurrences):
        raise InvalidElement(f"occurrences must be one of {', '.join(Occurrences)}")
    return Occurrences(value)


def _read_template(template: Json) -> tuple[Recurrence, str]:
    """Return the recurrence and its weekday. Anything that is not understood is refused."""
    parts = _parts(template, TEMPLATE)
    for name in TEMPLATE:
        if name not in parts:
            raise _unsupported(f"it has no {name}")
    zone, kind = (_code(parts[name]) for name in ("timezone", "recurrenceType"))
    if zone[0] != codes.IANA_ZONES or zone[1] not in ZONES:
        raise _unsupported("timezone is not one of the IANA database, such as America/New_York")
    if kind != (codes.UCUM, "wk"):
        raise _unsupported("recurrenceType is not wk")
    count = whole_number("occurrenceCount", FEWEST_VISITS, MOST_VISITS)(parts["occurrenceCount"])
    weekly = _parts({"extension": parts["weeklyTemplate"]}, WEEKLY)
    weeks = whole_number("weekInterval", 1, MOST_WEEKS)(weekly.pop("weekInterval", 1))
    weekdays = [day for day, value in weekly.items() if value is True]
    if len(weekdays) != 1:
        raise _unsupported("weeklyTemplate is not for one weekday")
    if timedelta(weeks=weeks * (count - 1)) > LONGEST_SERIES:
        raise _unsupported(f"it lasts longer than {LONGEST_SERIES.days // 7} weeks")
    return Recurrence(count, weeks, zone_named(zone[1])), weekdays[0]


def _read_occurrence(extension: Json) -> tuple[int, datetime | None]:
    """Return the number of a visit and the start that was chosen for it; None if none was."""
    parts = _parts(extension, OCCURRENCE, repeated="alternative")
    number = whole_number("recurrenceId", 1, MOST_VISITS)(parts.get("recurrenceId"))
    return number, moment(parts["start"]) if "start" in parts else None


def _parts(extension: Json, known: Mapping[str, str], repeated: str = "") -> dict[str, Any]:
    """Return the values of the extensions in an extension, each of which may be there once."""
    parts: dict[str, Any] = {}
    for _, part in objects(extension.get("extension")):
        url = str(part.get("url"))[:64]
        if url not in known or known[url] not in part:
            raise _unsupported(f"{url} is not understood")
        if url in parts and url != repeated:
            raise _unsupported(f"there is more than one {url}")
        parts[url] = part[known[url]]
    return parts


def _code(concept: Any) -> tuple[Any, Any]:
    """Return the system and the code of the one coding of a concept."""
    codings = list(objects(concept.get("coding"))) if isinstance(concept, dict) else []
    return (codings[0][1].get("system"), codings[0][1].get("code")) if len(codings) == 1 else (None, None)


def _unsupported(why: str) -> InvalidElement:
    return InvalidElement(f"Unsupported recurrenceTemplate: {why}", "not-supported")
