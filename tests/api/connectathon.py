"""A Bundle as other systems export it: nine practitioners, no recurring hours, every quarter-hour a Slot."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clinic.models import HealthcareService
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.availability import TimeQuery
from scheduling.booking import BookingRequest
from tests.factories import PatientFactory

ZONE = ZoneInfo("America/Los_Angeles")
MONDAY = date(2026, 1, 5)
DAYS = 2
QUARTER = timedelta(minutes=15)
PRACTITIONERS = [f"arg-{number}" for number in range(1, 10)]
NOW = datetime(2026, 1, 4, tzinfo=UTC)
SYSTEM = Caller(client="test", scopes=("system/*.cruds",))
SERVICE = "arg-cardiology"
MEDPLUM = "https://medplum.com/fhir"

Json = dict[str, Any]


def bundle(kind: str = "transaction") -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": [put(each) for each in resources()]}


def put(resource: Json) -> Json:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


def resources() -> Iterator[Json]:
    """Slots first, because the order of a Bundle has no meaning."""
    for name in PRACTITIONERS:
        yield from slots(name)
        yield from of_practitioner(name)
    yield service()


def service() -> Json:
    quarter = {"value": 15, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
    parameters = [
        {"url": "duration", "valueDuration": quarter},
        {"url": "alignmentInterval", "valueDuration": quarter},
        {"url": "timezone", "valueCode": str(ZONE)},
    ]
    extension = {"url": f"{MEDPLUM}/StructureDefinition/SchedulingParameters", "extension": parameters}
    return {"resourceType": "HealthcareService", "id": SERVICE, "name": "Cardiology", "extension": [extension]}


def of_practitioner(name: str) -> Iterator[Json]:
    zone = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": str(ZONE)}
    expected = {
        "extension": [
            {
                "url": f"{MEDPLUM}/service-type-reference",
                "valueReference": {"reference": f"HealthcareService/{SERVICE}"},
            }
        ]
    }
    yield {
        "resourceType": "Schedule",
        "id": name,
        "actor": [{"reference": f"Practitioner/{name}"}],
        "serviceType": [expected],
        "planningHorizon": {"start": MONDAY.isoformat(), "end": (MONDAY + timedelta(days=11)).isoformat()},
    }
    yield {
        "resourceType": "PractitionerRole",
        "id": name,
        "practitioner": {"reference": f"Practitioner/{name}"},
        "organization": {"reference": f"Organization/{name}"},
        "location": [{"reference": f"Location/{name}"}],
        "healthcareService": [{"reference": f"HealthcareService/{SERVICE}"}],
    }
    yield {"resourceType": "Practitioner", "id": name, "name": [{"family": name}], "extension": [zone]}
    organization = {"reference": f"Organization/{name}"}
    yield {"resourceType": "Location", "id": name, "name": name, "managingOrganization": organization}
    yield {"resourceType": "Organization", "id": name, "name": name}


def slots(name: str) -> Iterator[Json]:
    for day in range(DAYS):
        nine = datetime.combine(MONDAY + timedelta(days=day), time(9), ZONE)
        for number in range(32):
            start = nine + QUARTER * number
            yield {
                "resourceType": "Slot",
                "id": f"{start:%Y-%m-%dT%H%M%S}-{name}",
                "schedule": {"reference": f"Schedule/{name}"},
                "status": "free" if is_free(name, number) else "busy-unavailable",
                "start": start.isoformat(),
                "end": (start + QUARTER).isoformat(),
            }


def is_free(name: str, number: int) -> bool:
    return (number + PRACTITIONERS.index(name)) % 3 > 0


def free_starts(name: str) -> list[datetime]:
    return [datetime.fromisoformat(slot["start"]) for slot in slots(name) if slot["status"] == "free"]


def assert_exactly_the_free_quarters_are_offered() -> None:
    service = HealthcareService.objects.get(fhir_id=SERVICE)
    for name in PRACTITIONERS:
        offerings = tuple(availability.offerings_of(service, [name]))
        query = TimeQuery(ways=availability.ways_of(service, [(offerings,)]), start=NOW, end=NOW + timedelta(days=14))
        found = [availability.as_datetime(time.start) for time in availability.find_times(query, now=NOW)]
        assert found == free_starts(name)
    for start in found[:3]:
        request = BookingRequest(service=service, offerings=offerings, start=start, patient=PatientFactory())
        assert booking.book(request, caller=SYSTEM, now=NOW).status == "booked"
