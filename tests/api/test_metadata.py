"""The CapabilityStatement declares exactly what works: https://hl7.org/fhir/R4/http.html#capabilities"""

import pytest

from api.conformance.pages import DEFINITIONS
from api.operations.registry import OPERATIONS
from clinic.fhir.resources import RESOURCES
from clinic.fhir.xml import from_xml, read_xml
from tests.api.conftest import BASE, Api, api_with
from tests.api.test_search_parameters import VALUES

# The request of each interaction; {} is the type.
INTERACTIONS = {
    "read": ("GET", "{}/nobody"),
    "vread": ("GET", "{}/nobody/_history/1"),
    "history-instance": ("GET", "{}/nobody/_history"),
    "history-type": ("GET", "{}/_history"),
    "search-type": ("GET", "{}"),
    "create": ("POST", "{}"),
    "update": ("PUT", "{}/nobody"),
    "patch": ("PATCH", "{}/nobody"),
    "delete": ("DELETE", "{}/nobody"),
}
SYSTEM = {
    "transaction": ("POST", ""),
    "batch": ("POST", ""),
    "search-system": ("GET", ""),
    "history-system": ("GET", "_history"),
}


def is_answered(response):
    """True if the address exists, even if it answers that there is no such resource."""
    assert response.status_code < 500
    nowhere = response.status_code == 404 and b"There is nothing at" in response.content
    return response.status_code != 405 and not nowhere


def codes_of(message):
    return {interaction["code"] for interaction in message.get("interaction", [])}


@pytest.fixture
def statement(db):
    return Api().get("metadata").fhir


@pytest.fixture
def rest(statement):
    [rest] = statement["rest"]
    return rest


@pytest.fixture
def declared(rest):
    return {resource["type"]: resource for resource in rest["resource"]}


@pytest.mark.parametrize("accept", ["application/fhir+json", "text/html", "text/turtle", "*/*"])
def test_the_statement_needs_no_token(db, accept):
    response = Api().get("metadata", accept=accept)
    assert response.status_code == 200
    assert response.fhir["fhirVersion"] == "4.0.1"
    assert response.fhir["implementation"]["url"] == "http://testserver/fhir/R4"
    assert response.fhir["software"]["version"]


def test_the_statement_in_xml(db, statement):
    response = Api().get("metadata", accept="application/fhir+xml")
    assert from_xml(read_xml(response.content.decode())) == statement


def test_every_format_that_is_declared_can_be_had(db, statement):
    for media_type in statement["format"]:
        assert Api().get("metadata", {"_format": media_type}).status_code == 200
    assert Api().get("metadata", {"mode": "normative"}).fhir == statement


def test_our_codes_are_what_can_be_done_with_terminologies(db):
    body = Api().get("metadata", {"mode": "terminology"}).fhir
    assert body["resourceType"] == "TerminologyCapabilities"
    assert "https://clinic.example/fhir/CodeSystem/eligibility" in [each["uri"] for each in body["codeSystem"]]
    assert Api().get("metadata", {"mode": "sideways"}).status_code == 400


def test_every_type_is_declared_once(rest):
    assert [each["type"] for each in rest["resource"]] == [*RESOURCES, "Bundle", *DEFINITIONS]


@pytest.mark.parametrize("kind", [*RESOURCES, "Bundle", *DEFINITIONS])
def test_declared_interactions_are_answered_and_others_are_not(api, declared, kind):
    answered = {
        code
        for code, (method, path) in INTERACTIONS.items()
        if is_answered(api.request(method, path.format(kind), {} if method in ("POST", "PUT", "PATCH") else None))
    }
    assert codes_of(declared[kind]) == answered


def test_declared_interactions_of_the_system_are_answered_and_others_are_not(api, rest):
    answered = {code for code, (method, path) in SYSTEM.items() if is_answered(api.request(method, path, {}))}
    assert codes_of(rest) == answered


@pytest.mark.parametrize("kind", RESOURCES)
def test_declared_conditional_interactions_work(api, declared, kind):
    unknown = {"_id": "nobody"}
    update = api.request("PUT", kind, {"resourceType": kind}, query=unknown)
    assert is_answered(update) == declared[kind]["conditionalUpdate"]
    delete = api.request("DELETE", kind, query=unknown)
    assert ("single" if is_answered(delete) else "not-supported") == declared[kind]["conditionalDelete"]


def test_declared_forms_of_a_patch_are_read_and_others_are_not(api, statement):
    for media_type in statement["patchFormat"]:
        assert api.request("PATCH", "Patient/nobody", b"?", content_type=media_type).status_code == 400
    assert api.request("PATCH", "Patient/nobody", b"{}", content_type="application/json").status_code == 415


@pytest.mark.parametrize("kind", RESOURCES)
def test_declared_parameters_and_includes_can_be_used(api, declared, kind):
    types = {parameter["name"]: parameter["type"] for parameter in declared[kind]["searchParam"]}
    assert len(types) == len(declared[kind]["searchParam"])
    for name, sort in types.items():
        assert (name, api.get(kind, {name: VALUES[sort]}).status_code) == (name, 200)
    for include in declared[kind].get("searchInclude", []):
        assert api.get(kind, {"_include": include}).status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_declared_operations_are_answered_where_they_are_declared(api, rest, declared, operation):
    owner = declared[operation.resource] if operation.resource else rest
    assert operation.name in [each["name"] for each in owner["operation"]]
    above = f"{BASE}{operation.resource}".rstrip("/")
    is_above = operation.on_type or not operation.resource
    places = {f"{above}/${operation.name}": is_above, f"{above}/1/${operation.name}": operation.on_instance}
    for path, is_declared in places.items():
        for method in ("GET", "POST"):
            response = api.client.generic(method, path, b"{}", "application/fhir+json", headers=api.headers)
            assert is_answered(response) == (is_declared and method in operation.methods)


def test_guides_and_their_profiles_are_named(statement, declared):
    assert (
        "https://profiles.ihe.net/ITI/Scheduling/CapabilityStatement/IHE.Scheduling.server" in statement["instantiates"]
    )
    for kind in ("Appointment", "Slot", "Schedule", "Coverage", "Subscription", "Bundle"):
        assert declared[kind]["supportedProfile"]


def test_the_capability_statement_does_not_depend_on_the_token(statement):
    """The statement is about the server, and the same for every caller."""
    body = api_with("system/Slot.rs").get("metadata").fhir
    assert body == statement


def test_where_tokens_come_from(statement):
    [extension] = statement["rest"][0]["security"]["extension"]
    addresses = {each["url"]: each["valueUri"] for each in extension["extension"]}
    assert addresses["token"] == "http://testserver/oauth/token/"
    discovered = Api().client.get("/fhir/R4/.well-known/smart-configuration").json()
    assert discovered["token_endpoint"] == addresses["token"]
    assert "client_credentials" in discovered["grant_types_supported"]
