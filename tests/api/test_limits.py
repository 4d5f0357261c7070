"""A request that exceeds a limit is refused, and the refusal names the place."""

import json

import pytest

from clinic.models import Location
from tests.api.conftest import codes, texts

pytestmark = pytest.mark.django_db
LONG = "x" * (1024 * 1024 + 1)


def creations(count):
    request = {"method": "POST", "url": "Location"}
    entry = {"resource": {"resourceType": "Location", "status": "active", "name": "Room"}, "request": request}
    return [entry] * count


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_bundle_has_so_many_entries_and_no_more(api, settings, kind):
    settings.MAX_BUNDLE_ENTRIES = 3
    bundle = {"resourceType": "Bundle", "type": kind}
    assert api.post("", bundle | {"entry": creations(3)}).status_code == 200
    response = api.post("", bundle | {"entry": creations(4)})
    assert (response.status_code, codes(response)) == (413, ["too-costly"])
    assert texts(response) == f"A {kind} has 3 entries at most, not 4: divide it."
    assert response.fhir["issue"][0]["expression"] == ["Bundle.entry"]
    assert Location.objects.count() == 3
    [rest] = api.get("metadata").fhir["rest"]
    assert rest["documentation"] == "A batch or a transaction has 3 entries at most."


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"contact": [{"name": {"text": LONG}}]}, "Patient.contact[0].name.text"),
        ({"name": [{"family": "Quinn", "given": ["Ada", LONG]}]}, "Patient.name[0].given[1]"),
        ({"extension": [{"url": "https://a.example", "valueString": LONG}]}, "Patient.extension[0].valueString"),
    ],
)
def test_a_string_is_a_megabyte_long_at_most(api, body, place):
    response = api.post("Patient", {"resourceType": "Patient"} | body)
    assert (response.status_code, codes(response)) == (400, ["too-long"])
    assert response.fhir["issue"][0]["expression"] == [place]


def test_so_is_one_in_xml(api):
    xml = f'<Patient xmlns="http://hl7.org/fhir"><name><family value="{LONG}"/></name></Patient>'
    response = api.post("Patient", xml, content_type="application/fhir+xml")
    assert response.status_code == 400
    assert b"Patient.name[0].family" in response.content


def test_a_picture_may_be_longer(api):
    photo = [{"contentType": "image/png", "data": "QUJD" * 300_000}]
    assert len(json.dumps(photo)) > 1024 * 1024
    assert api.post("Patient", {"resourceType": "Patient", "photo": photo}).status_code == 201
