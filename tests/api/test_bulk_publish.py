"""`$bulk-publish`: free times for everybody, by https://hl7.org/fhir/uv/smart-scheduling-links and its older form."""

import json
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api.publishing import slots
from api.publishing.editions import COVID_SERVICE_TYPE, CVX, LINKS, REGISTRY, VACCINE_DOSE, VACCINE_PRODUCT
from clinic.models import Location, Practitioner, PractitionerRole, Schedule
from tests.api.conftest import BASE, assert_fhir
from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db

DEEP_LINK, PHONE = (f"{REGISTRY}/{name}" for name in (slots.DEEP_LINK, slots.PHONE))
ALL = "$bulk-publish"
BALLOT = "links-1.0/$bulk-publish"
VACCINE = "vaccine/$bulk-publish"
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
VTRCKS = {"system": "https://cdc.gov/vaccines/programs/vtrcks", "value": "CV1234567"}
# Required elements of the profiles by type, and the required elements within them.
REQUIRED = {
    "Location": (
        *("id", "identifier.system", "identifier.value", "name", "telecom.system", "telecom.value"),
        *("address.line", "address.city", "address.state", "address.postalCode"),
    ),
    "HealthcareService": ("id", "active", "type", "specialty", "location.reference", "name"),
    "Practitioner": ("id", "identifier"),
    "PractitionerRole": ("id",),
    "Schedule": ("id", "serviceType", "actor.reference"),
    "Slot": ("id", "schedule.reference", "status", "start", "end"),
}


@pytest.fixture(autouse=True)
def a_week_ahead(settings):
    settings.PUBLISHED_AHEAD = timedelta(days=21)
    settings.PUBLISHED_MAX_AGE = timedelta(0)
    settings.SITE_URL = "https://visits.example.org"


@pytest.fixture
def place(db):
    address = {"line": "1 Main Street", "city": "New York", "state": "NY", "postal_code": "10001"}
    return LocationFactory(name="Main Street", phone="+1 212 555 0100", **address)


@pytest.fixture
def service(db):
    return ServiceFactory(name="Check-up")


@pytest.fixture
def schedule(place, service):
    chen = PractitionerFactory(family="Chen", phone="+1 212 555 9999", identifier=[{"system": "x", "value": "y"}, NPI])
    return ScheduleFactory(actor=chen, services=[service], site=place)


@pytest.fixture
def shot(db):
    coding = {"system": COVID_SERVICE_TYPE, "code": "covid19-immunization"}
    vaccine = {"system": CVX, "code": "207", "display": "Moderna"}
    dose = {"url": VACCINE_DOSE, "valueInteger": 1}
    return ServiceFactory(name="Vaccination", type=[{"coding": [coding, vaccine]}], extra={"extension": [dose]})


def get(path: str, **headers: str):
    return Client().get(BASE + path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def lines(kind: str, form: str = ALL) -> list[dict]:
    answer = get(f"{form}/{kind}.ndjson")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/fhir+ndjson"
    resources = [json.loads(line) for line in answer.getvalue().splitlines()]
    for each in resources:
        assert_fhir(each)
        assert each["resourceType"] == kind
        for path in REQUIRED[kind]:
            assert all(values_at(each, path)), f"{path} of {each}"
    return resources


def values_at(resource, path: str) -> list:
    """The value at a path, or an empty one."""
    nodes = [resource]
    for name in path.split("."):
        found = [node.get(name) for node in nodes]
        nodes = [each for node in found for each in (node if isinstance(node, list) and node else [node])]
    return nodes


def statuses(form: str = ALL) -> dict[str, str]:
    return {each["start"]: each["status"] for each in lines("Slot", form)}


def local(at: datetime) -> str:
    return at.astimezone(ZoneInfo("America/New_York")).isoformat()


def test_the_manifest_names_the_files(schedule):
    answer = get(ALL)
    manifest = answer.json()
    assert answer["Content-Type"] == "application/json"
    assert manifest["request"] == f"http://testserver{BASE}{ALL}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", manifest["transactionTime"])
    assert manifest["error"] == []
    assert [each["type"] for each in manifest["output"]] == [
        "Location",
        "HealthcareService",
        "Practitioner",
        "PractitionerRole",
        "Schedule",
        "Slot",
    ]
    for each in manifest["output"]:
        assert each["extension"] == {"state": ["NY"]}
        path = each["url"].removeprefix(f"http://testserver{BASE}")
        assert get(path).status_code == 200


