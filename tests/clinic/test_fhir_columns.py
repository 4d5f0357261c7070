"""The columns of a row that a resource is read into, and the JSON after a column has changed."""

from datetime import date, timedelta

import pytest

from clinic.fhir import codes
from clinic.fhir.resources import RESOURCES, References, to_fhir
from tests.clinic.round_trips import COLOUR, IDENTIFIER, PERSON, PLANNED, RICH, everybody, there_and_back
from tests.factories import CoverageFactory, QuestionnaireFactory, ServiceFactory, concept


@pytest.mark.django_db
def test_columns_are_not_repeated():
    """An element that a column can reproduce is not stored in `extra` too."""
    organization = {"resourceType": "Organization", "active": True, "name": "R", "identifier": [IDENTIFIER]}
    row, _ = there_and_back({**organization, "alias": ["River"]}, References())
    assert row.extra == {"alias": ["River"]}


@pytest.mark.django_db
def test_a_changed_column_replaces_the_element_that_was_sent():
    row, _ = there_and_back({"resourceType": "Patient", **PERSON}, References())
    row.family, row.given, row.phone, row.email = "Quill", "Bea", "", "bea@example.com"
    back = to_fhir(row)
    assert back["name"][0] == {
        "use": "official",
        "_family": {"id": "f"},
        "family": "Quill",
        "given": ["Bea"],
        "prefix": ["Dr."],
    }
    assert back["name"][1:] == PERSON["name"][1:]
    assert back["telecom"][0] == {"system": "email", "value": "not an address", "use": "work"}
    assert back["telecom"][4] == {"system": "email", "value": "bea@example.com"}
    assert "value" not in back["telecom"][2]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("actor", "site"),
    [
        ("Location/room", "site"),
        ("Location/site", "site"),
        ("Device/device", "site"),
        ("PractitionerRole/role", "site"),
        ("Practitioner/chen", None),
    ],
)
def test_the_site_of_a_schedule_follows_from_its_actor(actor, site):
    row, back = there_and_back({"resourceType": "Schedule", "actor": [{"reference": actor}]}, everybody())
    assert (row.site and row.site.fhir_id) == site
    assert "extension" not in back


@pytest.mark.django_db
def test_a_planning_horizon_is_in_the_schedules_zone():
    london = next(each for each in RICH if each.get("comment") == "Dr. Chen, mornings")
    row, _ = there_and_back(london, everybody())
    assert row.planning_start.isoformat() == "2026-01-01T00:00:00+00:00"
    assert row.planning_end.isoformat() == "2027-01-01T00:00:00+00:00"
    new_york, _ = there_and_back({**london, "extension": [COLOUR]}, everybody_again())
    assert new_york.planning_start.isoformat() == "2026-01-01T05:00:00+00:00"
    row.planning_end = row.planning_start.replace(month=2)
    assert to_fhir(row)["planningHorizon"] == {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}


def everybody_again():
    return References.load({"Practitioner/chen", "HealthcareService/visit", "Location/site"})


@pytest.mark.django_db
def test_an_appointment_knows_its_patient_and_its_service():
    row, _ = there_and_back(PLANNED, everybody())
    assert row.patient.fhir_id == "ada"
    assert row.service.fhir_id == "visit"


@pytest.mark.django_db
def test_when_a_hold_expires_is_not_for_clients_to_say():
    expires = {"url": codes.HOLD_EXPIRES, "valueInstant": "2030-01-01T00:00:00Z"}
    row, back = there_and_back({**PLANNED, "extension": [COLOUR, expires]}, everybody())
    assert row.hold_expires_at is None
    assert back["extension"] == [COLOUR]


@pytest.mark.django_db
def test_the_language_to_write_in_is_the_preferred_one():
    spanish = {"language": concept("es", "Spanish", codes.LANGUAGE), "preferred": True}
    english = {"language": concept("en", "English", codes.LANGUAGE)}
    row, _ = there_and_back({"resourceType": "Patient", "communication": [english, spanish]}, References())
    assert row.language == "es"
    row.language = "fr"
    french = {"language": {"coding": [{"system": codes.LANGUAGE, "code": "fr"}]}, "preferred": True}
    assert to_fhir(row)["communication"] == [english, french]
    row.language = ""
    assert to_fhir(row)["communication"] == [english]


@pytest.mark.django_db
def test_default_reminders_have_no_extension():
    row, back = there_and_back({"resourceType": "HealthcareService", "name": "Visit"}, References())
    assert row.reminders == [timedelta(hours=48), timedelta(hours=2)]
    assert "extension" not in back
    row.reminders = []
    assert to_fhir(row)["extension"] == [{"url": codes.REMINDER, "valueCode": "none"}]


@pytest.mark.django_db
def test_days_of_a_coverage_are_the_first_and_the_last():
    coverage = {
        "resourceType": "Coverage",
        "status": "active",
        "beneficiary": {"reference": "Patient/ada"},
        "payor": [{"display": "Acme"}],
    }
    refs = everybody()
    for start, end, first, last in (
        ("2024", "2024-02", date(2024, 1, 1), date(2024, 2, 29)),
        ("2026-01-01T23:00:00-05:00", "2026", date(2026, 1, 1), date(2026, 12, 31)),
    ):
        row, _ = there_and_back({**coverage, "period": {"start": start, "end": end}}, refs)
        assert (row.start, row.end) == (first, last)


@pytest.mark.django_db
def test_a_coverage_without_payor_has_a_data_absent_reason():
    row = CoverageFactory(payor=[])
    [payor] = to_fhir(row)["payor"]
    assert payor["extension"][0]["valueCode"] == "unknown"
    draft = RESOURCES["Coverage"].from_fhir(to_fhir(row), References.load([row.beneficiary.reference]))
    assert draft.fields["payor"] == []


@pytest.mark.django_db
def test_a_response_knows_its_questionnaire_patient_and_visit():
    response = next(each for each in RICH if each.get("questionnaire") == "https://example.org/form|2.1")
    row, _ = there_and_back(response, everybody())
    assert (row.questionnaire.fhir_id, row.patient.fhir_id, row.appointment.fhir_id) == ("form", "ada", "visit")
    row.questionnaire = QuestionnaireFactory(url="https://example.org/next")
    assert to_fhir(row)["questionnaire"] == "https://example.org/next"


@pytest.mark.django_db
def test_an_encounter_knows_its_visit_and_its_service():
    encounter = next(each for each in RICH if each["resourceType"] == "Encounter" and each.get("reasonCode"))
    row, _ = there_and_back(encounter, everybody())
    assert (row.appointment.fhir_id, row.service.fhir_id, row.encounter_class) == ("visit", "visit", "AMB")
    row.service = ServiceFactory(fhir_id="other", type=[])
    [extension] = to_fhir(row)["serviceType"]["extension"]
    assert extension["valueReference"]["reference"] == "HealthcareService/other"
