"""Drives Argonaut's scheduling with fhirpy: from discovery to a visit that is booked and cancelled.

    BASE_URL=http://127.0.0.1:8000/ CLIENT_ID=... CLIENT_SECRET=... python tests/clients/fhirpy_client.py

It ends with an error at the first answer that is not as it should be. It leaves a cancelled appointment behind.
"""

from typing import Any

import requests
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError
from software import CLIENT_ID, CLIENT_SECRET, END, FHIR, START, VISIT_TYPE, somebody, step

JSON_PATCH = "application/json-patch+json"


def main() -> None:
    authorization = f"Bearer {token()}"
    client = SyncFHIRClient(FHIR, authorization=authorization)
    step("has a token")

    practitioners = client.resources("Practitioner").limit(2)
    found = practitioners.fetch_all()
    references = [each.reference for each in found]
    assert len({each["id"] for each in found}) == len(found) == practitioners.count() > 2, "all pages, nobody twice"
    step(f"read {len(found)} practitioners, two to a page")

    patient = client.resource("Patient", **somebody()).save()
    proposals = find(client, references)
    step(f"found {len(proposals)} times")

    held = operate(client, proposals[0], "$hold")
    assert held["status"] == "pending", held
    assert held["start"] == proposals[0]["start"]
    assert essence(proposals[0]) not in map(essence, find(client, references)), "what is held is not offered"
    step(f"held {held['start']}")

    booked = operate(client, held, "$book", {"name": "patient-id", "valueUri": patient.reference})
    assert booked["status"] == "booked", booked
    assert {each["status"] for each in booked["participant"]} == {"accepted"}
    step("booked")

    visit = client.resources("Appointment").search(patient=patient, status="booked").get()
    assert visit["id"] == booked["id"]
    assert any(each["actor"].get("reference") == patient.reference for each in visit["participant"])
    step("read it back")

    cancelling = SyncFHIRClient(FHIR, authorization=authorization, extra_headers={"Content-Type": JSON_PATCH})
    cancel = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    cancelled = cancelling.execute(visit.reference, method="patch", data=cancel)
    assert cancelled["status"] == client.get(visit.reference)["status"] == "cancelled", cancelled
    step("cancelled")

    assert operate(client, cancelled, "$book")["status"] == "cancelled", "what is cancelled cannot be booked"
    assert essence(proposals[0]) in map(essence, find(client, references))
    step("the time is offered again")


def token() -> str:
    """Read the public documents, which name the token endpoint."""
    anonymous = SyncFHIRClient(FHIR)
    capabilities = anonymous.execute("metadata", method="get")
    assert capabilities["fhirVersion"] == "4.0.1"
    (appointments,) = (each for each in capabilities["rest"][0]["resource"] if each["type"] == "Appointment")
    assert {"find", "hold", "book"} <= {each["name"] for each in appointments["operation"]}
    smart = anonymous.execute(".well-known/smart-configuration", method="get")
    try:
        anonymous.resources("Patient").fetch()
    except AuthorizationError:
        step("discovered where tokens come from, and that one is needed")
    else:
        raise AssertionError("Patients were shown to a stranger.")
    form = {"grant_type": "client_credentials", "scope": "system/*.cruds"}
    answer = requests.post(smart["token_endpoint"], data=form, auth=(CLIENT_ID, CLIENT_SECRET), timeout=30)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def find(client: SyncFHIRClient, practitioners: list[str]) -> list[dict[str, Any]]:
    """The first proposals for any of the practitioners."""
    params = {"start": START, "end": END, "visit-type": VISIT_TYPE, "practitioner": practitioners, "_count": 10}
    bundle = client.execute("Appointment/$find", method="get", params=params)
    proposals = matches(bundle)
    assert 0 < len(proposals) <= 10, bundle
    assert {each["status"] for each in proposals} == {"proposed"}, bundle
    return proposals


def essence(appointment: dict[str, Any]) -> tuple[Any, Any]:
    """The start and the practitioner; ids are valid for one search only."""
    return appointment["start"], appointment["participant"]


def operate(client: SyncFHIRClient, appointment: dict[str, Any], name: str, *more: dict[str, Any]) -> dict[str, Any]:
    """The Appointment after an operation on it."""
    named = {"name": "appt-id", "valueUri": f"Appointment/{appointment['id']}"}
    parameters = {"resourceType": "Parameters", "parameter": [named, *more]}
    bundle = client.execute(f"Appointment/{appointment['id']}/{name}", data=parameters)
    (changed,) = matches(bundle)
    return changed


def matches(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["resource"] for each in bundle["entry"] if each["search"]["mode"] == "match"]


if __name__ == "__main__":
    main()
