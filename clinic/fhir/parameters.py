"""Medplum's extension SchedulingParameters: duration, buffers, grid, capacity, limits and hours of a service.

https://www.medplum.com/docs/scheduling/defining-availability. On a HealthcareService it applies to all schedules, and
the hours are the service's `availableTime`. On a Schedule it names its `service` and can have hours of its own.
The extension stays in `extra` as it was sent, and is returned as long as it still means what the columns hold.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from clinic.available_time import AVAILABILITY_PERIOD, AVAILABILITY_RECURRENCE, period_of, weeks_of
from clinic.fhir.codes import KEPT_TIME, NEW_PATIENT_SESSION_LIMIT, SCHEDULING_PARAMETERS, SESSION_LIMIT
from clinic.fhir.datatypes import Json, minutes, read_minutes, read_period, read_zone
from clinic.fhir.issues import InvalidElement
from clinic.fhir.references import local_reference
from clinic.local_time import read_clock
from clinic.models.base import MOST_VISITS
from clinic.models.schedule import DAY_MINUTES, WEEKDAYS, SchedulingParameters

Refuse = Callable[[InvalidElement, str], None]
DEFAULT_INTERVAL = 60
LONGEST_RELEASE = 365 * DAY_MINUTES
NOTHING: Json = {}


@dataclass(frozen=True)
class ParameterAttribute:
    """One attribute of the extension: its column, the name of its value[x], and functions to read and write it."""

    column: str
    value: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value


def _length(least: int, most: int = DAY_MINUTES) -> Callable[[Json], int]:
    def read(duration: Json) -> int:
        length = read_minutes(duration)
        if not least <= length <= most:
            raise InvalidElement(f"{length} minutes is not between {least} and {most}.", at=".value")
        return length

    return read


def _read_interval(duration: Json) -> int:
    """Return the interval in minutes; 0 means an hour, as in Medplum."""
    return _length(0)(duration) or DEFAULT_INTERVAL


def _read_most(value: int) -> int:
    if value > MOST_VISITS:
        raise InvalidElement(f"{value} is more than {MOST_VISITS}.")
    return value


def _read_capacity(value: int) -> int:
    if value > 200:
        raise InvalidElement(f"{value} is more than 200.")
    return value


ATTRIBUTES = {
    "duration": ParameterAttribute("duration", "valueDuration", _length(1), minutes),
    "bufferBefore": ParameterAttribute("buffer_before", "valueDuration", _length(0), minutes),
    "bufferAfter": ParameterAttribute("buffer_after", "valueDuration", _length(0), minutes),
    "alignmentInterval": ParameterAttribute("alignment_interval", "valueDuration", _read_interval, minutes),
    "alignmentOffset": ParameterAttribute("alignment_offset", "valueDuration", _length(-DAY_MINUTES), minutes),
    "alignmentTimezone": ParameterAttribute("alignment_timezone", "valueCode", read_zone),
    "timezone": ParameterAttribute("timezone", "valueCode", read_zone),
    "slotCapacity": ParameterAttribute("slot_capacity", "valuePositiveInt", _read_capacity),
    SESSION_LIMIT: ParameterAttribute("session_limit", "valuePositiveInt", _read_most),
    NEW_PATIENT_SESSION_LIMIT: ParameterAttribute("new_patient_session_limit", "valuePositiveInt", _read_most),
}
LIMIT = "bookingLimit"
LIMITS = {"d": "day_limit", "wk": "week_limit"}  # columns by the unit of time
TIMES = {
    "allDay": "valueBoolean",
    "availableStartTime": "valueTime",
    "availableEndTime": "valueTime",
}
WHEN = (AVAILABILITY_PERIOD, AVAILABILITY_RECURRENCE)
COLUMNS = tuple(
    field for field in SchedulingParameters._meta.concrete_fields if field.name not in ("id", "service", "schedule")
)


def unset() -> dict[str, Any]:
    """Return the columns of empty parameters."""
    return {field.name: field.get_default() for field in COLUMNS}


def read_attributes(extension: Json, path: str, refuse: Refuse) -> dict[str, Any]:
    """Return the columns of one extension, without its hours."""
    empty = unset()
    columns = [*(parameter.column for parameter in ATTRIBUTES.values()), *LIMITS.values()]
    fields = {column: empty[column] for column in columns}
    by_url = _by_url(extension, path)
    fields |= _read_limits(by_url.pop(LIMIT, []), refuse)
    kept = [_kept_time(part, at, refuse) for at, part in by_url.pop(KEPT_TIME, [])]
    fields["kept"] = list(filter(None, kept))
    for url, [(at, attribute), *others] in by_url.items():
        if url not in ATTRIBUTES and url != "service":
            continue
        if others:
            refuse(InvalidElement(f"Scheduling parameter attribute '{url}' has too many values"), others[0][0])
        elif url in ATTRIBUTES:
            parameter = ATTRIBUTES[url]
            try:
                fields[parameter.column] = parameter.read(_value(attribute, url, parameter.value))
            except InvalidElement as error:
                refuse(error, f"{at}.{parameter.value}")
    return fields


def _read_limits(attributes: Iterable[tuple[str, Json]], refuse: Refuse) -> dict[str, int]:
    """Return the columns of the bookingLimit attributes: one for days, one for weeks."""
    fields: dict[str, int] = {}
    for at, attribute in attributes:
        try:
            unit, most = _read_limit(_value(attribute, LIMIT, "valueTiming"))
        except InvalidElement as error:
            refuse(error, f"{at}.valueTiming")
            continue
        if LIMITS[unit] in fields:
            refuse(InvalidElement(f"Scheduling parameter attribute '{LIMIT}' has too many values"), at)
        fields[LIMITS[unit]] = most
    return fields


def _read_limit(timing: Json) -> tuple[str, int]:
    """Return the unit of time and the number: `{"repeat": {"frequency": 8, "period": 1, "periodUnit": "d"}}`."""
    repeat = timing.get("repeat", NOTHING)
    others = repeat.keys() - {"frequency", "period", "periodUnit"}
    if others or repeat.get("period") != 1 or repeat.get("periodUnit") not in LIMITS:
        raise InvalidElement("A bookingLimit is a number of visits in 1 d or 1 wk.", at=".repeat")
    most = repeat.get("frequency", 0)
    if not 1 <= most <= MOST_VISITS:
        raise InvalidElement(f"{most} is not between 1 and {MOST_VISITS}.", at=".repeat.frequency")
    return repeat["periodUnit"], most


def refuse_on_service(extension: Json, path: str, refuse: Refuse) -> None:
    """Refuse what only a Schedule can have: `service`, and `availability`, which is availableTime here."""
    for url, found in _by_url(extension, path).items():
        if url in ("service", "availability"):
            text = f"Scheduling parameter attribute '{url}' is not allowed on HealthcareService"
            refuse(InvalidElement(text), found[0][0])


def read_availability(extension: Json, path: str, refuse: Refuse) -> dict[str, Any]:
    """Return the hours of one extension on a Schedule, in the form of HealthcareService's own elements."""
    windows: list[Json] = []
    closed: list[Json] = []
    has_hours = False
    attributes = _by_url(extension, path)
    for at, availability in attributes.get("availability", []):
        parts = _by_url(availability, at)
        for where, part in parts.get("availableTime", []):
            has_hours = True
            windows += read_windows([(where, _window(part, where, refuse))], refuse)
        closed += read_closed(
            ((where, _closed_time(part)) for where, part in parts.get("notAvailableTime", [])), refuse
        )
    return {"availability": windows if has_hours else None, "not_available": closed}


