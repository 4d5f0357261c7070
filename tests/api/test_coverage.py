"""Coverage of a visit, written by software, patients and the front desk: https://hl7.org/fhir/R4/coverage.html"""

import pytest

from clinic.models import Coverage
from tests.api.conftest import Api, api_with, codes, texts
from tests.api.people import coverage_of
from tests.factories import AppointmentFactory, CoverageFactory, PatientFactory, RelatedPersonFactory, ScheduleFactory


def test_software_creates_and_updates_it(api, ada):
    created = api.post("Coverage", coverage_of(ada))
    assert created.status_code == 201
    assert created["Location"].endswith(f"/Coverage/{created.fhir['id']}/_history/1")
    assert created.fhir["class"] == coverage_of()["class"]
    changed = {**created.fhir, "period": {"start": "2026-01-01", "end": "2026-12-31"}}
    updated = api.put(f"Coverage/{created.fhir['id']}", changed)
    assert (updated.status_code, updated.fhir["meta"]["versionId"]) == (200, "2")


def test_under_an_id_of_the_clients_it_is_created_too(api, ada):
    assert api.put("Coverage/mine", coverage_of(ada, id="mine")).status_code == 201


def test_a_beneficiary_is_required(api):
    response = api.post("Coverage", coverage_of())
    assert (response.status_code, codes(response)) == (422, ["required"])
    assert response.fhir["issue"][0]["expression"] == ["Coverage.beneficiary"]


def test_a_patients_own_coverage_needs_no_beneficiary(ada):
    response = Api(user=ada.user).post("Coverage", coverage_of())
    assert (response.status_code, response.fhir["beneficiary"]) == (201, {"reference": ada.reference})


def test_a_carer_names_the_beneficiary(ada):
    tim = PatientFactory(given="Tim")
    RelatedPersonFactory(user=ada.user, patient=tim)
    api = Api(user=ada.user)
    assert api.post("Coverage", coverage_of()).status_code == 422
    for patient in (ada, tim):
        assert api.post("Coverage", coverage_of(patient)).status_code == 201


def test_a_patient_updates_their_own(ada):
    coverage = CoverageFactory(beneficiary=ada)
    response = Api(user=ada.user).put(coverage.reference, coverage_of(ada, id=coverage.fhir_id))
    assert (response.status_code, response.fhir["subscriberId"]) == (200, "M-17")


def test_another_patient_is_missing(ada, bo):
    """Not as the beneficiary nor in another role; the refusal is the same as for a patient who does not exist."""
    api = Api(user=ada.user)
    for somebody in (bo.reference, "Patient/nobody"):
        for sent in (
            coverage_of(beneficiary={"reference": somebody}),
            coverage_of(ada, subscriber={"reference": somebody}),
        ):
            response = api.post("Coverage", sent)
            assert (response.status_code, codes(response)) == (422, ["not-found"])
            assert texts(response) == f"{somebody!r} is not known here."
    assert not Coverage.objects.exists()


def test_the_coverage_of_another_patient_is_missing(ada, bo):
    theirs = CoverageFactory(beneficiary=bo)
    response = Api(user=ada.user).put(theirs.reference, coverage_of(ada, id=theirs.fhir_id))
    assert (response.status_code, codes(response)) == (404, ["not-found"])
    theirs.refresh_from_db()
    assert theirs.beneficiary == bo


def test_the_front_desk_writes_anybodys(ada, rana):
    desk = Api(user=rana)
    created = desk.post("Coverage", coverage_of(ada))
    assert created.status_code == 201
    assert desk.put(f"Coverage/{created.fhir['id']}", {**created.fhir, "subscriberId": "M-18"}).status_code == 200


def test_practitioners_write_none(ada, chen):
    AppointmentFactory(patient=ada, schedules=[ScheduleFactory(actor=chen)])
    assert Api(user=chen.user).post("Coverage", coverage_of(ada)).status_code == 403


def test_software_without_the_scope_writes_none(ada):
    assert api_with("system/Coverage.rs").post("Coverage", coverage_of(ada)).status_code == 403


@pytest.mark.parametrize(
    ("change", "element"),
    [({"type": {"text": "PPO"}}, "Coverage.type"), ({"beneficiary": None}, "Coverage.beneficiary")],
)
def test_a_coverage_in_use_keeps_its_type_and_beneficiary(api, ada, bo, change, element):
    coverage = CoverageFactory(beneficiary=ada, type={"text": "EHCPOL"})
    sent = coverage_of(ada, id=coverage.fhir_id) | {
        name: value or {"reference": bo.reference} for name, value in change.items()
    }
    assert api.put(coverage.reference, coverage_of(ada, id=coverage.fhir_id)).status_code == 200
    AppointmentFactory(patient=ada, extra={"supportingInformation": [{"reference": coverage.reference}]})
    response = api.put(coverage.reference, sent)
    assert (response.status_code, codes(response)) == (422, ["business-rule"])
    assert response.fhir["issue"][0]["expression"] == [element]
    assert "Make another one" in texts(response)
    assert api.put(coverage.reference, coverage_of(ada, id=coverage.fhir_id, status="cancelled")).status_code == 200


def test_an_unused_coverage_can_be_changed(api, ada):
    coverage = CoverageFactory(beneficiary=ada)
    over = AppointmentFactory(patient=ada, extra={"supportingInformation": [{"reference": coverage.reference}]})
    over.status = "cancelled"
    over.save()
    assert api.put(coverage.reference, coverage_of(ada, id=coverage.fhir_id, type={"text": "PPO"})).status_code == 200


def test_the_words_of_stu3_are_translated(api, ada):
    response = api.post("Coverage", coverage_of(ada, grouping={"plan": "gold", "planDisplay": "Acme Gold"}))
    assert response.status_code == 400
    assert "say class, of type plan" in texts(response)
