"""Addresses of our own extensions and systems: told where they are served, read as they were and as they are."""

import json
import re

import pytest

from clinic.available_time import AVAILABILITY_PERIOD, AVAILABILITY_RECURRENCE
from clinic.fhir import codes, own_addresses
from clinic.fhir.xml import from_xml, read_xml
from clinic.models import HealthcareService
from tests.api.conftest import Api, ids
from tests.factories import AuditEventFactory, ServiceFactory

HERE = "http://testserver/fhir/R4"
OURS = sorted(
    value
    for value in (*vars(codes).values(), AVAILABILITY_PERIOD, AVAILABILITY_RECURRENCE)
    if isinstance(value, str) and value.startswith(f"{codes.OURS}/")
)
STORED = codes.OURS.encode()
XML = "application/fhir+xml"


@pytest.fixture(autouse=True)
def served_here(settings):
    settings.FHIR_CANONICAL_BASE = HERE


@pytest.fixture
def service(db):
    return ServiceFactory(fhir_id="video", telehealth=True, minimum_age=18, requires=["Location"])


def served(stored):
    return stored.replace(codes.OURS, HERE)


@pytest.mark.parametrize("stored", OURS)
def test_every_address_leads_to_its_page(db, stored):
    page = Api().get(served(stored).removeprefix("http://testserver")).fhir
    address = page.get("url") or page["uniqueId"][0]["value"]
    assert address == served(stored)
    parameter = "value" if page["resourceType"] == "NamingSystem" else "url"
    for name in (stored, served(stored)):
        assert Api().get(page["resourceType"], {parameter: name}).fhir["total"] == 1


def test_every_address_in_the_definitions_leads_to_a_page(db):
    anybody = Api()
    found = set()
    for page in ("metadata", "StructureDefinition", "CodeSystem", "SearchParameter", "NamingSystem"):
        body = anybody.get(page).content
        assert STORED not in body
        found |= set(re.findall(rb'"(http://testserver/fhir/R4/(?:%s)/[^"]+)"' % own_addresses.KINDS.encode(), body))
    assert len(found) > len(OURS)
    for address in sorted(found):
        assert anybody.get(address.decode().removeprefix("http://testserver")).status_code == 200, address


def test_a_resource_tells_where_its_extensions_are_served(api, service):
    for accept in ("application/fhir+json", XML):
        body = api.get("HealthcareService/video", accept=accept).content
        assert STORED not in body
        assert served(codes.TELEHEALTH).encode() in body


@pytest.mark.parametrize("base", [HERE, codes.OURS])
def test_old_and_new_addresses_are_read(api, service, base, settings):
    settings.FHIR_CANONICAL_BASE = "https://visits.example.org/fhir/R4"  # the address of the request is read too
    age = f"{base}/StructureDefinition/minimumAge"
    other = f"{base}/StructureDefinition/colour"
    extension = [{"url": age, "valueUnsignedInt": 21}, {"url": other, "valueCode": "red"}]
    sent = {"resourceType": "HealthcareService", "id": "video", "name": "Video", "extension": extension}
    answer = api.put("HealthcareService/video", sent)
    stored = HealthcareService.objects.get()
    assert stored.minimum_age == 21
    assert codes.OURS in str(stored.extra)
    assert HERE not in str(stored.extra)
    assert {each["url"] for each in answer.fhir["extension"]} == {
        each.replace(base, settings.FHIR_CANONICAL_BASE) for each in (age, other)
    }


def test_slashes_may_be_escaped(api, service):
    extension = [{"url": served(codes.MINIMUM_AGE), "valueUnsignedInt": 21}]
    body = {"resourceType": "HealthcareService", "id": "video", "name": "A \\/ B", "extension": extension}
    escaped = json.dumps(body).replace("/", "\\/")
    assert api.put("HealthcareService/video", escaped).fhir["name"] == "A \\/ B"
    assert HealthcareService.objects.get().minimum_age == 21


def test_xml_and_patches_are_read(api, service):
    resource = from_xml(read_xml(api.get("HealthcareService/video", accept=XML).content.decode()))
    ages = [each for each in resource["extension"] if each["url"] == served(codes.MINIMUM_AGE)]
    assert [each["valueUnsignedInt"] for each in ages] == [18]
    extension = {"url": served(codes.MAXIMUM_AGE), "valueUnsignedInt": 65}
    api.patch("HealthcareService/video", [{"op": "add", "path": "/extension/-", "value": extension}])
    assert HealthcareService.objects.get().maximum_age == 65


def test_systems_are_searched_by_both(api):
    AuditEventFactory(fhir_id="line", subtype="book")
    for system in (codes.USE_CASE, served(codes.USE_CASE)):
        assert ids(api.get("AuditEvent", {"subtype": f"{system}|book"})) == ["line"]