def test_nothing_is_asked_for_and_what_is_accepted_does_not_matter(schedule):
    for accept in ("application/json", "text/html", "*/*"):
        assert get(ALL, accept=accept).status_code == 200
    assert get(f"{ALL}/Slot.ndjson", accept="application/fhir+ndjson").status_code == 200
    assert get(ALL, authorization="Bearer nonsense").status_code == 200


@pytest.mark.parametrize(
    "path", [f"{ALL}/Patient.ndjson", f"{ALL}/Appointment.ndjson", f"{VACCINE}/Practitioner.ndjson"]
)
def test_there_are_no_other_files(path):
    assert get(path).status_code == 404


@pytest.mark.parametrize("path", [ALL, f"{ALL}/Slot.ndjson"])
def test_files_are_only_read(schedule, path):
    answer = Client(enforce_csrf_checks=True).post(BASE + path)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert Client().head(BASE + path).status_code == 200


def test_free_time_is_published_with_a_link_and_a_telephone_number(schedule, service):
    slot = next(each for each in lines("Slot") if each["start"] == local(monday(10)))
    assert slot["status"] == "free"
    assert slot["end"] == local(monday(10, 30))
    assert slot["schedule"] == {"reference": schedule.reference}
    expected = {each["url"]: each for each in slot["extension"]}
    assert expected[PHONE]["valueString"] == "+1 212 555 0100"
    time = f"{monday(10):%Y-%m-%dT%H:%M:%SZ}~{schedule.fhir_id}"
    assert expected[DEEP_LINK]["valueUrl"] == f"https://visits.example.org/book/{service.fhir_id}/at/?time={time}"


def test_the_link_leads_to_the_time(schedule):
    slot = next(each for each in lines("Slot") if each["start"] == local(monday(10)))
    link = slot["extension"][0]["valueUrl"].removeprefix("https://visits.example.org")
    page = Client().get(link + "&source=finder")
    assert page.status_code == 200
    assert page.context["choice"].start == monday(10)


def test_free_time_has_the_same_id_each_time(schedule):
    first, second = ({each["start"]: each["id"] for each in lines("Slot")} for _ in range(2))
    assert first == second
    assert len(set(first.values())) == len(first)


def test_taken_time_is_published_as_taken_and_nothing_else(schedule, service):
    ada = PatientFactory(family="Quinn")
    AppointmentFactory(patient=ada, service=service, schedules=[schedule], start=monday(10), end=monday(10, 30))
    expires = timezone.now() + timedelta(minutes=5)
    AppointmentFactory(
        patient=ada,
        service=service,
        status="pending",
        hold_expires_at=expires,
        schedules=[schedule],
        start=monday(11),
        end=monday(11, 30),
    )
    SlotFactory(
        schedule=schedule, status="busy-unavailable", start=monday(12), end=monday(12, 30), comment="Ada's mother calls"
    )
    found = statuses()
    assert {at: found[local(at)] for at in (monday(10), monday(11), monday(12))} == {
        monday(10): "busy",
        monday(11): "busy-tentative",
        monday(12): "busy-unavailable",
    }
    assert local(monday(10, 15)) not in found, "half of it is taken"
    content = get(f"{ALL}/Slot.ndjson").getvalue().decode()
    assert "Quinn" not in content
    assert "Ada" not in content
    assert ada.fhir_id not in content


def test_a_hold_that_has_expired_is_free_again(schedule, service):
    over = timezone.now() - timedelta(seconds=1)
    AppointmentFactory(
        service=service,
        status="pending",
        hold_expires_at=over,
        schedules=[schedule],
        start=monday(10),
        end=monday(10, 30),
    )
    assert statuses()[local(monday(10))] == "free"


@pytest.mark.parametrize("state", [{"bookable_by": "staff"}, {"active": False}, {"requires_care_team": True}])
def test_only_what_everybody_can_book_is_published(schedule, service, state):
    for name, value in state.items():
        setattr(service, name, value)
    service.save()
    assert lines("Slot") == lines("Schedule") == lines("HealthcareService") == []


@pytest.mark.parametrize(("eligibility", "code"), [("new", "newpt"), ("returning", "existptonly")])
def test_whom_a_visit_is_for_is_said(schedule, service, eligibility, code):
    service.eligibility = eligibility
    service.save()
    assert lines("Slot")[0]["appointmentType"]["coding"][0]["code"] == code


