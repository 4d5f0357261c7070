"""https://hl7.org/fhir/R4/http.html#patch, with JSON Patch: https://www.rfc-editor.org/rfc/rfc6902"""

import pytest

from clinic.models import Patient
from tests.api.conftest import Api, api_with, codes, texts
from tests.factories import LocationFactory, PatientFactory, ScheduleFactory, ServiceFactory

FEMALE = [{"op": "add", "path": "/gender", "value": "female"}]


def test_a_patch_is_the_next_version(api):
    patient = PatientFactory(gender="male")
    response = api.patch(patient.reference, FEMALE)
    assert (response.status_code, response.fhir["gender"], response["ETag"]) == (200, "female", 'W/"2"')
    assert response["Location"] == f"http://testserver/fhir/R4/{patient.reference}/_history/2"


def test_a_patch_without_changes_makes_no_version(api):
    patient = PatientFactory(gender="female")
    response = api.patch(patient.reference, FEMALE)
    assert (response.status_code, response["ETag"]) == (200, 'W/"1"')


def test_any_element_can_be_patched(api):
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service], parameters={"duration": 20})
    api.patch(schedule.reference, [{"op": "remove", "path": "/serviceType"}])
    schedule.refresh_from_db()
    assert list(schedule.services.all()) == []


def test_all_of_a_patch_or_nothing(api):
    patient = PatientFactory(gender="male")
    response = api.patch(patient.reference, [*FEMALE, {"op": "remove", "path": "/photo"}])
    assert (response.status_code, codes(response)) == (422, ["processing"])
    assert Patient.objects.get().gender == "male"


def test_a_test_that_fails_keeps_the_resource_as_it_is(api):
    patient = PatientFactory(gender="male")
    test = {"op": "test", "path": "/gender", "value": "other"}
    response = api.patch(patient.reference, [test, *FEMALE])
    assert response.status_code == 422
    assert "/gender" in texts(response)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/name/0/family", "value": "x"},
        {"op": "replace", "path": "/nothing/0", "value": "x"},
        {"op": "copy", "from": "/nothing/0", "path": "/name"},
        {"op": "remove", "path": "/name/0/family/7"},
    ],
)
def test_a_patch_reveals_nothing_that_may_not_be_read(db, operation):
    patient = PatientFactory(family="Hollingsworth")
    response = api_with("system/Patient.u").patch(patient.reference, [operation])
    assert response.status_code == 422
    assert "Hollingsworth" not in texts(response)


def test_the_patched_resource_must_be_valid(api):
    patient = PatientFactory()
    response = api.patch(patient.reference, [{"op": "add", "path": "/gender", "value": "yes"}])
    assert (response.status_code, codes(response)) == (400, ["code-invalid"])
    assert response.fhir["issue"][0]["expression"] == ["Patient.gender"]


@pytest.mark.parametrize("path", ["/id", "/resourceType"])
def test_a_resource_stays_which_it_is(api, path):
    patient = PatientFactory()
    response = api.patch(patient.reference, [{"op": "replace", "path": path, "value": "Location"}])
    assert (response.status_code, codes(response)) == (400, ["invalid"])


def test_only_the_version_that_was_read_is_patched(api):
    patient = PatientFactory(version=3)
    assert api.patch(patient.reference, FEMALE, if_match='W/"2"').status_code == 412
    assert api.patch(patient.reference, FEMALE, if_match='W/"3"').status_code == 200


def test_a_missing_resource_cannot_be_patched(api):
    assert api.patch("Patient/nobody", FEMALE).status_code == 404
    patient = PatientFactory()
    api.delete(patient.reference)
    assert api.patch(patient.reference, FEMALE).status_code == 410


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        (b"", 400),
        (b"nonsense", 400),
        (b"[", 400),
        (b"7", 400),
        ({"op": "add"}, 400),
        (["add"], 400),
        ([{"op": "shout", "path": "/gender"}], 400),
        ([{"op": "add", "path": "gender", "value": "female"}], 400),
        ([{"op": "add", "value": "female"}], 400),
        ([{"op": "add", "path": 7, "value": "female"}], 400),
        ([{"op": "add", "path": "/gender"}], 400),
        ([{"op": "move", "path": "/gender"}], 400),
        ([{"op": "replace", "path": "", "value": 7}], 422),
        ([{"op": "remove", "path": ""}], 422),
        ([{"op": "add", "path": "/name/x", "value": 1}], 422),
        ([{"op": "add", "path": "/name/99", "value": {}}], 422),
        ([{"op": "add", "path": "/gender/deep/er", "value": {}}], 422),
        ([{"op": "move", "from": "/name", "path": "/name/0/x"}], 422),
        ([{"op": "test", "path": "/nothing", "value": 1}], 422),
        ([{"op": "add", "path": "/gender", "value": "\x00"}], 400),
        ([{"op": "test", "path": "/gender", "value": 1}] * 201, 400),
        ([{"op": "copy", "from": "/name", "path": "/name/-"}] * 40, 422),
    ],
    ids=range(22),
)
def test_an_invalid_patch_is_refused_with_the_reason(api, patch, status):
    response = api.patch(PatientFactory().reference, patch)
    assert response.status_code == status, texts(response)
    assert Patient.objects.get().version == 1


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/merge-patch+json", ""])
def test_other_forms_are_refused_with_those_there_are(api, media_type):
    response = api.patch(PatientFactory().reference, {"gender": "female"}, media_type)
    assert (response.status_code, codes(response)) == (415, ["not-supported"])
    for known in ("application/json-patch+json", "application/fhir+json"):
        assert known in texts(response)


@pytest.mark.parametrize("scopes", ["system/Patient.r", "system/Patient.crds", "system/Slot.cruds"])
def test_software_patches_what_its_scopes_say(db, scopes):
    assert api_with(scopes).patch(PatientFactory().reference, FEMALE).status_code == 403


def test_an_invisible_resource_cannot_be_patched(ada, bo):
    assert Api(user=ada.user).patch(bo.reference, FEMALE).status_code in (403, 404)
    bo.refresh_from_db()
    assert bo.version == 1


def test_the_answer_is_what_the_client_prefers(api):
    site = LocationFactory()
    patch = [{"op": "replace", "path": "/name", "value": "x"}]
    assert api.patch(site.reference, patch, prefer="return=minimal").content == b""
    response = api.patch(site.reference, patch, prefer="return=OperationOutcome")
    assert response.fhir["resourceType"] == "OperationOutcome"


def test_a_patch_is_few_statements(api, django_assert_num_queries):
    patient = PatientFactory(gender="male")
    with django_assert_num_queries(9):
        api.patch(patient.reference, FEMALE)
