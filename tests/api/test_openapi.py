"""The OpenAPI document names exactly what the CapabilityStatement declares."""

import re

import pytest

from api.conformance.pages import DEFINITIONS
from api.operations.registry import OPERATIONS
from clinic.fhir.resources import RESOURCES
from tests.api.conftest import Api

METHODS = {"read": "get", "update": "put", "patch": "patch", "delete": "delete"}


@pytest.fixture
def document(db):
    response = Api().client.get("/fhir/R4/openapi.json")
    assert response["Content-Type"] == "application/json"
    return response.json()


def calls(document):
    return [(path, call) for path, methods in document["paths"].items() for call in methods.values()]


def references(node):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


def test_it_says_where_the_api_is_and_where_tokens_come_from(document):
    assert document["openapi"].startswith("3.")
    assert document["servers"] == [{"url": "http://testserver/fhir/R4"}]
    flows = document["components"]["securitySchemes"]["smart"]["flows"]
    assert flows["clientCredentials"]["tokenUrl"] == "http://testserver/oauth/token/"


def test_all_that_it_refers_to_is_in_it(document):
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


def test_every_call_has_a_name_of_its_own_and_its_parameters_once(document):
    names = [call["operationId"] for _, call in calls(document)]
    assert len(names) == len(set(names))
    for path, call in calls(document):
        parameters = [(each["in"], each["name"]) for each in call["parameters"]]
        assert len(parameters) == len(set(parameters))
        assert re.findall(r"{(\w+)}", path) == [name for place, name in parameters if place == "path"]


@pytest.mark.parametrize("kind", RESOURCES)
def test_it_names_the_interactions_that_are_declared(document, kind):
    rest = Api().get("metadata").fhir["rest"][0]
    declared = next(each for each in rest["resource"] if each["type"] == kind)
    codes = {each["code"] for each in declared["interaction"]}
    named = document["paths"][f"/{kind}/{{id}}"]
    assert {method for code, method in METHODS.items() if code in codes} == set(named)
    searched = {each["name"] for each in document["paths"][f"/{kind}"]["get"]["parameters"]}
    assert {each["name"] for each in declared["searchParam"]} <= searched


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_it_names_the_operations(document, operation):
    paths = [path for path in document["paths"] if path.endswith(f"/${operation.name}")]
    assert len(paths) == max(1, operation.on_type + operation.on_instance)
    for path in paths:
        assert set(document["paths"][path]) == {method.lower() for method in operation.methods}


def test_only_what_everybody_may_read_needs_no_token(document):
    unprotected = {path.split("/")[1] for path, call in calls(document) if call.get("security") == []}
    assert unprotected == {"metadata", "$bulk-publish", "SubscriptionTopic", *DEFINITIONS}


def test_a_resource_is_described_to_its_last_element(document):
    schemas = document["components"]["schemas"]
    assert set(schemas["Appointment"]["required"]) == {"resourceType", "participant", "status"}
    participant = schemas[schemas["Appointment"]["properties"]["participant"]["items"]["$ref"].rpartition("/")[2]]
    assert participant["properties"]["actor"] == {"$ref": "#/components/schemas/Reference"}
    assert schemas["Patient"]["properties"]["active"] == {"type": "boolean"}
    assert schemas["Patient"]["properties"]["resourceType"]["enum"] == ["Patient"]