def test_a_visit_that_several_rooms_can_have_is_published_once(place):
    service = ServiceFactory(requires=["Practitioner", "Location"])
    person = ScheduleFactory(services=[service], site=place)
    for _ in range(2):
        ScheduleFactory(actor=RoomFactory(part_of=place), services=[service], site=place)
    slots = lines("Slot")
    assert len({each["id"] for each in slots}) == len(slots)
    assert {each["schedule"]["reference"] for each in slots} == {person.reference}
    assert [each["id"] for each in lines("Schedule")] == [person.fhir_id]


def test_a_schedule_says_where_with_whom_and_for_what(schedule, service, place):
    [found] = lines("Schedule")
    assert found["actor"] == [
        {"reference": place.reference, "display": "Main Street"},
        {"reference": schedule.actor.reference, "display": "Dr. Mei Chen"},
    ]
    assert found["serviceType"][0]["coding"] == service.type[0]["coding"]


def test_only_the_profession_of_practitioners_is_published(schedule, place):
    [found] = lines("Practitioner")
    assert found["identifier"] == [NPI]
    assert found["name"][0]["family"] == "Chen"
    assert "telecom" not in found


def test_a_role_is_published_with_its_places_and_visits(place, service):
    role = RoleFactory(locations=[place, LocationFactory()], services=[service, ServiceFactory()])
    ScheduleFactory(actor=role, services=[service], site=place)
    [found] = lines("PractitionerRole")
    assert [each["reference"] for each in found["location"]] == [place.reference]
    assert [each["reference"] for each in found["healthcareService"]] == [service.reference]
    assert found["organization"] == {"display": role.organization.name}
    assert lines("Schedule")[0]["actor"][1]["reference"] == role.reference


def test_a_service_says_where_it_is_given_and_that_one_must_book(schedule, service, place):
    [found] = lines("HealthcareService")
    assert found["location"] == [{"reference": place.reference, "display": "Main Street"}]
    assert found["appointmentRequired"] is True


def test_a_place_without_a_known_identifier_has_one_of_ours(schedule, place):
    [found] = lines("Location")
    assert found["identifier"] == [{"system": f"http://testserver{BASE}Location", "value": place.fhir_id}]
    assert {each["system"] for each in found["telecom"]} == {"phone", "url"}


def test_the_calendar_of_a_patient_is_never_published():
    ScheduleFactory(actor=PatientFactory(), services=[ServiceFactory()])
    assert lines("Schedule") == []


@pytest.fixture
def shots(shot, place):
    place.identifier = [VTRCKS]
    place.extra = {
        "telecom": [{"system": "phone", "value": place.phone}, {"system": "email", "value": "main@example.org"}],
        "address": {"text": "1 Main Street, New York"},
    }
    place.save()
    schedule = ScheduleFactory(actor=RoomFactory(part_of=place), services=[shot], site=place)
    SlotFactory(schedule=schedule, status="busy-unavailable", start=monday(10))
    return schedule


def test_vaccinations_are_published_in_the_older_form_too(shots, schedule):
    answer = get(VACCINE)
    assert answer.json()["request"].endswith("$bulk-publish")
    assert [each["type"] for each in answer.json()["output"]] == ["Location", "Schedule", "Slot"]
    [found] = lines("Schedule", VACCINE)
    assert found["id"] == shots.fhir_id
    assert [each["reference"] for each in found["actor"]] == [shots.site.reference]
    [concept] = found["serviceType"]
    assert {(each["system"], each["code"]) for each in concept["coding"]} == {
        ("http://terminology.hl7.org/CodeSystem/service-type", "57"),
        ("http://fhir-registry.smarthealthit.org/CodeSystem/service-type", "covid19-immunization"),
    }
    assert [(each["url"], each.get("valueInteger")) for each in found["extension"]] == [
        (VACCINE_PRODUCT, None),
        (VACCINE_DOSE, 1),
    ]


def test_the_older_form_knows_free_and_busy_alone(shots):
    assert set(statuses(VACCINE).values()) == {"free", "busy"}


def test_the_older_form_of_a_place(shots):
    [found] = lines("Location", VACCINE)
    assert found["identifier"] == [VTRCKS]
    assert {each["system"] for each in found["telecom"]} == {"phone", "url"}
    assert "text" not in found["address"]


def test_where_nobody_is_vaccinated_the_files_are_empty(schedule):
    assert lines("Schedule", VACCINE) == lines("Slot", VACCINE) == lines("Location", VACCINE) == []


