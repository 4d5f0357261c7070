"""https://hl7.org/fhir/R4/http.html#read"""

from datetime import UTC, datetime

import pytest

from clinic.fhir.resources import RESOURCES
from tests.api.conftest import codes, texts
from tests.factories import FACTORIES, PatientFactory


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_type_of_resource_can_be_read_and_found(api, kind):
    row = FACTORIES[kind]()
    read = api.get(row.reference)
    assert read.status_code == 200
    assert (read.fhir["resourceType"], read.fhir["id"]) == (kind, row.fhir_id)
    found = api.get(kind, {"_id": row.fhir_id})
    assert [entry["resource"] for entry in found.fhir["entry"]] == [read.fhir]


def test_a_resource_comes_with_its_version(api):
    patient = PatientFactory(version=3, last_updated=datetime(2026, 1, 5, 14, tzinfo=UTC))
    response = api.get(patient.reference)
    assert response["ETag"] == 'W/"3"'
    assert response["Last-Modified"] == "Mon, 05 Jan 2026 14:00:00 GMT"
    assert response["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("known", ['W/"1"', '"1"', 'W/"7", W/"1"', "*"])
def test_a_known_version_is_not_modified(api, known):
    response = api.get(PatientFactory().reference, if_none_match=known)
    assert response.status_code == 304
    assert response["ETag"] == 'W/"1"'
    assert response.content == b""


def test_another_etag_gets_the_resource(api):
    assert api.get(PatientFactory().reference, if_none_match='W/"2"').status_code == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Mon, 05 Jan 2026 14:00:00 GMT", 304),
        ("Tue, 06 Jan 2026 14:00:00 GMT", 304),
        ("Mon, 05 Jan 2026 13:59:59 GMT", 200),
        ("yesterday", 200),
    ],
)
def test_a_row_unchanged_since_the_last_read_is_not_modified(api, since, status):
    patient = PatientFactory(last_updated=datetime(2026, 1, 5, 14, tzinfo=UTC))
    assert api.get(patient.reference, if_modified_since=since).status_code == status
    assert api.get(patient.reference, if_modified_since=since, if_none_match='W/"9"').status_code == 200


def test_head_answers_as_get_does_without_the_body(api):
    patient = PatientFactory()
    for path in (patient.reference, "Patient", f"{patient.reference}/_history"):
        response = api.request("HEAD", path)
        assert (response.status_code, response.content) == (200, b"")


def test_a_deleted_resource_is_410(api):
    patient = PatientFactory(deleted_at=datetime(2026, 1, 5, tzinfo=UTC))
    response = api.get(patient.reference)
    assert response.status_code == 410
    assert codes(response) == ["deleted"]
    assert api.get("Patient").fhir["total"] == 0


@pytest.mark.parametrize(
    "path",
    ["Patient/nobody", "Patient/a_b", "Basic", "Basic/1", "Patient/1/2", "patient", "Patient/", "Patient/1/$nothing"],
)
def test_a_missing_row_is_not_found(api, path):
    for method in ("GET", "POST") if path != "Patient/nobody" else ("GET",):
        response = api.request(method, path)
        assert response.status_code == 404
        assert codes(response) == ["not-found"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "Patient/1", "GET, PUT, PATCH, DELETE, HEAD"),
        ("POST", "AuditEvent", "GET, HEAD"),
        ("DELETE", "AuditEvent/1", "GET, HEAD"),
        ("PATCH", "AuditEvent/1", "GET, HEAD"),
        ("PUT", "Patient/1/_history/1", "GET, HEAD"),
        ("PUT", "", "GET, POST, HEAD"),
        ("OPTIONS", "Patient", "GET, POST, PUT, PATCH, DELETE, HEAD"),
    ],
)
def test_other_methods_are_refused_with_those_that_are_allowed(api, method, path, allowed):
    response = api.request(method, path)
    assert response.status_code == 405
    assert response["Allow"] == allowed
    assert codes(response) == ["not-supported"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/fhir+json", "application/fhir+json"),
        ("application/json", "application/json"),
        ("text/json", "text/json"),
        ("application/fhir+json, */*; q=0.1", "application/fhir+json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/fhir+json"),
    ],
)
def test_the_answer_is_of_the_type_that_was_asked_for(api, accept, media_type):
    response = api.get(PatientFactory().reference, accept=accept)
    assert response["Content-Type"] == f"{media_type}; charset=utf-8"


def test_an_unknown_format_is_406(api):
    patient = PatientFactory().reference
    assert api.get(patient, accept="application/fhir+turtle").status_code == 406
    response = api.get(patient, {"_format": "ttl"})
    assert response.status_code == 406
    assert "use json" in texts(response)


@pytest.mark.parametrize("expected", ["json", "application/json", "application/fhir+json", "application/fhir json"])
def test_format_goes_before_accept(api, expected):
    assert api.get(PatientFactory().reference, {"_format": expected}, accept="text/turtle").status_code == 200


def test_pretty_is_for_people(api):
    patient = PatientFactory().reference
    assert b'\n  "resourceType"' in api.get(patient, {"_pretty": "true"}).content
    assert b"\n" not in api.get(patient).content


def test_a_read_is_few_statements(api, django_assert_num_queries):
    patient = PatientFactory().reference
    with django_assert_num_queries(3):  # the token, the row, disclosures
        api.get(patient)
