"""Search parameters: https://hl7.org/fhir/R4/search.html#ptypes"""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.http import QueryDict

from api import search
from api.search import parameters_of
from clinic.fhir.resources import RESOURCES
from clinic.models import User
from scheduling.access import Caller
from tests.api.conftest import ids
from tests.factories import (
    MONDAY_9,
    AppointmentFactory,
    LocationFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    ResourceFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    concept,
)

# A valid value for every type of parameter.
VALUES = {
    "token": "true",
    "string": "a",
    "date": "2026-01-05",
    "reference": "x",
    "uri": "http://example.org",
    "quantity": "5.4||mg",
    "composite": "focus$5",
    "special": "40.7|-74",
}
OF_MODIFIER = {"of-type": "http://example.org|PPN|7"}
SAMPLES = {each._meta.model.RESOURCE_TYPE: each for each in ResourceFactory.__subclasses__()}


@pytest.fixture
def people(db):
    return [
        PatientFactory(
            fhir_id="ada",
            given="Ada Mary",
            family="Quinn",
            gender="female",
            birth_date=date(1980, 2, 3),
            email="ada@example.com",
            phone="555-0101",
            identifier=[{"system": "http://mrn.example", "value": "7"}],
        ),
        PatientFactory(
            fhir_id="bo",
            given="Bo",
            family="Lind",
            gender="male",
            birth_date=date(1990, 12, 31),
            active=False,
            identifier=[{"system": "http://other.example", "value": "7"}],
            extra={"telecom": [{"system": "phone", "value": "555-0102"}]},
        ),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("_id=ada", ["ada"]),
        ("_id=ada,bo,nobody", ["ada", "bo"]),
        ("family=quinn", ["ada"]),
        ("family=uin", []),
        ("family:contains=UIN", ["ada"]),
        ("family:exact=quinn", []),
        ("family:exact=Quinn", ["ada"]),
        ("given:exact=Mary", ["ada"]),
        ("given:exact=Mar", []),
        ("family=Qüinn", ["ada"]),
        ("phonetic=LIND", ["bo"]),
        ("given=mar", ["ada"]),
        ("name=lin", ["bo"]),
        ("name=ada,bo", ["ada", "bo"]),
        ("name=ada&family=lind", []),
        ("gender=female", ["ada"]),
        ("gender=http://hl7.org/fhir/administrative-gender|male", ["bo"]),
        ("gender=http://elsewhere.example|male", []),
        ("gender:not=male", ["ada"]),
        ("gender:not=male,female", []),
        ("gender:missing=false", ["ada", "bo"]),
        ("gender:missing=true", []),
        ("birthdate=1980-02-03", ["ada"]),
        ("birthdate=1980", ["ada"]),
        ("birthdate=gt1980-02", ["bo"]),
        ("birthdate=ge1980-02-03", ["ada", "bo"]),
        ("birthdate=lt1990-12-31", ["ada"]),
        ("birthdate=le1990-12-31", ["ada", "bo"]),
        ("birthdate=ne1980-02-03", ["bo"]),
        ("birthdate=ap1980-02-04", ["ada"]),
        ("birthdate=sa1980-02-03", ["bo"]),
        ("birthdate=eb1990-12-31", ["ada"]),
        ("identifier=7", ["ada", "bo"]),
        ("identifier=http://mrn.example|7", ["ada"]),
        ("identifier=http://mrn.example|", ["ada"]),
        ("identifier=http://nobody.example|7", []),
        ("identifier=|7", []),
        ("identifier:not=http://mrn.example|7", ["bo"]),
        ("identifier:missing=true", []),
        ("email=ADA@example.com", ["ada"]),
        ("phone=555-0101", ["ada"]),
        ("phone=555-0102", ["bo"]),
        ("telecom=555-0102,555-0101", ["ada", "bo"]),
        ("telecom=phone|555-0101", ["ada"]),
        ("telecom=email|555-0101", []),
        ("active=false", ["bo"]),
        ("_lastUpdated=ge2020-01-01", ["ada", "bo"]),
        ("_lastUpdated=lt2020-01-01", []),
        ("family=lind,,quinn", ["ada", "bo"]),
    ],
)
def test_patients(api, people, query, found):
    response = api.get(f"Patient?{query}")
    assert response.status_code == 200
    assert ids(response) == found
    assert response.fhir["total"] == len(found)


@pytest.fixture
def slots(db):
    schedule = ScheduleFactory(fhir_id="chen", actor=PractitionerFactory(fhir_id="dr-chen"), services=[])
    for hour, status in ((9, "busy"), (10, "free"), (11, "busy-unavailable")):
        start = datetime(2026, 1, 5, hour, tzinfo=UTC)
        SlotFactory(fhir_id=f"at-{hour}", schedule=schedule, status=status, start=start)
    SlotFactory(fhir_id="elsewhere")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("schedule=chen", ["at-9", "at-10", "at-11"]),
        ("schedule=Schedule/chen", ["at-9", "at-10", "at-11"]),
        ("schedule=http://testserver/fhir/R4/Schedule/chen&status=free", ["at-10"]),
        ("schedule=Practitioner/chen", []),
        ("schedule=chen&status=busy,busy-unavailable", ["at-9", "at-11"]),
        ("schedule=chen&status:not=free", ["at-9", "at-11"]),
        ("schedule.actor=Practitioner/dr-chen&status=free", ["at-10"]),
        ("schedule.actor=dr-chen&start=ge2026-01-05T11:00:00Z", ["at-11"]),
        ("schedule=chen&start=2026-01-05", ["at-9", "at-10", "at-11"]),
        ("schedule=chen&start=2026-01-05T10:00:00Z", ["at-10"]),
        ("schedule=chen&start=2026-01-05T05:00:00-05:00", ["at-10"]),
        ("schedule=chen&start=2026-01-05T12:00:00+02:00", ["at-10"]),
        ("schedule=chen&start=gt2026-01-05T09:00&start=lt2026-01-05T11:00", ["at-10"]),
        ("schedule=chen&_sort=-start", ["at-11", "at-10", "at-9"]),
    ],
)
def test_slots(api, slots, query, found):
    assert ids(api.get(f"Slot?{query}")) == found


