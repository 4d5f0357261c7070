"""The published Schedules, roles, services and locations, and what is left out."""

import pytest

from clinic.models import Location, Practitioner, PractitionerRole, Schedule
from tests.api.bulk_publish.files import ALL, NPI, get, lines
from tests.api.conftest import BASE
from tests.factories import (
    LocationFactory,
    PatientFactory,
    RoleFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


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
