"""Every search parameter of FHIR works, whether or not its element has a column."""

import pytest

from tests.api.conftest import ids
from tests.factories import (
    AppointmentFactory,
    LocationFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    SlotFactory,
)

SYSTEM = "http://codes.example"


def concept(code, text=""):
    return (
        {"coding": [{"system": SYSTEM, "code": code, "display": text}], "text": text}
        if text
        else {"coding": [{"system": SYSTEM, "code": code}]}
    )


ADDRESS = {"use": "home", "line": ["1 Elm Street"], "city": "Málaga", "state": "NY", "postalCode": "10001"}
PARTS = {
    "address=elm": True,
    "address=10001": True,
    "address=oak": False,
    "address-city=malaga": True,
    "address-city=laga": False,
    "address-city:contains=LAGA": True,
    "address-city:exact=Málaga": True,
    "address-city:exact=Malaga": False,
    "address-state=ny": True,
    "address-postalcode=100": True,
    "address-country=us": False,
    "address-use=home": True,
    "address-use=work": False,
}

# By type: the resource that is sent, and whether each query finds it.
SAMPLES = {
    "Patient": (
        {
            "name": [{"family": "Quinn"}, {"use": "maiden", "family": "Núñez", "given": ["Zoë"], "suffix": ["PhD"]}],
            "birthDate": "1980-02",
            "address": [ADDRESS],
            "telecom": [{"system": "phone", "value": "1"}, {"system": "phone", "value": "2"}],
            "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "fr"}]}}],
            "deceasedDateTime": "2025-03-04T10:00:00+02:00",
            "managingOrganization": {"reference": "http://elsewhere.example/Organization/x"},
            "generalPractitioner": [{"reference": "Practitioner/gp"}, {"identifier": {"system": "s:1", "value": "v"}}],
            "meta": {
                "tag": [{"system": SYSTEM, "code": "tagged", "display": "Tagged here"}],
                "profile": ["http://profiles.example/Patient|1"],
                "source": "http://source.example#1",
            },
        },
        {
            **PARTS,
            "family=nunez": True,
            "name=zoe": True,
            "name=phd": True,
            "given:exact=Zoë": True,
            "birthdate=1980": True,
            "birthdate=1980-02": True,
            "birthdate=1980-02-03": False,
            "birthdate=gt1979": True,
            "birthdate=ne1980": False,
            "birthdate=lt1980-02": False,
            "phone=2": True,
            "telecom=phone|1": True,
            "language=fr": True,
            "language=urn:ietf:bcp:47|fr": True,
            "language=de": False,
            "deceased=true": True,
            "deceased=false": False,
            "death-date=2025-03-04T08:00:00Z": True,
            "death-date=2025": True,
            "death-date=lt2025-03": False,
            "organization=http://elsewhere.example/Organization/x": True,
            "organization=x": False,
            "general-practitioner=gp": True,
            "general-practitioner=Practitioner/gp": True,
            "general-practitioner=http://testserver/fhir/R4/Practitioner/gp": True,
            "general-practitioner=Practitioner/gp/_history/3": True,
            "general-practitioner:Practitioner=gp": True,
            "general-practitioner:Organization=gp": False,
            "general-practitioner:identifier=s:1|v": True,
            "general-practitioner:identifier=s:1|w": False,
            "general-practitioner:missing=false": True,
            "link:missing=true": True,
            "_tag=tagged": True,
            "_tag=http://other.example|tagged": False,
            "_tag:text=here": True,
            "_profile=http://profiles.example/Patient|1": True,
            "_profile:below=http://profiles.example/": True,
            "_source=http://source.example%231": True,
            "_security:missing=true": True,
        },
    ),
    "Practitioner": (
        {
            "name": [{"family": "Chen"}],
            "address": [ADDRESS],
            "communication": [concept("es", "Spanish")],
            "qualification": [{"code": concept("MD", "Doctor of Medicine")}],
        },
        {
            **PARTS,
            "communication=es": True,
            "communication:text=span": True,
            "communication:text=pan": False,
            f"qualification-code={SYSTEM}|MD": True,
            "qualification-code=PhD": False,
        },
    ),
    "Organization": (
        {
            "name": "Riverside",
            "alias": ["The River"],
            "address": [{**ADDRESS, "use": "work"}],
            "type": [concept("prov")],
            "partOf": {"reference": "Organization/parent"},
            "endpoint": [{"reference": "Endpoint/e"}],
        },
        {
            **PARTS,
            "address-use=home": False,
            "address-use=work": True,
            "name=river": True,
            "name=the": True,
            "phonetic=river": True,
            "type=prov": True,
            "type=pay": False,
            "partof=parent": True,
            "endpoint=e": True,
        },
    ),
    "Location": (
        {
            "name": "Main Street",
            "alias": ["Old Mill"],
            "type": [concept("HOSP")],
            "operationalStatus": {"system": SYSTEM, "code": "O"},
            "address": {"use": "work", "text": "Behind the church", "district": "Soho", "country": "US"},
        },
        {
            "name=mill": True,
            "type=HOSP": True,
            "operational-status=O": True,
            f"operational-status={SYSTEM}|C": False,
            "address=church": True,
            "address=soho": True,
            "address-country=us": True,
            "address-use=work": True,
        },
    ),
    "HealthcareService": (
        {
            "name": "Check-up",
            "category": [concept("gp")],
            "program": [concept("nhs")],
            "characteristic": [concept("wheelchair")],
            "coverageArea": [{"reference": "Location/area"}],
        },
        {"service-category=gp": True, "program=nhs": True, "characteristic=stairs": False, "coverage-area=area": True},
    ),
    "Device": (
        {
            "type": concept("US", "Ultrasound scanner"),
            "deviceName": [{"name": "Sono 1", "type": "user-friendly-name"}, {"name": "S-1", "type": "model-name"}],
            "manufacturer": "Acme",
            "modelNumber": "S1",
            "url": "http://device.example",
            "udiCarrier": [{"deviceIdentifier": "0012", "carrierHRF": "(01)0012"}],
            "owner": {"reference": "Organization/o"},
        },
        {
            "device-name=sono": True,
            "device-name=s-1": True,
            "device-name=ultra": True,
            "type=US": True,
            "manufacturer=ac": True,
            "model=S1": True,
            "url=http://device.example": True,
            "udi-di=0012": True,
            "udi-carrier=(01)": True,
            "organization=o": True,
            "patient:missing=true": True,
        },
    ),
    "Questionnaire": (
        {
            "status": "active",
            "version": "2",
            "date": "2026-01",
            "description": "Asks about pain",
            "publisher": "The clinic",
            "subjectType": ["Patient"],
            "jurisdiction": [concept("US")],
            "effectivePeriod": {"start": "2026-01-01"},
            "useContext": [
                {
                    "code": {"system": SYSTEM, "code": "age"},
                    "valueQuantity": {"value": 5.4, "system": SYSTEM, "code": "a"},
                },
                {"code": {"system": SYSTEM, "code": "focus"}, "valueCodeableConcept": concept("pain")},
            ],
            "item": [
                {
                    "linkId": "1",
                    "type": "display",
                    "text": "Hello",
                },
                {
                    "linkId": "2",
                    "type": "string",
                    "definition": "http://defined.example#1",
                    "code": [{"system": SYSTEM, "code": "greeting"}],
                },
            ],
        },
        {
            "version=2": True,
            "date=2026": True,
            "date=2026-01-05": False,
            "date=ge2026-01-31": True,
            "date=sa2026": False,
            "description=pain": True,
            "publisher=clinic": True,
            "subject-type=Patient": True,
            "jurisdiction=US": True,
            "effective=gt2030": True,
            "effective=lt2026": False,
            "context=pain": True,
            "context-type=focus": True,
            "context-quantity=5.4": True,
            "context-quantity=5": True,
            "context-quantity=5.0": False,
            "context-quantity=gt5.4": False,
            "context-quantity=gt5": True,
            "context-quantity=le5": False,
            "context-quantity=le5.4": True,
            "context-quantity=sa5.4": False,
            "context-quantity=ge5.4||a": True,
            f"context-quantity=lt6|{SYSTEM}|a": True,
            f"context-quantity=lt6|{SYSTEM}|b": False,
            "context-type-value=focus$pain": True,
            "context-type-value=age$pain": False,
            "context-type-quantity=age$5.4": True,
            "context-type-quantity=focus$5.4": False,
            "code=greeting": True,
            "definition=http://defined.example%231": True,
        },
    ),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_sent_elements_can_be_searched(api, kind):
    sent, queries = SAMPLES[kind]
    PractitionerFactory(fhir_id="gp")
    OrganizationFactory(fhir_id="parent")
    OrganizationFactory(fhir_id="o")
    LocationFactory(fhir_id="area")
    made = api.post(kind, {"resourceType": kind, **sent})
    assert made.status_code == 201, made.fhir
    for query, found in queries.items():
        answer = api.get(f"{kind}?{query}&_id={made.fhir['id']}")
        assert answer.status_code == 200, answer.fhir
        assert ids(answer) == ([made.fhir["id"]] if found else []), query


EXTRA = {
    "serviceCategory": [concept("gp")],
    "specialty": [concept("394814009", "General practice")],
    "appointmentType": concept("FOLLOWUP", "A follow up visit"),
}


@pytest.mark.parametrize("factory", [SlotFactory, AppointmentFactory])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("service-category=gp", True),
        ("service-category=hosp", False),
        (f"specialty={SYSTEM}|394814009", True),
        ("specialty=http://other.example|394814009", False),
        ("specialty:text=general", True),
        ("appointment-type=FOLLOWUP", True),
        ("appointment-type:not=FOLLOWUP", False),
        ("appointment-type:text=follow", True),
        ("appointment-type:missing=true", False),
    ],
)
def test_kinds_of_visit(api, factory, query, found):
    row = factory(extra=EXTRA)
    assert ids(api.get(f"{row.RESOURCE_TYPE}?{query}&_id={row.fhir_id}")) == ([row.fhir_id] if found else [])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("part-status=tentative", True),
        ("part-status=http://hl7.org/fhir/participationstatus|tentative", True),
        ("part-status=declined", False),
        ("reason-code=pain", True),
        ("based-on=ServiceRequest/r1", True),
        ("based-on=r1", True),
        ("based-on=r2", False),
        ("reason-reference=Condition/c1", True),
        ("reason-reference=Procedure/c1", False),
        ("supporting-info=d1", True),
        ("supporting-info=Device/d1", True),
        ("supporting-info=DocumentReference/d1", False),
        ("supporting-info:Device=d1", True),
        ("actor:identifier=s:1|v", True),
        ("patient:identifier=s:1|w", False),
        ("slot:missing=true", True),
        ("service-type:missing=false", True),
    ],
)
def test_appointments(api, query, found):
    row = AppointmentFactory(
        participant=[
            {"actor": {"reference": PatientFactory().reference}, "status": "tentative"},
            {"actor": {"identifier": {"system": "s:1", "value": "v"}}, "status": "accepted"},
        ],
        extra={
            "reasonCode": [concept("pain")],
            "basedOn": [{"reference": "ServiceRequest/r1"}],
            "reasonReference": [{"reference": "Condition/c1"}],
            "supportingInformation": [{"reference": "Device/d1"}],
        },
    )
    assert ids(api.get(f"Appointment?{query}")) == ([row.fhir_id] if found else [])
