"""XML Patch: https://hl7.org/fhir/R4/http.html#patch and https://www.rfc-editor.org/rfc/rfc5261"""

import pytest
from lxml import etree

from api.patching import xml_patch
from api.patching.errors import NotApplied
from clinic.fhir.xml import from_xml, read_xml, to_xml
from scheduling.errors import Invalid
from tests.api.conftest import texts
from tests.factories import AppointmentFactory, PatientFactory

XML_PATCH = "application/xml-patch+xml"
FHIR = 'xmlns="http://hl7.org/fhir"'
PATIENT = {
    "resourceType": "Patient",
    "id": "ada",
    "active": True,
    "name": [{"family": "Quinn", "given": ["Ada", "Mae"]}, {"use": "nickname", "given": ["Addy"]}],
    "birthDate": "1980-05",
}


def diff(*changes, names=FHIR):
    return f"<diff {names}>{''.join(changes)}</diff>".encode()


def patched(*changes, names=FHIR):
    return xml_patch.read(diff(*changes, names=names))(PATIENT)


def test_a_visit_is_cancelled_as_the_argonaut_guide_shows(api):
    visit = AppointmentFactory(status="booked")
    sent = diff('<replace sel="Appointment/status/@value">cancelled</replace>')
    response = api.request("PATCH", visit.reference, sent, content_type=XML_PATCH)
    assert (response.status_code, response.fhir["status"]) == (200, "cancelled")


def test_a_fhirpath_patch_can_be_in_xml_too(api):
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.gender"},
        {"name": "value", "valueCode": "other"},
    ]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    sent = etree.tostring(to_xml(parameters))
    patient = PatientFactory(gender="female")
    response = api.request("PATCH", patient.reference, sent, content_type="application/fhir+xml")
    assert (response.status_code, response.fhir["gender"]) == (200, "other")


def test_a_patched_resource_is_checked_like_an_update(api):
    patient = PatientFactory(birth_date=None)
    sent = diff('<add sel="Patient"><birthDate value="soon"/></add>')
    response = api.request("PATCH", patient.reference, sent, content_type=XML_PATCH, accept="application/fhir+xml")
    assert response.status_code in (400, 422)
    [issue] = from_xml(read_xml(response.content.decode()))["issue"]
    assert issue["expression"] == ["Patient.birthDate"]


def test_a_patch_that_does_not_fit_says_why(api):
    sent = diff('<remove sel="Patient/photo"/>')
    response = api.request("PATCH", PatientFactory().reference, sent, content_type=XML_PATCH)
    assert response.status_code == 422
    assert "'Patient/photo' is to find one place, and finds 0" in texts(response)


@pytest.mark.parametrize(
    ("change", "element", "value"),
    [
        ('<replace sel="Patient/active/@value">false</replace>', "active", False),
        ('<replace sel="/Patient/active/@value"> false </replace>', "active", False),
        ('<replace sel="Patient/birthDate"><birthDate value="1981"/></replace>', "birthDate", "1981"),
        ('<remove sel="Patient/name[2]"/>', "name", PATIENT["name"][:1]),
        ("<remove sel=\"Patient/name[use/@value='nickname']\"/>", "name", PATIENT["name"][:1]),
        ('<remove sel="Patient/*[1]"/>', "id", None),
        ('<add sel="Patient"><gender value="female"/></add>', "gender", "female"),
        (
            '<add sel="Patient/name[1]" pos="prepend"><use value="usual"/></add>',
            "name",
            [{"use": "usual", **PATIENT["name"][0]}, PATIENT["name"][1]],
        ),
        (
            '<add sel="Patient/name[2]" pos="before"><name><text value="A"/></name></add>',
            "name",
            [PATIENT["name"][0], {"text": "A"}, PATIENT["name"][1]],
        ),
        (
            '<add sel="Patient/name[2]" pos="after"><name><text value="A"/></name></add>',
            "name",
            [*PATIENT["name"], {"text": "A"}],
        ),
        ('<add sel="Patient/birthDate" type="@id">day</add>', "_birthDate", {"id": "day"}),
    ],
)
def test_changes(change, element, value):
    assert patched(change) == {name: each for name, each in {**PATIENT, element: value}.items() if each is not None}


@pytest.mark.parametrize(
    ("names", "selector"),
    [
        ('xmlns:f="http://hl7.org/fhir"', "f:Patient/f:active/@value"),
        ('xmlns:f="http://hl7.org/fhir"', "Patient/active/@value"),
        (f'{FHIR} xmlns:f="http://hl7.org/fhir"', "f:Patient/active/@value"),
    ],
)
def test_prefixes_are_those_of_the_patch(names, selector):
    assert patched(f'<replace sel="{selector}">false</replace>', names=names)["active"] is False


def test_changes_are_made_in_their_order_and_can_be_made_again():
    patch = xml_patch.read(
        diff('<add sel="Patient"><gender value="male"/></add>', '<replace sel="Patient/gender/@value">other</replace>')
    )
    assert patch(PATIENT)["gender"] == patch(PATIENT)["gender"] == "other"
    assert "gender" not in PATIENT


@pytest.mark.parametrize(
    "change",
    [
        '<remove sel="Patient"/>',
        '<add sel="Patient" pos="after"><active value="true"/></add>',
        '<replace sel="Patient"><Patient/></replace>',
        '<remove sel="Patient/name"/>',
        '<remove sel="Appointment/status"/>',
        '<add sel="Patient/active" type="@colour">red</add>',
    ],
)
def test_a_patch_that_does_not_fit_the_resource_is_refused(change):
    with pytest.raises(NotApplied):
        patched(change)


@pytest.mark.parametrize(
    "change",
    [
        "<remove/>",
        "<move sel='Patient/active'/>",
        '<remove sel="//name"/>',
        '<remove sel="Patient/name[last()]"/>',
        '<remove sel="Patient/name[position()=1]"/>',
        "<remove sel=\"document('file:///etc/hostname')\"/>",
        '<remove sel="Patient/../Patient"/>',
        '<remove sel="q:Patient"/>',
        f'<remove sel="{"Patient/" * 200}active"/>',
        '<add sel="Patient/active/@value">x</add>',
        '<add sel="Patient" type="namespace::f">x</add>',
        '<add sel="Patient/active" pos="beside"><active value="true"/></add>',
        '<replace sel="Patient/active"/>',
    ],
)
def test_a_patch_without_changes_makes_no_version(change):
    with pytest.raises(Invalid):
        patched(change)


@pytest.mark.parametrize("body", [b"", b"[]", b"<diff", b"<Patient xmlns='http://hl7.org/fhir'/>", b"\xff"])
def test_an_invalid_patch_is_refused(body):
    with pytest.raises(Invalid):
        xml_patch.read(body)
