"""FHIR's invariants: https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

import pytest

from clinic.fhir.resources import RESOURCES, InvalidResource, References

XHTML = "http://www.w3.org/1999/xhtml"
DOCTOR = {"resourceType": "Practitioner", "id": "doctor"}
HER_DOCTOR = [{"reference": "#doctor"}]


def refusals(kind, **elements):
    try:
        RESOURCES[kind].from_fhir({"resourceType": kind, **elements}, References())
    except InvalidResource as refusal:
        return [(each.code, each.text.partition(":")[0], each.expression) for each in refusal.issues]
    return []


def broken(kind, **elements):
    """Return the keys and the paths of the broken invariants."""
    found = refusals(kind, **elements)
    assert all(code == "invariant" for code, _, _ in found)
    return [(key, path) for _, key, path in found]


def narrative(inner, xmlns=XHTML):
    return {"status": "generated", "div": f'<div xmlns="{xmlns}">{inner}</div>'}


@pytest.mark.parametrize(
    ("elements", "key", "path"),
    [
        ({"contact": [{"gender": "female"}]}, "pat-1", "contact[0]"),
        ({"telecom": [{"value": "555"}]}, "cpt-2", "telecom[0]"),
        ({"name": [{"period": {"start": "2026-02", "end": "2026-01-31"}}]}, "per-1", "name[0].period"),
        ({"photo": [{"data": "AAAA"}]}, "att-1", "photo[0]"),
        ({"extension": [{"url": "urn:x"}]}, "ext-1", "extension[0]"),
        (
            {"extension": [{"url": "urn:x", "valueCode": "a", "extension": [{"url": "y", "valueCode": "b"}]}]},
            "ext-1",
            "extension[0]",
        ),
        ({"birthDate": "2000", "_birthDate": {"extension": [{"url": "urn:x"}]}}, "ext-1", "birthDate.extension[0]"),
        ({"extension": [{"url": "urn:x", "valueQuantity": {"code": "kg"}}]}, "qty-3", "extension[0].valueQuantity"),
        ({"generalPractitioner": HER_DOCTOR}, "ref-1", "generalPractitioner[0].reference"),
        ({"contained": [DOCTOR]}, "dom-3", "contained[0]"),
        (
            {"contained": [{**DOCTOR, "meta": {"versionId": "1"}}], "generalPractitioner": HER_DOCTOR},
            "dom-4",
            "contained[0].meta",
        ),
        (
            {"contained": [{**DOCTOR, "meta": {"security": [{"code": "R"}]}}], "generalPractitioner": HER_DOCTOR},
            "dom-5",
            "contained[0].meta.security",
        ),
        ({"text": narrative("<p>Hi</p>", xmlns="urn:other")}, "txt-1", "text.div"),
        ({"text": narrative("<p>Hi")}, "txt-1", "text.div"),
        ({"text": narrative("caf&eacute;")}, "txt-1", "text.div"),
        ({"text": narrative("<script>alert(1)</script>")}, "txt-1", "text.div"),
        ({"text": narrative('<p onclick="x()">Hi</p>')}, "txt-1", "text.div"),
        ({"text": narrative('<a href="JavaScript:x()">Hi</a>')}, "txt-1", "text.div"),
        ({"text": narrative(" ")}, "txt-2", "text.div"),
    ],
)
def test_a_broken_invariant_is_reported_with_its_key_and_path(elements, key, path):
    assert broken("Patient", **elements) == [(key, f"Patient.{path}")]


def test_an_unreadable_contained_resource_is_not_reported_as_missing_too():
    found = refusals("Patient", contained=[{**DOCTOR, "nam": "x"}], generalPractitioner=HER_DOCTOR)
    assert [(code, path) for code, _, path in found] == [("structure", "Patient.contained[0].nam")]


def test_a_contained_resource_contains_no_other():
    inner = {**DOCTOR, "contained": [{"resourceType": "Organization", "id": "o", "name": "O"}]}
    found = broken("Patient", contained=[inner], generalPractitioner=HER_DOCTOR)
    assert ("dom-2", "Patient.contained[0].contained") in found


@pytest.mark.parametrize(
    ("kind", "elements", "key", "path"),
    [
        ("Organization", {"active": True}, "org-1", "Organization"),
        ("Organization", {"name": "O", "telecom": [{"use": "home"}]}, "org-2, org-3", "Organization"),
        (
            "QuestionnaireResponse",
            {
                "status": "in-progress",
                "item": [{"linkId": "1", "answer": [{"valueBoolean": True}], "item": [{"linkId": "2"}]}],
            },
            "qrs-1",
            "QuestionnaireResponse.item[0]",
        ),
    ],
)
def test_types_of_resource_have_rules_of_their_own(kind, elements, key, path):
    assert broken(kind, **elements) == [(key, path)]


@pytest.mark.parametrize(
    "elements",
    [
        {"contained": [DOCTOR], "generalPractitioner": HER_DOCTOR},
        {"contained": [{**DOCTOR, "extension": [{"url": "urn:x", "valueReference": {"reference": "#"}}]}]},
        {"contained": [DOCTOR], "extension": [{"url": "urn:x", "valueUri": "#doctor"}]},
        {"name": [{"period": {"start": "2026", "end": "2026-01-31"}}]},
        {"photo": [{"contentType": "image/png", "data": " AAAA\nBBB= "}]},
        {"text": narrative('<p xml:lang="en" style="color: red">Tea &amp; <img src="#p" alt="cake"/></p>')},
        {"text": narrative('<img src="#p" alt="cake"/>')},
    ],
)
def test_a_resource_that_keeps_the_invariants_is_accepted(elements):
    assert refusals("Patient", **elements) == []


@pytest.mark.parametrize(
    ("elements", "code", "path"),
    [
        ({"name": [{"use": "nick"}]}, "code-invalid", "name[0].use"),
        ({"link": [{"other": {"display": "B"}, "type": "twin"}]}, "code-invalid", "link[0].type"),
        ({"text": {**narrative("Hi"), "status": "typed"}}, "code-invalid", "text.status"),
        ({"photo": [{"contentType": "image/png", "data": "@@@@"}]}, "value", "photo[0].data"),
        ({"identifier": [{"system": "http://a b", "value": "1"}]}, "value", "identifier[0].system"),
        ({"generalPractitioner": [{"reference": "Location/1"}]}, "value", "generalPractitioner[0].reference"),
        ({"deceasedBoolean": True, "deceasedDateTime": "2020"}, "structure", ""),
        ({"name": [{"given": ["Ada", None]}]}, "structure", "name[0].given[1]"),
        ({"name": [{"given": ["Ada"], "_given": [None, {"id": "g"}]}]}, "structure", "name[0]._given"),
    ],
)
def test_values_are_of_the_form_that_their_definition_says(elements, code, path):
    assert [(found, at) for found, _, at in refusals("Patient", **elements)] == [
        (code, f"Patient.{path}".removesuffix("."))
    ]