def read_windows(entries: Iterable[tuple[str, Json]], refuse: Refuse) -> list[Json]:
    """Return the availableTime elements that have times or allDay; refuse those that cannot be read."""
    windows = []
    for path, entry in entries:
        try:
            _check_window(entry)
        except InvalidElement as error:
            refuse(error, path)
        else:
            if entry.get("allDay") or "availableStartTime" in entry:
                windows.append(entry)
    return windows


def read_closed(entries: Iterable[tuple[str, Json]], refuse: Refuse) -> list[Json]:
    """Return the notAvailable elements; refuse a period that cannot be read."""
    closed = []
    for path, entry in entries:
        try:
            read_period(entry.get("during", NOTHING))
        except InvalidElement as error:
            refuse(error, f"{path}.during")
        closed.append(entry)
    return closed


def write(row: SchedulingParameters | None, sent: Json | None) -> Json | None:
    """Return the extension of a row: `sent` if it still means the same, else one made of the columns.

    Unknown attributes of `sent` are kept.
    """
    if sent and row and read(sent) == columns(row):
        return sent
    attributes = list(_written(row)) if row else []
    known = {*ATTRIBUTES, LIMIT, KEPT_TIME, "service", "availability"}
    others = [attribute for attribute in (sent or NOTHING).get("extension", []) if attribute["url"] not in known]
    return {"url": SCHEDULING_PARAMETERS, "extension": [*attributes, *others]} if attributes or others else None


