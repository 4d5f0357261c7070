"""The published Slots: free, taken and held time, with links for booking."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from api.publishing import slots
from api.publishing.editions import REGISTRY
from tests.api.bulk_publish.files import ALL, VACCINE, get, lines, local, statuses
from tests.api.conftest import BASE
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import monday

pytestmark = pytest.mark.django_db


DEEP_LINK, PHONE = (f"{REGISTRY}/{name}" for name in (slots.DEEP_LINK, slots.PHONE))


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
