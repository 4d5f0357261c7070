"""https://hl7.org/fhir/R4/http.html#capabilities: what is declared is what there is."""

import pytest

from clinic.fhir.resources import RESOURCES
from scheduling.api.operations import OPERATIONS
from tests.api.conftest import Api

INTERACTIONS = {
    "read": ("GET", "/nobody", 404),
    "search-type": ("GET", "", 200),
    "create": ("POST", "", 400),
    "update": ("PUT", "/nobody", 400),
}


@pytest.fixture
def statement(db):
    return Api().get("metadata").fhir


@pytest.fixture
def declared(statement):
    return {resource["type"]: resource for resource in statement["rest"][0]["resource"]}


@pytest.mark.parametrize("accept", ["application/fhir+json", "application/fhir+xml", "*/*"])
def test_everybody_is_told_what_can_be_done(db, accept):
    response = Api().get("metadata", accept=accept)
    assert response.status_code == 200
    assert response.fhir["fhirVersion"] == "4.0.1"
    assert response.fhir["implementation"]["url"] == "http://testserver/fhir/R4"


def test_every_type_is_declared(declared):
    assert list(declared) == list(RESOURCES)


@pytest.mark.parametrize("kind", RESOURCES)
def test_declared_interactions_are_answered_and_others_are_not(api, declared, kind):
    codes = {interaction["code"] for interaction in declared[kind]["interaction"]}
    for code, (method, rest, status) in INTERACTIONS.items():
        expected = status if code in codes else 405
        assert api.request(method, f"{kind}{rest}", {}).status_code == expected


@pytest.mark.parametrize("kind", RESOURCES)
def test_declared_parameters_and_includes_can_be_used(api, declared, kind):
    names = [parameter["name"] for parameter in declared[kind]["searchParam"]]
    assert len(names) == len(set(names))
    for name in names:
        assert api.get(kind, {name: ""}).status_code == 200
    for include in declared[kind].get("searchInclude", []):
        assert api.get(kind, {"_include": include}).status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_declared_operations_are_answered(api, declared, operation):
    told = {each["name"]: each["definition"] for each in declared[operation.resource]["operation"]}
    assert told[operation.name] == operation.definition
    path = (
        f"{operation.resource}/${operation.name}" if operation.on_type else f"{operation.resource}/1/${operation.name}"
    )
    for method in operation.methods:
        assert api.request(method, path, {}).status_code not in (405, 500)


def test_where_tokens_come_from(statement):
    [extension] = statement["rest"][0]["security"]["extension"]
    addresses = {each["url"]: each["valueUri"] for each in extension["extension"]}
    assert addresses["token"] == "http://testserver/oauth/token/"
    discovered = Api().client.get("/fhir/R4/.well-known/smart-configuration").json()
    assert discovered["token_endpoint"] == addresses["token"]
    assert discovered["grant_types_supported"] == ["client_credentials"]