def test_the_newest_version_is_not_modified(schedule, settings):
    settings.PUBLISHED_MAX_AGE = timedelta(days=36500)
    for path in (ALL, f"{ALL}/Slot.ndjson", f"{ALL}/Location.ndjson"):
        first = get(path)
        assert first["Cache-Control"] == "public, max-age=3153600000"
        for headers in ({"if_none_match": first["ETag"]}, {"if_modified_since": first["Last-Modified"]}):
            again = get(path, **headers)
            assert again.status_code == 304
            assert again["ETag"] == first["ETag"]


def test_a_booking_makes_a_new_edition_at_once(schedule, service, settings):
    settings.PUBLISHED_MAX_AGE = timedelta(minutes=1)
    first = get(f"{ALL}/Slot.ndjson")
    assert statuses()[local(monday(10))] == "free"
    SlotFactory(schedule=schedule, start=monday(10))
    second = get(f"{ALL}/Slot.ndjson", if_none_match=first["ETag"])
    assert second.status_code == 200
    assert statuses()[local(monday(10))] == "busy"


def test_a_day_that_is_known_is_not_computed_again(schedule, settings):
    settings.PUBLISHED_MAX_AGE = timedelta(minutes=1)
    lines("Slot")
    with CaptureQueriesContext(connection) as statements:
        lines("Slot")
    assert len(statements) == 1


def test_more_schedules_take_no_more_statements(schedule, service, place):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as statements:
            for kind in REQUIRED:
                lines(kind)
        counts.append(len(statements))
        for _ in range(3):
            ScheduleFactory(services=[service, ServiceFactory()], site=place)
    assert counts[0] == counts[1]


def test_the_file_of_slots_is_written_while_it_is_computed(schedule):
    answer = get(f"{ALL}/Slot.ndjson")
    assert answer.streaming
    with CaptureQueriesContext(connection) as statements:
        next(iter(answer))
    before = len(statements)
    with CaptureQueriesContext(connection) as statements:
        answer.getvalue()
    assert len(statements) > before


INCOMPLETE = [{"line": ""}, {"city": ""}, {"state": ""}, {"postal_code": ""}]


@pytest.mark.parametrize("missing", INCOMPLETE)
def test_a_place_without_its_whole_address_is_left_out(schedule, service, place, missing):
    """The profile of Location requires all of it. The times stay, with their practitioner."""
    Location.objects.update(**missing)
    assert lines("Location") == lines("HealthcareService") == []
    [found] = lines("Schedule")
    assert [each["reference"] for each in found["actor"]] == [schedule.actor.reference]
    assert {each["schedule"]["reference"] for each in lines("Slot")} == {schedule.reference}
    assert get(ALL).json()["output"][0]["extension"] == {"state": []}


def test_a_service_names_one_of_its_places_that_is_published(schedule, service, place):
    unknown = LocationFactory(name="A video room")
    ScheduleFactory(services=[service], site=unknown)
    only_there = ServiceFactory(name="By video")
    role = RoleFactory(locations=[place, unknown], services=[service, only_there])
    ScheduleFactory(actor=role, services=[only_there], site=unknown)
    [found] = lines("HealthcareService")
    assert found["location"] == [{"reference": place.reference, "display": "Main Street"}]
    [published_role] = lines("PractitionerRole")
    assert [each["reference"] for each in published_role["location"]] == [place.reference]
    assert [each["reference"] for each in published_role["healthcareService"]] == [service.reference]
    assert len(lines("Schedule")) == 3


def test_a_place_is_reached_by_what_says_how_and_a_service_has_one_category(schedule, service, place):
    place.extra = {"telecom": [{"system": "phone"}, {"value": "x"}, {"system": "fax", "value": "+1 212 555 0199"}]}
    place.save()
    service.extra = {"category": [{"text": "First"}, {"text": "Second"}]}
    service.save()
    [found] = lines("Location")
    assert [each["system"] for each in found["telecom"]] == ["phone", "fax", "url"]
    assert lines("HealthcareService")[0]["category"] == [{"text": "First"}]


CLOSED = {
    "schedule": lambda schedule, role: Schedule.objects.filter(pk=schedule.pk).update(active=False),
    "practitioner": lambda schedule, role: Practitioner.objects.update(active=False),
    "role": lambda schedule, role: PractitionerRole.objects.update(active=False),
    "role that is over": lambda schedule, role: PractitionerRole.objects.update(extra={"period": {"end": "2020"}}),
    "site": lambda schedule, role: Location.objects.update(status="suspended"),
}


