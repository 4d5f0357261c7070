"""The form of the ballot version, with its own extensions and virtual locations."""

import json

import pytest

from tests.api.bulk_publish.files import ALL, extension, get, lines, local
from tests.api.conftest import assert_fhir
from tests.factories import (
    LocationFactory,
    ScheduleFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


BALLOT = "links-1.0/$bulk-publish"


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