def test_appointments_of_somebody(api, people):
    chen = ScheduleFactory(actor=PractitionerFactory(fhir_id="dr-chen"))
    mine = AppointmentFactory(fhir_id="mine", patient=people[0], schedules=[chen])
    AppointmentFactory(fhir_id="other", patient=people[1], start=MONDAY_9 + timedelta(days=1))
    slot = mine.slots.get()
    code = mine.service.type[0]["coding"][0]["code"]
    for query in (
        "patient=ada",
        "patient=Patient/ada",
        "patient=http://testserver/fhir/R4/Patient/ada",
        "actor=Practitioner/dr-chen",
        "practitioner=dr-chen",
        "date=2026-01-05",
        "date=lt2026-01-06",
        f"slot={slot.fhir_id}",
        f"service-type={code}",
        "status=booked&patient=ada",
    ):
        assert ids(api.get(f"Appointment?{query}")) == ["mine"], query
    assert ids(api.get("Appointment?_sort=-date")) == ["other", "mine"]
    assert ids(api.get("Appointment?location=nowhere")) == []


def test_places_and_services(api):
    group = OrganizationFactory(fhir_id="group", name="Riverside")
    site = LocationFactory(fhir_id="main", name="Main Street", organization=group, city="Boston")
    RoomFactory(fhir_id="room", part_of=site)
    service = ServiceFactory(
        fhir_id="checkup", name="Check-up", locations=[site], specialty=[concept("408443003", "GP")]
    )
    role = RoleFactory(fhir_id="role", organization=group, locations=[site], services=[service])
    for query, found in {
        "Organization?name=river": ["group"],
        "Location?partof=Location/main": ["room"],
        "Location?organization=group": ["main"],
        "Location?organization.name=riverside": ["main"],
        "Location?address-city=boston&status=active": ["main"],
        "HealthcareService?location=main": ["checkup"],
        "HealthcareService?specialty=http://example.org/codes|408443003": ["checkup"],
        "HealthcareService?specialty:not=408443003": [],
        "PractitionerRole?service=checkup&location=main": ["role"],
        f"PractitionerRole?practitioner={role.practitioner.reference}": ["role"],
        f"PractitionerRole?practitioner.family={role.practitioner.family}": ["role"],
    }.items():
        assert ids(api.get(query)) == found, query


def test_schedules(api):
    start, end = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    chen = ScheduleFactory(fhir_id="chen", planning_start=start, planning_end=end)
    ScheduleFactory(fhir_id="role", actor=RoleFactory(practitioner=chen.actor))
    code = chen.services.get().type[0]["coding"][0]["code"]
    for query, found in {
        f"actor={chen.actor.reference}": ["chen"],
        f"service-type={code}": ["chen"],
        "date=ge2026-01-31": ["chen", "role"],
        "date=ge2026-03": ["role"],
        "date=lt2026": ["role"],
        "date=2026": ["chen"],
        "active=true&_sort=-_lastUpdated": ["role", "chen"],
    }.items():
        assert ids(api.get(f"Schedule?{query}")) == found, query


def count(kind, name, value):
    """Return the number of an administrator's matches."""
    caller = Caller(user=User(is_superuser=True))
    query = QueryDict(mutable=True)
    query[name] = value
    return search.rows_of(search.read(kind, query, caller, "http://testserver/fhir/R4/"), caller).count()


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_parameter_can_be_searched_with_every_modifier_and_prefix(db, kind):
    for name, parameter in parameters_of(kind).items():
        value = VALUES[parameter.TYPE]
        assert count(kind, name, value) == 0, name
        for modifier in set(parameter.MODIFIERS) - {"missing", "type", "not"}:
            assert count(kind, f"{name}:{modifier}", OF_MODIFIER.get(modifier, value)) == 0, (name, modifier)
        for prefix in parameter.COMPARATORS:
            assert count(kind, name, f"{prefix}{value}") == 0, (name, prefix)


@pytest.mark.parametrize("kind", RESOURCES)
def test_missing_true_and_missing_false_find_everything(db, kind):
    SAMPLES[kind]()
    everything = count(kind, "_id:missing", "false")
    assert everything > 0
    for name, parameter in parameters_of(kind).items():
        if "missing" in parameter.MODIFIERS:
            found = [count(kind, f"{name}:missing", value) for value in ("true", "false")]
            assert sum(found) == everything, name
        if "not" in parameter.MODIFIERS:
            value = VALUES[parameter.TYPE]
            assert count(kind, name, value) + count(kind, f"{name}:not", value) == everything, name


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_parameter_that_can_be_sorted_by_is(api, kind):
    names = [name for name, each in parameters_of(kind).items() if each.sort]
    assert {"_id", "_lastUpdated"} <= set(names)
    assert api.get(kind, {"_sort": ",".join(f"-{name}" for name in names)}).status_code == 200
