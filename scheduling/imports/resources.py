"""FHIR resources of the lines of a file. Each is then written as any other software's: scheduling.interactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clinic.available_time import recurrence_extension
from clinic.fhir import codes
from clinic.fhir.datatypes import Json, instant, minutes
from clinic.models import Appointment
from clinic.models.base import new_fhir_id
from scheduling.imports import values
from scheduling.imports.known import KnownRows
from scheduling.interactions import Entry

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its number, from 1, and its cells by the names of the fields, without empty ones."""

    number: int
    cells: Cells


def patient(line: Line) -> list[Entry]:
    cells = line.cells
    address = {
        "line": [cells["street"]] if "street" in cells else None,
        "city": cells.get("city"),
        "state": cells.get("state"),
        "postalCode": cells.get("postal_code"),
    }
    language = values.read_language(cells["language"]) if "language" in cells else None
    resource = _person(line, "Patient") | {
        "birthDate": values.read_day(cells["born"]).isoformat() if "born" in cells else None,
        "gender": values.read_gender(cells["gender"]) if "gender" in cells else None,
        "address": [_filled(address)] if any(address.values()) else None,
        "communication": [{"language": _language(language), "preferred": True}] if language else None,
    }
    return [_entry(line, resource)]


def practitioner(line: Line) -> list[Entry]:
    return [_entry(line, _person(line, "Practitioner"))]


def service(line: Line, known: KnownRows) -> list[Entry]:
    length = minutes(values.read_minutes(line.cells["minutes"]))
    parameters = [{"url": "duration", "valueDuration": length}, {"url": "alignmentInterval", "valueDuration": length}]
    resource = _resource(line, "HealthcareService") | {
        "name": line.cells["name"],
        "comment": line.cells.get("description"),
        "type": [known.service_type(line.cells["type"])] if "type" in line.cells else None,
        "extension": [{"url": codes.SCHEDULING_PARAMETERS, "extension": parameters}],
    }
    return [_entry(line, resource)]


def calendar(lines: Sequence[Line], known: KnownRows) -> list[Entry]:
    """The Schedule of a practitioner at a site, with the hours of all its lines."""
    first = lines[0]
    windows: dict[str, list[Json]] = {}
    for line in lines:
        for name in known.service_names(line.cells["services"]):
            windows.setdefault(known.service(name).reference, []).append(_window(line))
    site, person = known.site(first.cells.get("site", "")), known.practitioner(first.cells["practitioner"])
    known.require_no_calendar(person, site)
    extensions = [_parameters(reference, times) for reference, times in windows.items()]
    if site:
        extensions.append({"url": codes.SITE, "valueReference": {"reference": site.reference}})
    resource = {
        "resourceType": "Schedule",
        "actor": [{"reference": person.reference}],
        "serviceType": [
            {"extension": [{"url": codes.SERVICE_TYPE_REFERENCE, "valueReference": {"reference": reference}}]}
            for reference in windows
        ],
        "extension": extensions,
    }
    return [_entry(first, resource)]


def visit(line: Line, known: KnownRows, *, now: datetime) -> list[Entry]:
    """The Appointment, with a Slot for its time unless it was cancelled. A booked visit that is over took place."""
    cells = line.cells
    person, service = known.practitioner(cells["practitioner"]), known.service(cells["service"])
    schedule = known.schedule(person, cells.get("site", ""))
    day, clock = values.read_day(cells["day"]), values.read_clock(cells["start"])
    start = values.read_moment(day, clock, known.zone(schedule))
    length = values.read_minutes(cells["minutes"]) if "minutes" in cells else known.length(service)
    end = start.astimezone(UTC) + timedelta(minutes=length)
    status = values.read_status(cells["status"]) if "status" in cells else Appointment.Status.BOOKED
    if status == Appointment.Status.BOOKED and end <= now:
        status = Appointment.Status.FULFILLED
    times = {"start": instant(start), "end": instant(end)}
    slot = {"resourceType": "Slot", "schedule": {"reference": schedule.reference}, "status": "busy", **times}
    slots = [] if status == Appointment.Status.CANCELLED else [_entry(line, slot)]
    actors = (known.patient(cells["patient"]), person.reference)
    resource = _resource(line, "Appointment") | {
        "status": str(status),
        **times,
        "comment": cells.get("comment"),
        "serviceType": [
            {"extension": [{"url": codes.SERVICE_TYPE_REFERENCE, "valueReference": {"reference": service.reference}}]}
        ],
        "slot": [{"reference": each.reference} for each in slots] or None,
        "participant": [{"actor": {"reference": actor}, "status": "accepted"} for actor in actors],
    }
    return [*slots, _entry(line, resource)]


def _window(line: Line) -> Json:
    opens, closes = (values.read_clock(line.cells[name]) for name in ("opens", "closes"))
    parts: list[Json] = [{"url": "daysOfWeek", "valueCode": day} for day in values.read_days(line.cells["days"])]
    parts += [
        {"url": "availableStartTime", "valueTime": opens.isoformat()},
        {"url": "availableEndTime", "valueTime": closes.isoformat()},
    ]
    if weeks := line.cells.get("weeks"):
        parts += recurrence_extension(values.read_weeks(weeks))
    return {"url": "availableTime", "extension": parts}


def _parameters(service: str, windows: list[Json]) -> Json:
    parts = [
        {"url": "service", "valueReference": {"reference": service}},
        {"url": "availability", "extension": windows},
    ]
    return {"url": codes.SCHEDULING_PARAMETERS, "extension": parts}


def _person(line: Line, kind: str) -> Json:
    cells = line.cells
    name = {
        "family": cells["family"],
        "given": cells["given"].split() if "given" in cells else None,
        "prefix": [cells["prefix"]] if "prefix" in cells else None,
    }
    telecom = [
        *([{"system": "phone", "value": values.read_phone(cells["phone"])}] if "phone" in cells else []),
        *([{"system": "email", "value": values.read_email(cells["email"])}] if "email" in cells else []),
    ]
    return _resource(line, kind) | {"name": [_filled(name)], "telecom": telecom or None}


def _language(tag: str) -> Json:
    return {"coding": [{"system": "urn:ietf:bcp:47", "code": tag}]}


def _resource(line: Line, kind: str) -> Json:
    identifier = {"system": codes.IMPORTED, "value": values.read_number(line.cells["number"])}
    return {"resourceType": kind, "identifier": [identifier]}


def _entry(line: Line, resource: Json) -> Entry:
    """The creation of a resource; its index is the number of the line, which a refusal names."""
    fhir_id, kind = new_fhir_id(), resource["resourceType"]
    resource = _filled({**resource, "id": fhir_id})
    return Entry(type=kind, interaction="create", resource=resource, fhir_id=fhir_id, index=line.number)


def _filled(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}