def give(resource: Json, rows: Iterable[SchedulingParameters]) -> None:
    """Write one extension for each row into the resource, in its old position, and remove those of deleted rows."""
    left = {row.service.reference if row.schedule_id else "": row for row in rows}
    extensions = []
    for extension in resource.get("extension", ()):
        is_own = extension["url"] == SCHEDULING_PARAMETERS
        extensions.append(write(left.pop(_owner(extension), None), extension) if is_own else extension)
    extensions += (write(row, None) for row in left.values())
    resource["extension"] = [extension for extension in extensions if extension]


def columns(row: SchedulingParameters) -> dict[str, Any]:
    """Return the columns of a row that its extension holds; the hours of a service are elsewhere."""
    values = {field.name: getattr(row, field.name) for field in COLUMNS}
    return values if row.schedule_id else {**values, "availability": None, "not_available": []}


def read(extension: Json) -> dict[str, Any]:
    """Return the columns of an extension that has been accepted before."""
    return {
        **read_attributes(extension, "", ignore_refusal),
        **read_availability(extension, "", ignore_refusal),
    }


def service_reference(extension: Json) -> str | None:
    """Return the reference to the service that an extension on a Schedule is for, or None."""
    attributes = extension.get("extension", ())
    service = next((attribute for attribute in attributes if attribute["url"] == "service"), NOTHING)
    reference: str | None = service.get("valueReference", NOTHING).get("reference")
    return reference


def _owner(extension: Json) -> str:
    return local_reference(service_reference(extension) or "")


def ignore_refusal(error: InvalidElement, path: str) -> None:
    """Do nothing, for an extension that has been accepted before."""


def _by_url(extension: Json, path: str) -> dict[str, list[tuple[str, Json]]]:
    """Return the nested extensions with their paths, by URL."""
    found = defaultdict(list)
    for n, inner in enumerate(extension.get("extension", ())):
        found[inner["url"]].append((f"{path}.extension[{n}]", inner))
    return found


def _value(attribute: Json, url: str, name: str) -> Any:
    if name not in attribute:
        raise InvalidElement(f"Scheduling parameter attribute '{url}' has no {name}")
    return attribute[name]


def _window(part: Json, path: str, refuse: Refuse) -> Json:
    """Return one availableTime extension in the form of HealthcareService.availableTime."""
    found = _by_url(part, path)
    days = [day.get("valueCode") for _, day in found.get("daysOfWeek", ())]
    window: Json = {"daysOfWeek": days} if days else {}
    for name, value in TIMES.items():
        given = found.get(name, [])
        if len(given) > 1:
            text = f"Scheduling parameter attribute 'availability.availableTime.{name}' has too many values"
            refuse(InvalidElement(text), given[1][0])
        for _, extension in given[:1]:
            if value in extension:
                window[name] = extension[value]
    extensions = [extension for url in WHEN for _, extension in found.get(url, ())]
    return {**window, "extension": extensions} if extensions else window


