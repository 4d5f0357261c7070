"""`referencePolicy: enforced`: a reference to a missing resource is refused, in every element.

https://hl7.org/fhir/R4/valueset-reference-handling-policy.html
"""

import pytest

from clinic.models import Patient
from tests.api.conftest import BASE, codes
from tests.factories import OrganizationFactory, PatientFactory, PractitionerFactory

PERIOD = {"start": "2026-01-05T14:00:00Z"}
NOBODY = {"reference": "Practitioner/nobody"}
NOWHERE = {"reference": "Organization/nowhere"}
ABOUT = {"url": "http://example.org/about", "valueReference": {"reference": "Location/nowhere"}}
PAYOR = [{"display": "Acme"}]

# For each element: a valid resource, except that this reference's target is missing.
DANGLING = {
    "Organization.partOf": {"name": "A", "partOf": NOWHERE},
    "Organization.extension[0].valueReference": {"name": "A", "extension": [ABOUT]},
    "Location.managingOrganization": {"name": "A", "managingOrganization": NOWHERE},
    "Practitioner.qualification[0].issuer": {"qualification": [{"code": {"text": "MD"}, "issuer": NOWHERE}]},
    "Patient.generalPractitioner[0]": {"generalPractitioner": [NOBODY]},
    "Patient.managingOrganization": {"managingOrganization": NOWHERE},
    "Patient.link[0].other": {"link": [{"other": {"reference": "Patient/nobody"}, "type": "seealso"}]},
    "Patient.contact[0].organization": {"contact": [{"organization": NOWHERE}]},
    "Coverage.subscriber": {"status": "active", "payor": PAYOR, "subscriber": {"reference": "Patient/nobody"}},
    "Device.owner": {"owner": NOWHERE},
    "CareTeam.encounter": {"encounter": {"reference": "Encounter/nothing"}},
    "Encounter.serviceProvider": {"status": "planned", "class": {"code": "AMB"}, "serviceProvider": NOWHERE},
    "HealthcareService.coverageArea[0]": {"name": "A", "coverageArea": [{"reference": "Location/nowhere"}]},
    "QuestionnaireResponse.author": {"status": "completed", "author": NOBODY},
}


def resource(place):
    kind = place.partition(".")[0]
    more = {"beneficiary": {"reference": "Patient/ada"}} if kind == "Coverage" else {}
    return {"resourceType": kind, "id": "one", **more, **DANGLING[place]}


@pytest.mark.parametrize("place", DANGLING)
def test_a_reference_to_nothing_is_refused_wherever_it_is(api, place):
    PatientFactory(fhir_id="ada")
    sent = resource(place)
    for response in (api.post(sent["resourceType"], sent), api.put(f"{sent['resourceType']}/one", sent)):
        assert (response.status_code, codes(response)) == (422, ["not-found"])
        assert response.fhir["issue"][0]["expression"] == [f"{place}.reference"]


def test_external_and_logical_references_are_not_checked(api):
    others = [
        {"reference": "https://other.example/fhir/Practitioner/nobody"},
        {"identifier": {"system": "http://npi", "value": "1"}},
        {"display": "Dr. Who"},
        {"reference": "#inner"},
    ]
    inner = {"resourceType": "Practitioner", "id": "inner"}
    sent = {"resourceType": "Patient", "contained": [inner], "generalPractitioner": others}
    assert api.post("Patient", sent).status_code == 201
    ours = {"reference": f"http://testserver{BASE}Practitioner/nobody"}
    assert api.post("Patient", {**sent, "generalPractitioner": [*others, ours]}).status_code == 422


def test_entries_of_a_transaction_may_refer_to_later_ones(api):
    """Two records may refer to each other."""

    def patient(fhir_id, other):
        link = [{"other": {"reference": f"Patient/{other}"}, "type": "seealso"}]
        return {"resourceType": "Patient", "id": fhir_id, "link": link}

    def bundle(*resources):
        entries = [
            {"resource": each, "request": {"method": "PUT", "url": f"Patient/{each['id']}"}} for each in resources
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    assert api.post("", bundle(patient("a", "b"), patient("b", "c"))).status_code == 422
    assert not Patient.objects.exists()
    assert api.post("", bundle(patient("a", "b"), patient("b", "a"))).status_code == 200
    assert api.put("Patient/c", patient("c", "c")).status_code == 201


def test_a_reference_to_a_resource_deleted_since_may_stay(api):
    """A record whose doctor is deleted can still be corrected, but gets no other missing reference."""
    chen = PractitionerFactory()
    body = {"resourceType": "Patient", "id": "ada", "generalPractitioner": [{"reference": chen.reference}]}
    api.put("Patient/ada", body)
    assert api.delete(chen.reference).status_code == 204
    assert api.put("Patient/ada", {**body, "gender": "female"}).status_code == 200
    assert api.patch("Patient/ada", [{"op": "replace", "path": "/gender", "value": "other"}]).status_code == 200
    assert api.put("Patient/ada", {**body, "managingOrganization": NOWHERE}).status_code == 422
    assert api.put("Patient/bo", {**body, "id": "bo"}).status_code == 422


def test_all_references_are_checked_with_one_statement(api, django_assert_max_num_queries):
    people, org = PractitionerFactory.create_batch(20), OrganizationFactory()
    sent = {
        "resourceType": "Patient",
        "generalPractitioner": [{"reference": each.reference} for each in people],
        "managingOrganization": {"reference": org.reference},
    }
    api.post("Patient", sent)  # fills the caches
    with django_assert_max_num_queries(20):
        assert api.post("Patient", sent).status_code == 201
