"""https://hl7.org/fhir/R4/search.html"""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from clinic.fhir.resources import RESOURCES
from scheduling.api.search.parameters import TABLE, parameters_of
from tests.api.conftest import codes, ids, texts
from tests.factories import (
    MONDAY_9,
    AppointmentFactory,
    LocationFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
    concept,
)

# A value that can be read, for every type of parameter.
VALUES = {"token": "true", "string": "a", "date": "2026-01-05", "reference": "x", "uri": "http://example.org"}


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
        ("given=mar", ["ada"]),
        ("name=lin", ["bo"]),
        ("name=ada,bo", ["ada", "bo"]),
        ("name=ada&family=lind", []),
        ("gender=female", ["ada"]),
        ("gender=http://hl7.org/fhir/administrative-gender|male", ["bo"]),
        ("gender=http://elsewhere.example|male", []),
        ("gender:not=male", ["ada"]),
        ("birthdate=1980-02-03", ["ada"]),
        ("birthdate=1980", ["ada"]),
        ("birthdate=gt1980-02", ["bo"]),
        ("birthdate=ge1980-02-03", ["ada", "bo"]),
        ("birthdate=lt1990-12-31", ["ada"]),
        ("birthdate=le1990-12-31", ["ada", "bo"]),
        ("birthdate=ne1980-02-03", ["bo"]),
        ("identifier=7", ["ada", "bo"]),
        ("identifier=http://mrn.example|7", ["ada"]),
        ("identifier=http://mrn.example|", ["ada"]),
        ("email=ADA@example.com", ["ada"]),
        ("phone=555-0101", ["ada"]),
        ("phone=555-0102", ["bo"]),
        ("active=false", ["bo"]),
        ("_lastUpdated=ge2020-01-01", ["ada", "bo"]),
        ("_lastUpdated=lt2020-01-01", []),
        ("family=", ["ada", "bo"]),
    ],
)
def test_patients(api, people, query, found):
    response = api.get(f"Patient?{query}")
    assert response.status_code == 200
    assert ids(response) == found
    assert response.fhir["total"] == len(found)


@pytest.fixture
def slots(db):
    schedule = ScheduleFactory(fhir_id="chen", actor=PractitionerFactory(fhir_id="dr-chen"))
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


def test_a_chain_ends_somewhere(api):
    assert api.get("Location?partof.partof.name=x").status_code == 200
    assert api.get(f"Location?{'partof.' * 500}name=x").status_code == 400


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


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in RESOURCES for name in parameters_of(kind)])
def test_every_parameter_of_the_table_can_be_searched(api, kind, name):
    value = VALUES[parameters_of(kind)[name].TYPE]
    assert api.get(kind, {name: value}).status_code == 200


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in TABLE for name in TABLE[kind].sort])
def test_every_sort_of_the_table_can_be_asked_for(api, kind, name):
    assert api.get(kind, {"_sort": f"-{name},_id"}).status_code == 200


def test_a_bundle_says_where_everything_is(api, people):
    response = api.get("Patient", {"family": "quinn", "_count": "5", "_pretty": "true"})
    bundle = response.fhir
    assert bundle["type"] == "searchset"
    assert bundle["link"] == [{"relation": "self", "url": "http://testserver/fhir/R4/Patient?family=quinn&_count=5"}]
    [entry] = bundle["entry"]
    assert entry["fullUrl"] == "http://testserver/fhir/R4/Patient/ada"
    assert entry["search"] == {"mode": "match"}


def test_nothing_found_is_an_empty_bundle(api):
    response = api.get("Patient?family=nobody")
    assert (response.status_code, response.fhir["total"], "entry" in response.fhir) == (200, 0, False)


@pytest.mark.parametrize("query", ["_count=0", "_summary=count", "_count=0&_totalMethod=count", "_count=0&_total=none"])
def test_who_wants_only_the_number_gets_it(api, people, query):
    response = api.get(f"Patient?{query}")
    assert (response.fhir["total"], "entry" in response.fhir) == (2, False)


def test_the_total_can_be_left_out(api, people):
    assert "total" not in api.get("Patient?_total=none").fhir


def pages(api, path):
    while path:
        response = api.get(path)
        yield ids(response)
        links = {link["relation"]: link["url"] for link in response.fhir["link"]}
        path = links.get("next", "").removeprefix("http://testserver")


@pytest.mark.parametrize("sort", ["", "&_sort=birthdate", "&_sort=-birthdate,family", "&_sort=-_lastUpdated"])
def test_pages_hold_everything_once(api, sort):
    for number in range(7):
        PatientFactory(fhir_id=f"p{number}", birth_date=date(1990, 1, 1 + number % 3) if number % 4 else None)
    whole = ids(api.get(f"Patient?_count=100{sort}"))
    found = list(pages(api, f"Patient?_count=3{sort}"))
    assert [len(page) for page in found] == [3, 3, 1]
    assert [each for page in found for each in page] == whole
    assert len(set(whole)) == 7