def _check_window(entry: Json) -> None:
    if any(day not in WEEKDAYS for day in entry.get("daysOfWeek", ())):
        raise InvalidElement("Invalid SchedulingParameters.availability.availableTime.daysOfWeek entry")
    try:
        period_of(entry)
        weeks_of(entry)
    except ValueError as error:
        raise InvalidElement(str(error), "value") from None
    if entry.get("allDay"):
        return
    for one, other in (
        ("availableStartTime", "availableEndTime"),
        ("availableEndTime", "availableStartTime"),
    ):
        if one in entry and other not in entry:
            raise InvalidElement(f"availableTime has {one} without {other}")
        _check_time(entry.get(one, "00:00:00"))


def _check_time(text: str) -> None:
    try:
        read_clock(text)
    except ValueError:
        raise InvalidElement(f"{text!r} is not a time such as 09:00:00.") from None


def _kept_time(part: Json, path: str, refuse: Refuse) -> Json | None:
    """Return one entry of the column `kept`, or None if it cannot be read."""
    parts = _by_url(part, path)
    windows = read_windows(((at, _window(each, at, refuse)) for at, each in parts.get("availableTime", [])), refuse)
    if len(windows) != 1 or not windows[0].get("daysOfWeek"):
        refuse(InvalidElement("Kept time has one availableTime, with its days and times."), path)
        return None
    entry: Json = {"availableTime": windows[0]}
    for at, released in parts.get("releasedBefore", [])[:1]:
        try:
            entry["releasedBefore"] = _length(0, LONGEST_RELEASE)(_value(released, "releasedBefore", "valueDuration"))
        except InvalidElement as error:
            refuse(error, f"{at}.valueDuration")
    return entry


def _closed_time(part: Json) -> Json:
    values = {extension["url"]: extension for extension in part.get("extension", ())}
    description = values.get("description", NOTHING).get("valueString")
    during = values.get("during", NOTHING).get("valuePeriod")
    closed = {"description": description, "during": during}
    return {name: value for name, value in closed.items() if value}


def _written(row: SchedulingParameters) -> Iterator[Json]:
    if row.schedule_id:
        yield {"url": "service", "valueReference": {"reference": row.service.reference}}
    for url, parameter in ATTRIBUTES.items():
        value = getattr(row, parameter.column)
        if value not in (None, ""):
            yield {"url": url, parameter.value: parameter.write(value)}
    for unit, column in LIMITS.items():
        if (most := getattr(row, column)) is not None:
            repeat = {"frequency": most, "period": 1, "periodUnit": unit}
            yield {"url": LIMIT, "valueTiming": {"repeat": repeat}}
    if row.schedule_id and (hours := list(_written_hours(row))):
        yield {"url": "availability", "extension": hours}
    for kept in row.kept:
        released = kept.get("releasedBefore")
        parts = [] if released is None else [{"url": "releasedBefore", "valueDuration": minutes(released)}]
        yield {"url": KEPT_TIME, "extension": [_written_window(kept["availableTime"]), *parts]}


def _written_hours(row: SchedulingParameters) -> Iterator[Json]:
    closed_always: Json = {"allDay": False}
    windows: list[Json] = [closed_always] if row.availability == [] else row.availability or []
    yield from map(_written_window, windows)
    for closed in row.not_available:
        values = {"description": "valueString", "during": "valuePeriod"}
        parts = [{"url": name, value: closed[name]} for name, value in values.items() if closed.get(name)]
        if parts:
            yield {"url": "notAvailableTime", "extension": parts}


def _written_window(window: Json) -> Json:
    days = [{"url": "daysOfWeek", "valueCode": day} for day in window.get("daysOfWeek", ())]
    times = [{"url": name, value: window[name]} for name, value in TIMES.items() if name in window]
    extensions = [extension for extension in window.get("extension", ()) if extension["url"] in WHEN]
    return {"url": "availableTime", "extension": [*days, *times, *extensions]}
