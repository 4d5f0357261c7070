"""FHIR in XML wherever there is FHIR in JSON: https://hl7.org/fhir/R4/xml.html"""

import pytest
from lxml import etree

from clinic.fhir.xml import from_xml, read_xml, to_xml
from clinic.models import Patient
from tests.api.conftest import assert_fhir
from tests.api.visits import BOOK, FIND, find_query, proposal
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import monday

XML = "application/fhir+xml"
NAMES = [XML, "application/xml", "text/xml"]


def read(response):
    """The XML of a response, as JSON."""
    assert response["Content-Type"].removesuffix("; charset=utf-8") in NAMES
    resource = from_xml(read_xml(response.content.decode()))
    assert_fhir(resource)
    return resource


def xml(resource):
    return etree.tostring(to_xml(resource))


@pytest.mark.parametrize("accept", NAMES)
def test_xml_has_several_names(api, accept):
    patient = PatientFactory(family="Quinn")
    response = api.get(patient.reference, accept=accept)
    assert response["Content-Type"] == f"{accept}; charset=utf-8"
    assert read(response) == api.get(patient.reference).fhir


@pytest.mark.parametrize("expected", ["xml", *NAMES, "application/fhir xml"])
def test_format_goes_before_accept(api, expected):
    assert read(api.get(PatientFactory().reference, {"_format": expected}, accept="application/json"))


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("application/fhir+json, application/fhir+xml;q=0.5", "application/fhir+json"),
        ("application/fhir+json;q=0.5, application/fhir+xml", XML),
        ("application/fhir+xml, */*;q=0.1", XML),
        ("*/*, application/fhir+xml", XML),
        ("application/*", "application/fhir+json"),
        ("text/*", "text/json"),
        ("*/*;q=0.1, application/fhir+json;q=0", "application/json"),
        ("application/fhir+xml; fhirVersion=4.0; charset=utf-8", XML),
        ("application/fhir+xml; fhirVersion=3.0, application/fhir+json", "application/fhir+json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/fhir+json"),
        ("", "application/fhir+json"),
    ],
)
def test_the_preferred_format_is_answered(api, accept, answered):
    assert api.get(PatientFactory().reference, accept=accept)["Content-Type"] == f"{answered}; charset=utf-8"


@pytest.mark.parametrize(
    "headers", [{"accept": "application/fhir+turtle"}, {"accept": "application/fhir+xml; fhirVersion=5.0"}]
)
def test_an_unknown_format_is_406(api, headers):
    assert api.get(PatientFactory().reference, **headers).status_code == 406


def test_pretty_xml_has_lines(api):
    patient = PatientFactory().reference
    assert b"\n  <" in api.get(patient, {"_format": "xml", "_pretty": "true"}).content
    assert b"\n  <" not in api.get(patient, {"_format": "xml"}).content


@pytest.mark.parametrize("content_type", [*NAMES, "application/fhir+xml; charset=UTF-8; fhirVersion=4.0"])
def test_resources_are_created_and_updated(api, content_type):
    patient = {"resourceType": "Patient", "name": [{"family": "Quinn"}], "birthDate": "1980-05"}
    created = api.post("Patient", xml(patient), content_type=content_type)
    assert created.status_code == 201
    renamed = {**patient, "id": created.fhir["id"], "name": [{"family": "Moss"}]}
    response = api.put(f"Patient/{renamed['id']}", xml(renamed), content_type=content_type, accept=XML)
    assert (response.status_code, read(response)["name"]) == (200, [{"family": "Moss"}])


def test_a_search_is_answered_in_xml(api):
    PatientFactory(family="Quinn")
    found = read(api.get("Patient", {"family": "Quinn", "_format": "xml"}))
    assert (found["type"], found["total"]) == ("searchset", 1)


def test_a_transaction_in_xml_is_answered_in_xml(api):
    entry = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answered = read(api.post("", xml(bundle), content_type=XML, accept=XML))
    assert answered["entry"][0]["response"]["status"] == "201 Created"
    assert Patient.objects.count() == 1


def test_a_search_finds_the_same_in_xml_and_json(api):
    visit = ServiceFactory()
    schedule = ScheduleFactory(services=[visit])
    query = find_query(visit, schedule, start=monday(9), end=monday(12))
    assert read(api.get(FIND, query, accept=XML))["entry"] == api.get(FIND, query).fhir["entry"]


def test_a_time_can_be_booked_in_xml(api):
    visit = ServiceFactory()
    schedule = ScheduleFactory(services=[visit])
    proposed_visit = proposal(api, visit, schedule, patient=PatientFactory())
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "appointment", "resource": proposed_visit}]}
    response = api.post(BOOK, xml(parameters), content_type=XML, accept=XML)
    assert response.status_code == 201
    assert read(response)["entry"][0]["resource"]["status"] == "booked"


def test_a_refusal_is_in_xml_too_and_says_where(api):
    response = api.post("Patient", b"<Patient>", content_type=XML, accept=XML)
    assert (response.status_code, read(response)["issue"][0]["code"]) == (400, "structure")
    wrong = b'<Patient xmlns="http://hl7.org/fhir"><birthDate value="soon"/><colour value="red"/></Patient>'
    response = api.post("Patient", wrong, content_type=XML, accept=XML)
    assert response.status_code == 400
    places = {issue["expression"][0] for issue in read(response)["issue"]}
    assert places == {"Patient.birthDate", "Patient.colour"}


def test_a_refusal_may_name_what_xml_cannot_say(api):
    response = api.get("Patient", {"birthdate": "\x01"}, accept=XML)
    assert (response.status_code, read(response)["resourceType"]) == (400, "OperationOutcome")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\xff\xfe",
        b"<",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><Patient xmlns="http://hl7.org/fhir"/>',
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<name>" * 200 + b"</name>" * 200 + b"</Patient>",
        b'<Patient xmlns="http://hl7.org/fhir"><id value="\x00"/></Patient>',
    ],
)
def test_nothing_odd_is_read(api, sent):
    response = api.post("Patient", sent, content_type=XML)
    assert (response.status_code, response.fhir["issue"][0]["code"]) == (400, "structure")
