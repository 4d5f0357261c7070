"""Included resources: https://hl7.org/fhir/R4/search.html#include"""

from datetime import timedelta

import pytest

from api.search import includes, known_includes, known_revincludes
from clinic.fhir.resources import RESOURCES
from tests.api.conftest import Api, api_with, ids
from tests.factories import (
    MONDAY_9,
    AppointmentFactory,
    CoverageFactory,
    DeviceFactory,
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)


def brought(api, path, *included, name="_include"):
    """The types of the included resources, each with its number."""
    response = api.get(path, {name: list(included)}) if included else api.get(path)
    assert response.status_code == 200, response.fhir
    found = [entry["resource"] for entry in response.fhir["entry"] if entry["search"]["mode"] == "include"]
    assert len({(each["resourceType"], each["id"]) for each in found}) == len(found)
    return sorted(each["resourceType"] for each in found)


@pytest.fixture
def slots(db):
    schedule = ScheduleFactory(fhir_id="chen", actor=PractitionerFactory(fhir_id="dr-chen"), services=[])
    return [SlotFactory(schedule=schedule, status="free") for _ in range(3)]


@pytest.fixture
def visit(db):
    """A visit with a participant of every type."""
    patient, service = PatientFactory(fhir_id="ada"), ServiceFactory()
    site = LocationFactory()
    actors = [PractitionerFactory(), RoleFactory(), RoomFactory(part_of=site), DeviceFactory(location=site)]
    row = AppointmentFactory(
        fhir_id="visit", patient=patient, service=service, schedules=[ScheduleFactory(actor=each) for each in actors]
    )
    row.participant += [
        {"actor": {"reference": each.reference}, "status": "accepted"}
        for each in (service, RelatedPersonFactory(patient=patient))
    ]
    row.save()
    return row


EVERYONE = sorted(
    ["Patient", "Practitioner", "PractitionerRole", "Location", "Device", "HealthcareService", "RelatedPerson"]
)


def test_a_referenced_resource_is_included_once(api, slots):
    response = api.get("Slot?schedule=chen&_include=Slot:schedule&_include:iterate=Schedule:actor")
    entries = [(entry["search"]["mode"], entry["resource"]["id"]) for entry in response.fhir["entry"]]
    assert entries[3:] == [("include", "chen"), ("include", "dr-chen")]
    assert response.fhir["total"] == 3


def test_a_visit_brings_everyone_who_takes_part(api, visit):
    assert brought(api, "Appointment", "Appointment:actor") == EVERYONE
    assert brought(api, "Appointment", "Appointment:actor:Patient") == ["Patient"]
    assert brought(api, "Appointment", "Appointment:patient") == ["Patient"]
    assert brought(api, "Appointment", "Appointment:location", "Appointment:slot") == ["Location"] + ["Slot"] * 4


def test_an_asterisk_stands_for_all_references(api, visit):
    everything = sorted([*EVERYONE, *["Slot"] * 4])
    assert brought(api, "Appointment", "Appointment:*") == everything
    assert brought(api, "Appointment", "*") == everything


def test_a_referring_resource_is_included(api, visit):
    CoverageFactory(beneficiary=visit.patient)
    parameters = ("Appointment:patient", "Coverage:beneficiary", "RelatedPerson:patient")
    assert brought(api, "Patient", *parameters, name="_revinclude") == ["Appointment", "Coverage", "RelatedPerson"]
    assert brought(api, "Practitioner", "Appointment:actor:Practitioner", name="_revinclude") == ["Appointment"]
    assert brought(api, "Practitioner", "Appointment:actor:Patient", name="_revinclude") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Schedule?_revinclude=Slot:schedule", ["Slot"] * 4),
        ("Slot?_count=1&_revinclude=Appointment:slot", ["Appointment"]),
        ("Location?_revinclude=Device:location&_revinclude=Location:partof&_count=1", ["Device", "Location"]),
        ("HealthcareService?_count=1&_revinclude=Schedule:service", []),
        ("Patient?_revinclude=Appointment:patient&_revinclude:iterate=Encounter:appointment", ["Appointment"]),
        ("Patient?_revinclude=Appointment:patient&_include:iterate=Appointment:slot", ["Appointment"] + ["Slot"] * 4),
        ("Patient?_revinclude=Appointment:*", ["Appointment"]),
    ],
)
def test_includes_go_both_ways_and_on(api, visit, query, found):
    assert brought(api, query) == found


