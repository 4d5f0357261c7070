"""https://hl7.org/fhir/R4/fhirpatch.html"""

import pytest

from tests.api.conftest import texts
from tests.factories import PatientFactory

FHIR = "application/fhir+json"
NAMES = [{"family": "Quinn", "given": ["Ada", "Mae"]}, {"text": "Ada Q."}, {"text": "Addie"}]


def operation(**parts):
    """`value` may be a list of parts; other names are FHIR's."""
    kinds = {"type": "valueCode", "index": "valueInteger", "source": "valueInteger", "destination": "valueInteger"}
    named_parts = [
        {"name": name, **(value if isinstance(value, dict) else {kinds.get(name, "valueString"): value})}
        for name, value in parts.items()
    ]
    return {"name": "operation", "part": named_parts}


def parameters(*operations):
    return {"resourceType": "Parameters", "parameter": list(operations)}


@pytest.fixture
def ada(api):
    body = {"resourceType": "Patient", "id": "ada", "name": NAMES, "gender": "female", "active": True}
    api.put("Patient/ada", body)
    return body


def patch(api, *operations):
    return api.patch("Patient/ada", parameters(*operations), FHIR)


def changed(api, *operations):
    response = patch(api, *operations)
    assert response.status_code == 200, texts(response)
    return response.fhir


@pytest.mark.parametrize("path", ["Patient.gender", "gender", "Patient.gender[0]"])
def test_an_element_is_replaced_however_its_path_begins(api, ada, path):
    assert changed(api, operation(type="replace", path=path, value={"valueCode": "other"}))["gender"] == "other"


def test_an_element_is_added(api, ada):
    added = operation(type="add", path="Patient", name="birthDate", value={"valueDate": "1980-02-03"})
    assert changed(api, added)["birthDate"] == "1980-02-03"


def test_a_value_is_added_to_a_repeating_element(api, ada):
    identifier = {"valueIdentifier": {"system": "http://mrn.example", "value": "7"}}
    first = operation(type="add", path="Patient", name="identifier", value=identifier)
    assert changed(api, first)["identifier"] == [identifier["valueIdentifier"]]
    suffix = operation(type="add", path="Patient.name[0]", name="given", value={"valueString": "Zoe"})
    assert changed(api, suffix)["name"][0]["given"] == ["Ada", "Mae", "Zoe"]


def test_a_backbone_element_is_given_part_by_part(api, ada):
    value = {
        "part": [
            {"name": "name", "valueHumanName": {"text": "Bo"}},
            {"name": "relationship", "valueCodeableConcept": {"text": "friend"}},
        ]
    }
    added = changed(api, operation(type="add", path="Patient", name="contact", value=value))
    assert added["contact"] == [{"name": {"text": "Bo"}, "relationship": [{"text": "friend"}]}]


def test_a_place_among_others_can_be_said(api, ada):
    inserted = operation(type="insert", path="Patient.name", index=1, value={"valueHumanName": {"text": "Second"}})
    assert [each.get("text") for each in changed(api, inserted)["name"]] == [None, "Second", "Ada Q.", "Addie"]
    moved = operation(type="move", path="Patient.name", source=1, destination=3)
    assert [each.get("text") for each in changed(api, moved)["name"]] == [None, "Ada Q.", "Addie", "Second"]


@pytest.mark.parametrize(
    "path", ["Patient.name[1]", "Patient.name.where(text = 'Ada Q.')", "name.where(text='Ada Q.')"]
)
def test_the_element_at_a_path_is_deleted(api, ada, path):
    assert [each.get("text") for each in changed(api, operation(type="delete", path=path))["name"]] == [None, "Addie"]


def test_deleting_a_missing_element_does_nothing(api, ada):
    assert changed(api, operation(type="delete", path="Patient.birthDate"))["meta"]["versionId"] == "1"


def test_operations_follow_one_another(api, ada):
    made = changed(
        api,
        operation(type="delete", path="Patient.name[2]"),
        operation(type="delete", path="Patient.name[1]"),
        operation(type="replace", path="Patient.name[0].given[1]", value={"valueString": "May"}),
        operation(type="replace", path="Patient.name.family", value={"valueString": "Lind"}),
    )
    assert made["name"] == [{"family": "Lind", "given": ["Ada", "May"]}]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (operation(type="replace", path="Patient.birthDate", value={"valueDate": "1980-01-01"}), 422),
        (operation(type="replace", path="Patient.name", value={"valueString": "x"}), 422),
        (operation(type="delete", path="Patient.name"), 422),
        (operation(type="add", path="Patient", name="colour", value={"valueString": "red"}), 422),
        (operation(type="add", path="Patient", name="gender", value={"valueCode": "male"}), 422),
        (operation(type="add", path="Patient.photo", name="url", value={"valueUrl": "x"}), 422),
        (operation(type="insert", path="Patient.name", index=9, value={"valueHumanName": {"text": "x"}}), 422),
        (operation(type="insert", path="Patient.gender", index=0, value={"valueCode": "male"}), 422),
        (operation(type="move", path="Patient.name", source=0, destination=7), 422),
        (operation(type="delete", path="Patient.name["), 422),
        (operation(type="delete", path="1 +"), 422),
        (operation(type="delete", path="$this"), 422),
        (operation(type="delete", path="(" * 400), 422),
        (operation(type="delete", path="name.where(text.matches('(a+)+$'))"), 400),
        (operation(type="delete", path="name.repeat(given)"), 400),
        (operation(type="delete", path="x" * 501), 400),
        (operation(type="shout", path="Patient.name"), 400),
        (operation(type="delete"), 400),
        (operation(path="Patient.name"), 400),
        (operation(type="delete", path="Patient.name[1]", colour="red"), 400),
        ({"name": "operation"}, 400),
        ({"name": "other"}, 400),
    ],
    ids=range(22),
)
def test_an_impossible_patch_is_refused_with_the_reason(api, ada, query, status):
    response = patch(api, query)
    assert response.status_code == status, texts(response)
    assert api.get("Patient/ada").fhir["meta"]["versionId"] == "1"


@pytest.mark.parametrize(
    "body",
    [{"resourceType": "Patient"}, {"resourceType": "Parameters"}, {"resourceType": "Parameters", "parameter": 7}, []],
    ids=["another resource", "no operation", "no list", "no resource"],
)
def test_only_parameters_are_a_patch(api, body):
    PatientFactory(fhir_id="ada")
    assert api.patch("Patient/ada", body, FHIR).status_code == 400