def test_a_page_does_not_move_when_rows_are_added(api):
    first = [PatientFactory().fhir_id for _ in range(4)]
    reading = pages(api, "Patient?_count=2&_sort=family")
    assert next(reading) == first[:2]
    PatientFactory(family="Aaron")
    assert next(reading) == first[2:]


def test_the_page_may_grow_on_the_way(api):
    for _ in range(5):
        PatientFactory()
    [_, following] = api.get("Patient?_count=2").fhir["link"]
    query = urlsplit(following["url"]).query
    assert len(ids(api.get(f"Patient?{query}&_count=1000"))) == 3


def test_a_cursor_of_another_search_is_refused(api):
    for _ in range(3):
        PatientFactory()
    cursor = api.get("Patient?_count=1").fhir["link"][1]["url"].partition("_cursor=")[2]
    for query in (f"Patient?_sort=family&_cursor={cursor}", f"Practitioner?_cursor={cursor}", "Patient?_cursor=x"):
        assert api.get(query).status_code == 400


def test_a_count_has_an_upper_limit(api, people):
    assert api.get("Patient?_count=99999999").status_code == 200
    assert len(ids(api.get("Patient"))) == 2


def test_a_search_can_be_posted_as_a_form(api, people):
    form = "application/x-www-form-urlencoded"
    response = api.post("Patient/_search?family=quinn", "gender=female", content_type=form)
    assert ids(response) == ["ada"]
    assert response.fhir["link"][0]["url"].endswith("Patient?family=quinn&gender=female")
    assert api.post("Patient/_search?family=quinn", "gender=male", content_type=form).fhir["total"] == 0
    assert api.post("Patient/_search", {}).status_code == 415
    assert api.get("Patient/_search").status_code == 405


@pytest.mark.parametrize(
    "query",
    [
        "colour=blue",
        "family:fuzzy=x",
        "birthdate=yesterday",
        "birthdate=2026-13-45",
        "birthdate=1980-02-03Z",
        "_lastUpdated=ap2026-01-01",
        "_lastUpdated=9999-12-31T23:59:59Z",
        "_count=-1",
        "_count=many",
        "_sort=colour",
        "_total=perhaps",
        "_summary=text",
        "_include=Patient:colour",
        "_include=Slot:status",
        "active=maybe",
        "identifier=|7",
        "family.name=x",
        "general-practitioner=x",
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(api, query):
    response = api.get(f"Patient?{query}")
    assert response.status_code == 400
    assert response.fhir["issue"][0]["expression"] == [query.partition("=")[0]]


def test_an_unknown_parameter_is_refused_with_those_that_are_known(api, people):
    response = api.get("Patient?colour=blue&family=quinn")
    assert codes(response) == ["not-supported"]
    assert "birthdate" in texts(response)


def test_lenient_handling_ignores_it_and_says_so(api, people):
    response = api.get("Patient?colour=blue&family=quinn", prefer="handling=lenient")
    assert ids(response) == ["ada"]
    assert response.fhir["total"] == 1
    assert response.fhir["link"][0]["url"].endswith("Patient?family=quinn")
    told = response.fhir["entry"][-1]
    assert (told["search"]["mode"], told["resource"]["issue"][0]["severity"]) == ("outcome", "warning")


def test_what_is_referred_to_is_included_once(api, slots):
    response = api.get("Slot?schedule=chen&_include=Slot:schedule&_include:iterate=Schedule:actor")
    entries = [(entry["search"]["mode"], entry["resource"]["id"]) for entry in response.fhir["entry"]]
    assert entries[3:] == [("include", "chen"), ("include", "dr-chen")]
    assert response.fhir["total"] == 3


def test_an_appointment_brings_those_who_take_part(api, people):
    AppointmentFactory(patient=people[0], schedules=[ScheduleFactory(actor=PractitionerFactory(fhir_id="dr-chen"))])

    def brought(*includes):
        response = api.get("Appointment", {"_include": list(includes)})
        return {entry["resource"]["resourceType"] for entry in response.fhir["entry"][1:]}

    assert brought("Appointment:actor") == {"Patient", "Practitioner"}
    assert brought("Appointment:actor:Patient") == brought("Appointment:patient") == {"Patient"}
    assert brought("Appointment:slot", "Appointment:patient") == {"Slot", "Patient"}


@pytest.mark.parametrize("many", [1, 20])
def test_the_number_of_statements_does_not_grow(api, many, django_assert_num_queries):
    patient = PatientFactory()
    for _ in range(many):
        AppointmentFactory(patient=patient, schedules=[ScheduleFactory()])
    with django_assert_num_queries(4):  # token, total, page, slots
        assert len(ids(api.get("Appointment"))) == many
    with django_assert_num_queries(8):  # and schedules with their services and parameters, practitioners
        api.get("Slot?_include=Slot:schedule&_include:iterate=Schedule:actor")
    with django_assert_num_queries(6):
        assert len(ids(api.get("Schedule"))) == many
