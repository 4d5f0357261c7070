"""Patient/$merge and $unmerge: https://hl7.org/fhir/6.0.0-ballot3/patient-operation-merge.html"""

import pytest

from clinic.fhir.xml import from_xml, read_xml
from clinic.models import AuditEvent, Patient
from tests.api.conftest import api_with, codes, texts
from tests.factories import AppointmentFactory, CoverageFactory, PatientFactory, UserFactory
from tests.row_digests import stored
from tests.scheduling.situations import monday

MERGE, UNMERGE = "Patient/$merge", "Patient/$unmerge"
NUMBER = {"system": "https://riverside.example/records", "value": "R-17"}


@pytest.fixture
def twin(db):
    return PatientFactory(fhir_id="twin", family="Quin", identifier=[NUMBER])


@pytest.fixture
def ada(db):
    return PatientFactory(fhir_id="ada", family="Quinn")


def reference(name, fhir_id):
    return {"name": name, "valueReference": {"reference": f"Patient/{fhir_id}"}}


TWIN, ADA = reference("source-patient", "twin"), reference("target-patient", "ada")
PREVIEW = {"name": "preview", "valueBoolean": True}


def parameters(*parameter):
    return {"resourceType": "Parameters", "parameter": list(parameter)}


def parts(response):
    assert response.status_code == 200, response.fhir
    return {each["name"]: each["resource"] for each in response.fhir["parameter"]}


def test_the_answer_says_what_was_asked_what_was_done_and_who_remains(api, ada, twin):
    AppointmentFactory(patient=twin, start=monday(9))
    CoverageFactory(beneficiary=twin)
    answer = parts(api.post(MERGE, parameters(TWIN, ADA)))
    assert answer["input"] == parameters(TWIN, ADA)
    assert answer["outcome"]["issue"][0]["severity"] == "information"
    assert answer["outcome"]["issue"][0]["details"]["text"] == "Moved: 1 Appointment, 1 Coverage."
    assert answer["result"] == api.get("Patient/ada").fhir
    link = {"other": {"reference": "Patient/twin", "display": "Ada Quin"}, "type": "replaces"}
    assert answer["result"]["link"] == [link]
    source = api.get("Patient/twin").fhir
    assert (source["active"], source["link"][0]["type"]) == (False, "replaced-by")
    assert api.get("Appointment?patient=Patient/twin").fhir["total"] == 0
    assert api.get("Appointment?patient=Patient/ada").fhir["total"] == 1


def test_a_preview_has_no_version_and_changes_nothing(api, ada, twin):
    before = stored()
    answer = parts(api.post(MERGE, parameters(TWIN, ADA, PREVIEW)))
    assert answer["input"] == parameters(TWIN, ADA, PREVIEW)
    assert "meta" not in answer["result"]
    assert answer["result"]["identifier"] == [{**NUMBER, "use": "old"}]
    after = stored()
    assert {name for name in after if after[name] != before[name]} <= {"clinic_auditevent"}


def test_obstacles_are_an_answer_to_a_preview_and_refuse_a_merge(api, ada, twin):
    for patient in (ada, twin):
        AppointmentFactory(patient=patient, start=monday(9))
        Patient.objects.filter(pk=patient.pk).update(user=UserFactory())
    answer = parts(api.post(MERGE, parameters(TWIN, ADA, PREVIEW)))
    assert [each["severity"] for each in answer["outcome"]["issue"]] == ["error", "error"]
    assert "result" not in answer
    refused = api.post(MERGE, parameters(TWIN, ADA))
    assert (refused.status_code, codes(refused)) == (422, ["conflict", "conflict"])
    assert "account" in texts(refused)
    assert "same time" in texts(refused)


def test_records_are_named_by_identifiers_too(api, ada, twin):
    by_number = {"name": "source-patient-identifier", "valueIdentifier": NUMBER}
    assert parts(api.post(MERGE, parameters(by_number, ADA)))["result"]["id"] == "ada"
    other = {"name": "source-patient-identifier", "valueIdentifier": {"value": "another"}}
    assert api.post(MERGE, parameters(TWIN, other, ADA)).status_code == 404
    PatientFactory(identifier=[NUMBER])
    assert api.post(MERGE, parameters(by_number, ADA)).status_code == 412


def test_the_result_can_be_sent(api, ada, twin):
    wanted = {"resourceType": "Patient", "id": "ada", "name": [{"family": "Quinn-Lee"}]}
    answer = parts(api.post(MERGE, parameters(TWIN, ADA, {"name": "result-patient", "resource": wanted})))
    assert answer["result"]["name"] == wanted["name"]
    assert answer["result"]["link"][0]["type"] == "replaces"
    wrong = {**wanted, "birthDate": "soon"}
    response = api.post(MERGE, parameters(TWIN, ADA, {"name": "result-patient", "resource": wrong}))
    assert (response.status_code, response.fhir["issue"][0]["expression"]) == (
        400,
        ["Parameters.result-patient.birthDate"],
    )


def test_a_merge_is_undone(api, ada, twin):
    before = {name: api.get(f"Patient/{name}").fhir for name in ("ada", "twin")}
    api.post(MERGE, parameters(TWIN, ADA))
    answer = parts(api.post(UNMERGE, parameters(TWIN)))
    assert answer["result"] == api.get("Patient/twin").fhir
    for name, resource in before.items():
        assert {**api.get(f"Patient/{name}").fhir, "meta": {}} == {**resource, "meta": {}}
    again = api.post(UNMERGE, parameters(TWIN))
    assert (again.status_code, codes(again)) == (422, ["business-rule"])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (parameters(ADA), 400),
        (parameters(TWIN), 400),
        (parameters(TWIN, ADA, {"name": "colour", "valueString": "red"}), 400),
        (parameters(TWIN, ADA, {"name": "preview", "valueString": "perhaps"}), 400),
        (parameters({"name": "source-patient-identifier", "valueIdentifier": {"system": "s"}}, ADA), 400),
        (parameters(TWIN, reference("target-patient", "twin")), 400),
        (parameters(TWIN, reference("target-patient", "nobody")), 404),
    ],
)
def test_impossible_merges_are_refused(api, ada, twin, sent, status):
    before = stored()
    assert api.post(MERGE, sent).status_code == status
    assert stored() == before


def test_xml_says_the_same(api, ada, twin):
    response = api.post(MERGE, parameters(TWIN, ADA, PREVIEW), accept="application/fhir+xml")
    answer = from_xml(read_xml(response.content.decode()))
    assert [each["name"] for each in answer["parameter"]] == ["input", "outcome", "result"]


def test_a_token_needs_the_scope_on_both_records(ada, twin):
    narrow = api_with("system/Patient.rs system/Patient.u?_id=twin")
    assert narrow.post(MERGE, parameters(TWIN, ADA)).status_code == 403
    assert api_with("system/Patient.rs").post(MERGE, parameters(TWIN, ADA)).status_code == 403
    assert api_with("system/Patient.rus").post(MERGE, parameters(TWIN, ADA)).status_code == 200


def test_the_answer_is_written_down(api, ada, twin):
    api.post(MERGE, parameters(TWIN, ADA))
    assert AuditEvent.objects.filter(subtype="read", patient=ada, target="Patient/ada").exists()