@pytest.mark.parametrize("closed", CLOSED)
def test_inactive_resources_are_not_published(place, service, closed):
    role = RoleFactory(locations=[place], services=[service])
    schedule = ScheduleFactory(actor=role, services=[service], site=place)
    SlotFactory(schedule=schedule, start=monday(10), end=monday(10, 30))
    kinds = ("Location", "HealthcareService", "Practitioner", "PractitionerRole", "Schedule", "Slot")
    assert all(lines(kind) for kind in kinds)
    CLOSED[closed](schedule, role)
    for kind in kinds:
        assert lines(kind) == [], kind


def test_a_role_that_is_over_is_left_out_of_those_of_somebody_who_stays(schedule, place):
    past = RoleFactory(practitioner=schedule.actor, extra={"period": {"end": "2020-12-31"}})
    still = RoleFactory(practitioner=schedule.actor, extra={"period": {"start": "2020-12-31"}})
    assert [each["id"] for each in lines("PractitionerRole")] == [still.fhir_id]
    assert past.fhir_id != still.fhir_id


def test_the_older_form_leaves_out_a_calendar_without_a_published_place(shots):
    Location.objects.update(state="")
    assert lines("Schedule", VACCINE) == lines("Slot", VACCINE) == lines("Location", VACCINE) == []


def extension(resource, name: str):
    """The value of an extension of the guide in its version 1.0.0-ballot."""
    return next(each for each in resource.get("extension", ()) if each["url"] == f"{LINKS}/StructureDefinition/{name}")


def test_the_ballot_names_its_own_extensions_and_the_older_manifest_stays(schedule, service):
    assert get(BALLOT).json()["request"].endswith(f"/{BALLOT}")
    assert [each["type"] for each in get(BALLOT).json()["output"]] == [
        each["type"] for each in get(ALL).json()["output"]
    ]
    [new], [old] = (
        [each for each in lines("Slot", form) if each["start"] == local(monday(10))] for form in (BALLOT, ALL)
    )
    assert extension(new, "booking-deep-link")["valueUrl"] == old["extension"][0]["valueUrl"]
    assert extension(new, "booking-phone")["valueString"] == "+1 212 555 0100"
    assert (new["id"], new["status"]) == (old["id"], "free")
    assert "appointmentType" not in old


@pytest.mark.parametrize(
    ("eligibility", "code"), [("everyone", "newpt"), ("new", "newpt"), ("returning", "existptonly")]
)
def test_each_slot_of_the_ballot_says_if_it_is_for_existing_patients_only(schedule, service, eligibility, code):
    service.eligibility = eligibility
    service.save()
    codings = [each["appointmentType"]["coding"] for each in lines("Slot", BALLOT)]
    assert {coding["code"] for [coding] in codings} == {code}


def test_a_schedule_of_the_ballot_has_its_specialties_as_codings(schedule, service):
    dermatology = {"system": "http://snomed.info/sct", "code": "394582007", "display": "Dermatology"}
    schedule.specialty = [{"coding": [dermatology, {"display": "Skin"}]}]
    schedule.save()
    [found] = lines("Schedule", BALLOT)
    assert extension(found, "schedule-specialty")["valueCoding"] == dermatology
    assert len(found["extension"]) == 1


def test_video_visits_are_given_at_a_virtual_location(schedule, service, place):
    assert [each["id"] for each in lines("Location", BALLOT)] == [place.fhir_id]
    service.telehealth = True
    service.save()
    answer = get(f"{BALLOT}/Location.ndjson").getvalue()
    _, virtual = [json.loads(line) for line in answer.splitlines()]
    assert_fhir(virtual)
    assert virtual["physicalType"]["coding"][0]["code"] == "vi"
    assert {each["system"] for each in virtual["telecom"]} == {"url"}
    assert "address" not in virtual
    here = {"reference": f"Location/{virtual['id']}", "display": virtual["name"]}
    assert lines("HealthcareService", BALLOT)[0]["location"] == [here]
    assert here in lines("Schedule", BALLOT)[0]["actor"]
    assert [each["id"] for each in lines("Location", ALL)] == [place.fhir_id]
    assert here not in lines("Schedule", ALL)[0]["actor"]


def test_video_visits_of_a_clinic_without_a_published_place_are_in_the_ballot(service):
    ScheduleFactory(services=[service], site=LocationFactory())
    service.telehealth = True
    service.save()
    assert len(lines("HealthcareService", BALLOT)) == 1
    assert lines("HealthcareService", ALL) == []
