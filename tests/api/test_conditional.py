"""https://hl7.org/fhir/R4/http.html#ccreate and the conditional update, patch and delete"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from clinic.models import Location, Patient
from tests.api.conftest import api_with, codes
from tests.factories import LocationFactory, PatientFactory

SYSTEM = "http://sites.example"
SITE = {"resourceType": "Location", "name": "Main Street", "identifier": [{"system": SYSTEM, "value": "1"}]}
CONDITION = f"identifier={SYSTEM}|1"


@pytest.mark.parametrize(
    "condition", [CONDITION, f"?{CONDITION}", "name:exact=Main%20Street", f"name=main&{CONDITION}"]
)
def test_if_none_exist_creates_only_once(api, condition):
    assert api.post("Location", SITE, if_none_exist=condition).status_code == 201
    again = api.post("Location", {**SITE, "name": "Other"}, if_none_exist=condition)
    assert (again.status_code, again.fhir["name"]) == (200, "Main Street")
    assert Location.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_conditional_creations_at_once_create_one():
    start, apis = Barrier(2, timeout=30), [api_with(), api_with()]

    def post(api):
        start.wait()
        status = api.post("Location", SITE, if_none_exist=CONDITION).status_code
        connection.close()
        return status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(post, apis)) == [200, 201]


def test_several_that_exist_are_too_many(api):
    LocationFactory.create_batch(2, name="Main Street")
    response = api.post("Location", SITE, if_none_exist="name=Main")
    assert (response.status_code, codes(response)) == (412, ["multiple-matches"])


def test_a_deleted_resource_matches_no_condition(api):
    first = api.post("Location", SITE, if_none_exist=CONDITION).fhir
    api.delete(f"Location/{first['id']}")
    assert api.post("Location", SITE, if_none_exist=CONDITION).status_code == 201


@pytest.mark.parametrize(
    "condition", ["identifier=", "_count=1", "colour=red", "near=here", "_include=Location:partof"]
)
def test_a_condition_that_says_nothing_is_refused(api, condition):
    LocationFactory()
    assert api.post("Location", SITE, if_none_exist=condition).status_code == 400
    assert api.request("DELETE", f"Location?{condition}").status_code == 400
    assert Location.objects.get().deleted_at is None


def test_an_update_by_search_creates_or_replaces(api):
    created = api.put(f"Location?{CONDITION}", SITE)
    assert created.status_code == 201
    replaced = api.put(f"Location?{CONDITION}", {**SITE, "name": "High Street"})
    assert (replaced.status_code, replaced["ETag"]) == (200, 'W/"2"')
    assert replaced.fhir["id"] == created.fhir["id"]


def test_an_update_by_search_creates_under_the_id_that_it_says(api):
    assert api.put(f"Location?{CONDITION}", {**SITE, "id": "main"}).status_code == 201
    assert api.get("Location/main").status_code == 200
    other = api.put(f"Location?{CONDITION}", {**SITE, "id": "other"})
    assert (other.status_code, codes(other)) == (400, ["invalid"])


def test_an_update_by_search_does_not_take_the_id_of_what_it_did_not_find(api):
    LocationFactory(fhir_id="main", name="Taken")
    assert api.put(f"Location?{CONDITION}", {**SITE, "id": "main"}).status_code == 409
    assert api.get("Location/main").fhir["name"] == "Taken"


def test_a_search_that_finds_several_updates_patches_and_deletes_none(api):
    LocationFactory.create_batch(2, name="Main Street")
    patch = [{"op": "replace", "path": "/name", "value": "x"}]
    for response in (
        api.put("Location?name=Main", SITE),
        api.patch("Location?name=Main", patch),
        api.delete("Location?name=Main"),
    ):
        assert (response.status_code, codes(response)) == (412, ["multiple-matches"])
    assert not Location.objects.exclude(version=1).exists()


def test_a_patch_by_search_changes_the_one_it_finds(api):
    LocationFactory(name="Main Street")
    patch = [{"op": "replace", "path": "/name", "value": "High Street"}]
    assert api.patch("Location?name=Main", patch).fhir["name"] == "High Street"
    assert api.patch("Location?name=Main", patch).status_code == 404


def test_a_deletion_by_search_deletes_the_one_it_finds_or_nothing(api):
    LocationFactory(name="Main Street")
    assert api.delete("Location?name=Main").status_code == 204
    assert Location.objects.get().deleted_at is not None
    assert api.delete("Location?name=Main").status_code == 204


def test_versions_are_matched_here_too(api):
    api.put(f"Location?{CONDITION}", SITE)
    assert api.put(f"Location?{CONDITION}", {**SITE, "name": "x"}, if_match='W/"7"').status_code == 412
    assert api.delete(f"Location?{CONDITION}", if_match='W/"7"').status_code == 412


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_condition_needs_a_search(api, method):
    body, media_type = ([], "application/json-patch+json") if method == "PATCH" else (SITE, "application/fhir+json")
    assert api.request(method, "Location", body, content_type=media_type).status_code == 400


def test_a_condition_needs_the_right_to_search(db):
    PatientFactory(identifier=[{"system": "http://mrn.example", "value": "7"}])
    condition = "identifier=http://mrn.example|7"
    response = api_with("system/Patient.cud").post("Patient", {"resourceType": "Patient"}, if_none_exist=condition)
    assert (response.status_code, codes(response)) == (403, ["forbidden"])
    assert Patient.objects.count() == 1