def test_a_form_is_included_by_its_canonical(api):
    form = QuestionnaireFactory(url="http://forms.example/pain")
    other = QuestionnaireFactory(url="")
    for each in (form, form, other):
        QuestionnaireResponseFactory(questionnaire=each)
    include = "QuestionnaireResponse:questionnaire"
    assert brought(api, "QuestionnaireResponse", include) == ["Questionnaire"] * 2
    assert brought(api, "Questionnaire", include, name="_revinclude") == ["QuestionnaireResponse"] * 3


def test_a_match_is_not_included_again(api):
    site = LocationFactory()
    RoomFactory(part_of=site)
    assert brought(api, "Location", "Location:partof") == []


def test_a_deleted_resource_is_not_included(api, visit):
    visit.patient.deleted_at = visit.created
    visit.patient.save()
    assert brought(api, "Appointment", "Appointment:patient") == []


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_include_that_is_known_can_be_asked_for(api, kind):
    for name, known in (("_include", known_includes(kind)), ("_revinclude", known_revincludes(kind))):
        assert api.get(kind, {name: list(known)}).status_code == 200
        assert api.get(kind, {f"{name}:iterate": list(known)}).status_code == 200


def test_there_is_an_end_to_what_goes_with_it_and_the_answer_says_so(api, slots, monkeypatch):
    monkeypatch.setattr(includes, "MAX_INCLUDED", 2)
    response = api.get("Schedule?_revinclude=Slot:schedule")
    assert [entry["search"]["mode"] for entry in response.fhir["entry"]] == ["match", "include", "include", "outcome"]
    assert response.fhir["entry"][-1]["resource"]["issue"][0]["code"] == "incomplete"


def test_no_include_leads_to_another_patient(ada, bo):
    """Two patients in one visit: each sees the other's name on it, and no more."""
    schedule = ScheduleFactory(fhir_id="chen")
    visit = AppointmentFactory(fhir_id="both", patient=ada, schedules=[schedule])
    visit.participant.append({"actor": {"reference": bo.reference}, "status": "accepted"})
    visit.save()
    AppointmentFactory(fhir_id="of-bo", patient=bo, schedules=[schedule], start=MONDAY_9 + timedelta(days=1))
    CoverageFactory(beneficiary=bo)
    api = Api(user=ada.user)
    assert brought(api, "Appointment", "Appointment:actor") == ["Patient", "Practitioner"]
    assert brought(api, "Practitioner", "Appointment:practitioner", name="_revinclude") == ["Appointment"]
    on = (
        "Practitioner?_revinclude=Appointment:actor&_include:iterate=Appointment:*&_revinclude:iterate=Coverage:patient"
    )
    assert "Coverage" not in brought(api, on)
    assert bo.fhir_id not in str([entry["resource"]["id"] for entry in api.get(on).fhir["entry"]])


def test_software_is_included_what_its_scopes_say(visit):
    api = api_with("system/Appointment.rs system/Practitioner.rs")
    assert brought(api, "Appointment", "Appointment:*") == ["Practitioner"]
    assert brought(api_with("system/Patient.rs"), "Patient", "Appointment:patient", name="_revinclude") == []


@pytest.mark.parametrize("many", [1, 8])
def test_the_number_of_statements_does_not_grow(api, many, django_assert_num_queries):
    patient = PatientFactory()
    for _ in range(many):
        AppointmentFactory(patient=patient, schedules=[ScheduleFactory()])
    with django_assert_num_queries(5):  # token, total, page, slots, disclosures
        assert len(ids(api.get("Appointment"))) == many
    with django_assert_num_queries(8):  # and schedules with their services and parameters, practitioners
        api.get("Slot?status=busy&_include=Slot:schedule&_include:iterate=Schedule:actor")
    with django_assert_num_queries(6):
        assert len(ids(api.get("Schedule"))) == many
    with django_assert_num_queries(6):  # and appointments with their slots
        api.get("Practitioner?_revinclude=Appointment:actor")
    with django_assert_num_queries(6):
        api.get("Patient?_revinclude=Appointment:patient")
