"""Reading of the published files, in each of their forms."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from django.test import Client

from api.publishing.editions import LINKS
from tests.api.conftest import BASE, assert_fhir

ALL = "$bulk-publish"
VACCINE = "vaccine/$bulk-publish"
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}


# Required elements of the profiles by type, and the required elements within them.
REQUIRED = {
    "Location": (
        *("id", "identifier.system", "identifier.value", "name", "telecom.system", "telecom.value"),
        *("address.line", "address.city", "address.state", "address.postalCode"),
    ),
    "HealthcareService": ("id", "active", "type", "specialty", "location.reference", "name"),
    "Practitioner": ("id", "identifier"),
    "PractitionerRole": ("id",),
    "Schedule": ("id", "serviceType", "actor.reference"),
    "Slot": ("id", "schedule.reference", "status", "start", "end"),
}


def get(path: str, **headers: str):
    return Client().get(BASE + path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def lines(kind: str, form: str = ALL) -> list[dict]:
    answer = get(f"{form}/{kind}.ndjson")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/fhir+ndjson"
    resources = [json.loads(line) for line in answer.getvalue().splitlines()]
    for each in resources:
        assert_fhir(each)
        assert each["resourceType"] == kind
        for path in REQUIRED[kind]:
            assert all(values_at(each, path)), f"{path} of {each}"
    return resources


def values_at(resource, path: str) -> list:
    """The value at a path, or an empty one."""
    nodes = [resource]
    for name in path.split("."):
        found = [node.get(name) for node in nodes]
        nodes = [each for node in found for each in (node if isinstance(node, list) and node else [node])]
    return nodes


def statuses(form: str = ALL) -> dict[str, str]:
    return {each["start"]: each["status"] for each in lines("Slot", form)}


def local(at: datetime) -> str:
    return at.astimezone(ZoneInfo("America/New_York")).isoformat()


def extension(resource, name: str):
    """The value of an extension of the guide in its version 1.0.0-ballot."""
    return next(each for each in resource.get("extension", ()) if each["url"] == f"{LINKS}/StructureDefinition/{name}")
