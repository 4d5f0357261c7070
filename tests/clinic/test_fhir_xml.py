"""Conversion between FHIR's XML and JSON, without loss: https://hl7.org/fhir/R4/xml.html"""

import pytest
from lxml import etree

from clinic.fhir.issues import InvalidElement
from clinic.fhir.xml import from_xml, read_xml, to_xml
from tests.clinic.round_trips import RICH

HEAD = '<Patient xmlns="http://hl7.org/fhir">'
NARRATIVE = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Hello <b>you</b></p></div>'


def written(resource):
    return etree.tostring(to_xml(resource), encoding="unicode")


def read(text):
    return from_xml(read_xml(text))


def there_and_back(resource):
    return read(written(resource))


@pytest.mark.parametrize(
    "resource", [pytest.param(each, id=f"{each['resourceType']} {n}") for n, each in enumerate(RICH)]
)
def test_every_resource_comes_back(resource):
    assert there_and_back(resource) == resource


@pytest.mark.parametrize(
    "resource",
    [
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": RICH[0], "request": {"method": "PUT"}}],
        },
        {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "start", "valueInstant": "2026-01-05T14:00:00.000Z"},
                {"name": "appointment", "resource": {"resourceType": "Appointment", "status": "proposed"}},
                {
                    "name": "inner",
                    "part": [{"name": "count", "valueInteger": -3}, {"name": "yes", "valueBoolean": False}],
                },
            ],
        },
        {
            "resourceType": "Patient",
            "name": [{"given": ["Ada", None, "B"], "_given": [{"id": "a"}, {"id": "b"}, None]}],
        },
        {"resourceType": "Patient", "_birthDate": {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}},
        {"resourceType": "Patient", "extension": [{"id": "e", "url": "urn:x", "valueString": " two\n lines\t"}]},
        {"resourceType": "Location", "position": {"longitude": -71.0625, "latitude": 1e-07}},
        {"resourceType": "Patient", "text": {"status": "generated", "div": NARRATIVE}},
        {"resourceType": "Patient", "contained": [{"resourceType": "Patient", "text": {"div": NARRATIVE}}]},
        {"resourceType": "Patient", "name": [{"family": "<Zoë & \"Ümit\"> '😀'"}]},
    ],
)
def test_the_odd_parts_of_json_have_their_place(resource):
    assert there_and_back(resource) == resource


def test_elements_are_in_the_order_of_their_definition():
    text = written(
        {"birthDate": "1980", "active": True, "id": "ada", "resourceType": "Patient", "meta": {"versionId": "1"}}
    )
    assert text == (
        f'{HEAD}<id value="ada"/><meta><versionId value="1"/></meta>'
        '<active value="true"/><birthDate value="1980"/></Patient>'
    )


def test_a_contained_resource_is_an_element_named_after_its_type():
    text = written({"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o"}]})
    assert '<contained><Organization><id value="o"/></Organization></contained>' in text


def test_urls_of_extensions_and_ids_of_elements_are_attributes():
    text = written({"resourceType": "Patient", "extension": [{"url": "urn:x", "id": "e", "valueCode": "a"}]})
    assert '<extension id="e" url="urn:x"><valueCode value="a"/></extension>' in text


@pytest.mark.parametrize(
    ("div", "words"),
    [
        ("a&nbsp;b<br>", "a\xa0b"),
        ("<div>no namespace</div>", "no namespace"),
        ("2 < 3", "2 < 3"),
        ("a\x01b", "a\ufffdb"),
        ("<o:p>Word</o:p>", "Word"),
    ],
)
def test_a_narrative_that_is_not_xhtml_loses_its_tags(div, words):
    back = there_and_back({"resourceType": "Patient", "text": {"status": "generated", "div": div}})
    narrative = etree.fromstring(back["text"]["div"])
    assert (narrative.tag, narrative.text) == ("{http://www.w3.org/1999/xhtml}div", words)


def test_characters_that_xml_does_not_allow_are_replaced():
    assert there_and_back({"resourceType": "Patient", "language": "a\x00b\ufffe"})["language"] == "a\ufffdb\ufffd"


def test_space_between_elements_comments_and_instructions_mean_nothing():
    text = f'<?xml version="1.0"?><!-- a -->\n{HEAD}\n <!-- b --><?pi c?> <active value="true"/>\n</Patient>'
    assert read(text) == {"resourceType": "Patient", "active": True}


def test_prefixes_are_free():
    text = '<f:Patient xmlns:f="http://hl7.org/fhir"><f:active value="false"/></f:Patient>'
    assert read(text) == {"resourceType": "Patient", "active": False}


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ('<colour value="red"/>', {"colour": "red"}),
        ('<active value="yes"/>', {"active": "yes"}),
        ('<multipleBirthInteger value="1e999"/>', {"multipleBirthInteger": "1e999"}),
        ('<birthDate value="1980"/><birthDate value="1981"/>', {"birthDate": ["1980", "1981"]}),
        ("<active/>", {"active": ""}),
        ("<name/>", {"name": [{}]}),
    ],
)
def test_invalid_elements_are_converted_for_the_validation(inside, found):
    assert read(f"{HEAD}{inside}</Patient>") == {"resourceType": "Patient", **found}


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("", "not XML", ""),
        ("<Patient", "not XML", ""),
        ("{}", "not XML", ""),
        ("<Patient/>", "namespace http://hl7.org/fhir", "Patient"),
        (f'{HEAD}<x xmlns="urn:x"/></Patient>', "namespace", "Patient"),
        (f"{HEAD}<active>true</active></Patient>", "attribute `value`", "Patient.active"),
        (f'{HEAD}<name colour="red"/></Patient>', "'colour' is no attribute", "Patient.name"),
        (f'{HEAD}<resourceType value="Slot"/></Patient>', "name of its element", "Patient"),
        (f"{HEAD}<contained/></Patient>", "one resource", "Patient.contained"),
        (f"{HEAD}&unknown;</Patient>", "not XML", ""),
    ],
)
def test_xml_that_is_not_fhir_is_refused_with_the_path(text, message, at):
    with pytest.raises(InvalidElement) as refusal:
        from_xml(read_xml(text))
    assert message in refusal.value.text
    assert refusal.value.at == at


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE Patient [<!ENTITY file SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE Patient [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE Patient SYSTEM "http://127.0.0.1:9/patient.dtd">',
    ],
)
def test_entities_are_never_read(dtd):
    with pytest.raises(InvalidElement, match="DTD"):
        read_xml(f'{dtd}{HEAD}<id value="&file;&b;"/></Patient>')


def test_xml_that_is_too_deep_is_refused():
    with pytest.raises(InvalidElement, match="not XML"):
        read_xml(HEAD + "<name>" * 5000 + "</name>" * 5000 + "</Patient>")
