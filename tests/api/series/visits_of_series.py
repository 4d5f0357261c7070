"""Series that a client books, and their visits."""

from datetime import timedelta

from clinic.fhir import codes as fhir_codes
from clinic.fhir.datatypes import instant
from tests.api.visits import found
from tests.factories import SlotFactory
from tests.scheduling.situations import NEW_YORK, monday

SERIES = {"occurrence-count": "6"}


def week(hour, minute=0, *, number):
    """A time of the Monday of a week: 0 is the week after next. By the clocks of New York."""
    local = monday(hour, minute).astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(weeks=number)
    return local.replace(tzinfo=NEW_YORK).astimezone(monday(hour).tzinfo)


def busy(schedule, *, number, hour=10, minutes=30):
    start = week(hour, number=number)
    return SlotFactory(schedule=schedule, start=start, end=start + timedelta(minutes=minutes))


def extension(appointment, url):
    return [each for each in appointment.get("extension", ()) if each["url"] == url]


def parts(extension):
    """The values of a complex extension by url; a list for each."""
    values = {}
    for part in extension["extension"]:
        value = next((part[name] for name in part if name.startswith("value")), part.get("extension"))
        values.setdefault(part["url"], []).append(value)
    return values


def series(api, service, *schedules, count=6, patient=None, hour=10, **more):
    """The proposal of a series at ten o'clock, with the patient in it."""
    proposed = found(api, service, *schedules, **{"occurrence-count": str(count), **more})
    first = next(each for each in proposed if each["start"] == instant(monday(hour)))
    if patient is not None:
        first["participant"].append({"actor": {"reference": patient.reference}, "status": "accepted"})
    return first


def visits(answer):
    return [entry["resource"] for entry in answer.fhir["entry"] if entry["resource"]["resourceType"] == "Appointment"]


def weeks(count=6, hour=10):
    return [instant(week(hour, number=number)) for number in range(count)]


def series_of(appointment):
    [value] = [each["value"] for each in appointment["identifier"] if each["system"] == fhir_codes.SERIES]
    return value


def number_of(appointment):
    [number] = extension(appointment, fhir_codes.RECURRENCE_ID)
    return number["valuePositiveInt"]
