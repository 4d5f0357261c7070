"""A resource with an unknown modifierExtension is not acted upon: https://hl7.org/fhir/R4/extensibility.html#modifierExtension"""

import copy

import pytest

from clinic.fhir.resources import RESOURCES, to_fhir
from clinic.models import Appointment, Slot
from tests.api.conftest import codes, texts
from tests.api.test_search_parameters import SAMPLES
from tests.api.visits import BOOK, FIND
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory

MODIFIER = [{"url": "http://example.org/not", "valueBoolean": True}]
RULES = "http://example.org/rules"
WRITABLE = [kind for kind, each in RESOURCES.items() if each.from_fhir is not None]


@pytest.mark.parametrize("kind", WRITABLE)
def test_unknown_modifier_extensions_are_refused(api, kind):
    row = SAMPLES[kind]()
    sent = api.get(row.reference).fhir
    for changed, code, place in (
        ({**sent, "modifierExtension": MODIFIER}, "extension", f"{kind}.modifierExtension"),
        ({**sent, "implicitRules": RULES}, "not-supported", f"{kind}.implicitRules"),
    ):
        response = api.put(row.reference, changed)
        assert (response.status_code, code in codes(response)) == (400, True), response.fhir
        assert place in [each["expression"][0] for each in response.fhir["issue"]]
    assert api.get(row.reference)["ETag"] == 'W/"1"'


def test_wherever_it_is(api):
    patient = {"resourceType": "Patient", "contact": [{"modifierExtension": MODIFIER, "gender": "female"}]}
    response = api.post("Patient", patient)
    assert (response.status_code, codes(response)) == (400, ["extension"])
    assert response.fhir["issue"][0]["expression"] == ["Patient.contact[0].modifierExtension"]
    assert MODIFIER[0]["url"] in texts(response)
    added = [{"op": "add", "path": "/modifierExtension", "value": MODIFIER}]
    assert api.patch(PatientFactory().reference, added).status_code == 400


@pytest.mark.parametrize("place", ["", "contained", "participant"])
def test_unknown_modifier_extensions_of_proposals_are_refused(api, place):
    service = ServiceFactory()
    chen = ScheduleFactory(services=[service])
    query = {"service-type-reference": service.reference, "schedule": chen.reference}
    sent = copy.deepcopy(api.get(FIND, query).fhir["entry"][0]["resource"])
    sent["participant"].append({"actor": {"reference": PatientFactory().reference}, "status": "accepted"})
    (sent[place][0] if place else sent)["modifierExtension"] = MODIFIER
    response = api.post(BOOK, sent)
    assert (response.status_code, codes(response)) == (400, ["extension"])
    assert not Appointment.objects.exists()
    assert not Slot.objects.exists()


def test_samples_are_written_back_otherwise(api):
    row = PatientFactory()
    assert api.put(row.reference, to_fhir(row)).status_code == 200
