"""Every canonical URL of ours resolves, for everybody."""

import pytest

from api.conformance.pages import DEFINITIONS
from api.operations.registry import OPERATIONS
from clinic.available_time import AVAILABILITY_PERIOD, AVAILABILITY_RECURRENCE
from clinic.fhir import codes
from clinic.fhir.xml import from_xml, read_xml
from tests.api.conftest import Api

HERE = "http://testserver/fhir/R4/"
OURS = [
    value
    for value in [*vars(codes).values(), AVAILABILITY_PERIOD, AVAILABILITY_RECURRENCE]
    if isinstance(value, str) and value.startswith(f"{codes.OURS}/")
]
# The parts of the answer to an operation that answers with a Parameters resource.
MERGED = ["input", "outcome", "result"]
OUTPUTS = {
    "explain": ["result", "outcome"],
    "merge": MERGED,
    "unmerge": MERGED,
    "ticket": ["state", "link", "expires", "appointment"],
}


@pytest.fixture
def anybody(db):
    return Api()


@pytest.fixture
def rest(anybody):
    return anybody.get("metadata").fhir["rest"][0]


def everything(anybody, kind):
    return [entry["resource"] for entry in anybody.get(kind).fhir["entry"]]


def address(definition):
    """Return the canonical address; a NamingSystem of R4 has it as its identifier."""
    return definition.get("url") or definition["uniqueId"][0]["value"]


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_each_is_found_among_its_kind_and_by_its_id_and_url(anybody, kind):
    found = everything(anybody, kind)
    assert len({each["id"] for each in found}) == len({address(each) for each in found}) == len(found)
    one = found[-1]
    assert anybody.get(f"{kind}/{one['id']}").fhir == one
    by_address = "value" if kind == "NamingSystem" else "url"
    for query in ({by_address: address(one)}, {"_id": one["id"]}):
        answered = anybody.get(kind, query).fhir
        assert (answered["total"], answered["entry"][0]["resource"]) == (1, one)


def test_several_are_asked_for_with_a_comma_and_all_that_is_said_holds(anybody):
    first, second = everything(anybody, "CodeSystem")[:2]
    both = {"_id": f"{first['id']},{second['id']}"}
    assert anybody.get("CodeSystem", both).fhir["total"] == 2
    assert anybody.get("CodeSystem", {**both, "url": second["url"]}).fhir["total"] == 1


def test_pages_lead_through_all_of_them(anybody):
    expected = [each["id"] for each in everything(anybody, "StructureDefinition")]
    url, seen = "StructureDefinition?_count=5&_format=json", []
    while url:
        page = anybody.get(url).fhir
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        assert (page["total"], len(page["entry"]) <= 5) == (len(expected), True)
        url = next((each["url"] for each in page["link"] if each["relation"] == "next"), "")
        url = url.removeprefix("http://testserver")
    assert seen == expected
    assert "entry" not in anybody.get("StructureDefinition?_count=0").fhir
    assert anybody.get("StructureDefinition?_count=some").status_code == 400


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_xml_says_the_same(anybody, kind):
    one = everything(anybody, kind)[0]
    response = anybody.get(f"{kind}/{one['id']}", accept="application/fhir+xml")
    assert from_xml(read_xml(response.content.decode())) == one


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_an_unknown_definition_is_not_found(anybody, kind):
    assert anybody.get(f"{kind}/nothing").status_code == 404
    by_address = "value" if kind == "NamingSystem" else "url"
    assert anybody.get(kind, {by_address: "urn:nothing"}).fhir["total"] == 0


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_other_parameters_are_refused_by_name(anybody, kind):
    response = anybody.get(kind, {"colour": "red"})
    assert response.status_code == 400
    assert "'colour'" in response.fhir["issue"][0]["details"]["text"]


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_they_are_only_read(api, kind):
    assert api.post(kind, {"resourceType": kind}).status_code == 405
    assert api.request("DELETE", f"{kind}/x").status_code == 405


def test_declared_operations_are_defined_where_they_say(anybody, rest):
    declared = [*rest.get("operation", []), *(each for kind in rest["resource"] for each in kind.get("operation", []))]
    assert len(declared) == len(OPERATIONS)
    for operation in declared:
        if operation["definition"].startswith(HERE):
            definition = anybody.get(operation["definition"].removeprefix(HERE)).fhir
            assert (definition["url"], definition["code"]) == (operation["definition"], operation["name"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_operation_says_what_goes_in_and_what_comes_out(anybody, operation):
    definition = anybody.get(f"OperationDefinition/{operation.id}").fhir
    assert definition["affectsState"] == operation.affects_state
    assert {"in", "out"} >= {each["use"] for each in definition["parameter"]}
    answer = OUTPUTS.get(operation.name, ["return"])
    assert [each["name"] for each in definition["parameter"] if each["use"] == "out"] == answer


def test_declared_search_parameters_are_defined(anybody, rest):
    defined = {each["url"]: each for each in everything(anybody, "SearchParameter")}
    for kind in rest["resource"]:
        if kind["type"] in DEFINITIONS:
            continue
        for parameter in kind.get("searchParam", []):
            definition = defined[parameter["definition"]]
            assert (definition["code"], definition["type"]) == (parameter["name"], parameter["type"])
            assert kind["type"] in definition["base"]


@pytest.mark.parametrize("url", [url for url in OURS if "/StructureDefinition/" in url])
def test_every_extension_of_ours_is_defined(anybody, url):
    [entry] = anybody.get("StructureDefinition", {"url": url}).fhir["entry"]
    assert entry["resource"]["type"] == "Extension"
    assert entry["fullUrl"] == f"{HERE}StructureDefinition/{url.rpartition('/')[2]}"


def test_the_elements_of_an_extension_stand_in_fhirs_order(anybody):
    """https://hl7.org/fhir/R4/profiling.html: a differential follows the order of what it constrains."""
    order = ["Extension", "Extension.extension", "Extension.url", "Extension.value[x]"]
    for each in everything(anybody, "StructureDefinition"):
        assert [element["path"] for element in each["differential"]["element"]] == order


def test_modifiers_are_named_by_their_codes(anybody):
    """https://hl7.org/fhir/R4/valueset-search-modifier-code.html"""
    codes = {"missing", "exact", "contains", "not", "text", "in", "not-in", "below", "above", "type", "identifier"}
    modifiers = {each for one in everything(anybody, "SearchParameter") for each in one.get("modifier", ())}
    assert modifiers <= {*codes, "ofType"}
    assert "ofType" in modifiers


@pytest.mark.parametrize("url", [url for url in OURS if "/CodeSystem/" in url])
def test_every_code_system_of_ours_is_defined(anybody, url):
    assert anybody.get("CodeSystem", {"url": url}).fhir["total"] == 1
