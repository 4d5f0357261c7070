"""The older form of the files, for vaccinations."""

import pytest

from api.publishing.editions import COVID_SERVICE_TYPE, CVX, VACCINE_DOSE, VACCINE_PRODUCT
from clinic.models import Location
from tests.api.bulk_publish.files import VACCINE, get, lines, statuses
from tests.factories import (
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


VTRCKS = {"system": "https://cdc.gov/vaccines/programs/vtrcks", "value": "CV1234567"}


@pytest.fixture
def shot(db):
    coding = {"system": COVID_SERVICE_TYPE, "code": "covid19-immunization"}
    vaccine = {"system": CVX, "code": "207", "display": "Moderna"}
    dose = {"url": VACCINE_DOSE, "valueInteger": 1}
    return ServiceFactory(name="Vaccination", type=[{"coding": [coding, vaccine]}], extra={"extension": [dose]})


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


def test_the_older_form_leaves_out_a_calendar_without_a_published_place(shots):
    Location.objects.update(state="")
    assert lines("Schedule", VACCINE) == lines("Slot", VACCINE) == lines("Location", VACCINE) == []
