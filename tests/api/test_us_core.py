"""US Core's Appointment profile, 10.0.0-ballot: a status, and an actor of each participant.

http://hl7.org/fhir/us/core/StructureDefinition/us-core-appointment
"""

import pytest

from clinic.fhir.codes import US_CORE_APPOINTMENT
from clinic.models import Appointment
from tests.api.conftest import ids
from tests.factories import AppointmentFactory, PatientFactory
from tests.scheduling.situations import monday

OTHER = "https://riverside.example/StructureDefinition/visit"
SEARCHES = "http://hl7.org/fhir/us/core/SearchParameter/us-core-appointment-"
INTERPRETER = {"type": [{"text": "Interpreter"}], "status": "accepted"}


@pytest.fixture
def visit(db):
    return AppointmentFactory(patient=PatientFactory(fhir_id="ada"), start=monday(9))


def profiles(resource):
    return resource["meta"].get("profile", [])


def test_it_is_declared_where_it_is_met(api, visit):
    found = api.get(visit.reference).fhir
    assert profiles(found) == [US_CORE_APPOINTMENT]
    assert found["status"]
    assert all(each["actor"]["reference"] and each["status"] for each in found["participant"])
    visit.participant = [*visit.participant, INTERPRETER]
    visit.save()
    assert profiles(api.get(visit.reference).fhir) == []


def test_it_is_not_stored_and_other_profiles_are(api, visit):
    sent = api.get(visit.reference).fhir
    sent["meta"]["profile"].append(OTHER)
    assert profiles(api.put(visit.reference, sent).fhir) == [OTHER, US_CORE_APPOINTMENT]
    assert Appointment.objects.get().extra["meta"] == {"profile": [OTHER]}
    again = api.get(visit.reference)
    unchanged = api.put(visit.reference, again.fhir)
    assert unchanged.fhir["meta"]["versionId"] == again.fhir["meta"]["versionId"]
    del again.fhir["meta"]
    api.put(visit.reference, again.fhir)
    assert profiles(api.get(visit.reference).fhir) == [US_CORE_APPOINTMENT]


def test_the_statement_names_the_profile_and_its_searches(api):
    [kind] = [each for each in api.get("metadata").fhir["rest"][0]["resource"] if each["type"] == "Appointment"]
    assert US_CORE_APPOINTMENT in kind["supportedProfile"]
    defined = {each["name"]: each["definition"] for each in kind["searchParam"]}
    assert {name: defined[name] for name in ("patient", "date")} == {
        name: f"{SEARCHES}{name}" for name in ("patient", "date")
    }
    for name in ("patient", "date"):
        page = api.get(f"SearchParameter/us-core-appointment-{name}").fhir
        assert page["derivedFrom"] == f"http://hl7.org/fhir/SearchParameter/Appointment-{name}"


def test_visits_are_found_by_patient_and_date(api, visit):
    AppointmentFactory(start=monday(9))
    day = monday(9).date().isoformat()
    for query in ("patient=Patient/ada", f"patient=ada&date=ge{day}", f"patient=ada&date=ge{day}&date=le{day}"):
        assert ids(api.get(f"Appointment?{query}")) == [visit.fhir_id]
    assert ids(api.get(f"Appointment?patient=ada&date=lt{day}")) == []


def test_it_is_searched_for_as_if_it_were_stored(api, visit):
    other = AppointmentFactory(participant=[INTERPRETER], extra={"meta": {"profile": [OTHER]}}, start=monday(10))
    without = US_CORE_APPOINTMENT.partition("|")[0]
    for profile in (US_CORE_APPOINTMENT, without):
        assert ids(api.get("Appointment", {"_profile": profile})) == [visit.fhir_id]
    assert ids(api.get("Appointment", {"_profile:below": without.rpartition("/")[0]})) == [visit.fhir_id]
    assert ids(api.get("Appointment", {"_profile": OTHER})) == [other.fhir_id]
    assert ids(api.get("Appointment?_profile:missing=true")) == []
