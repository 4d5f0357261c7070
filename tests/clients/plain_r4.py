"""Finds free Slots, books two of them and cancels, as Salesforce's and Oracle's clients do: written from their public
pages alone.

    BASE_URL=http://127.0.0.1:8000/ CLIENT_ID=... CLIENT_SECRET=... PRACTITIONER=system|value \
        LOCATION=id python tests/clients/plain_r4.py

- Salesforce Health Cloud, Intelligent Appointment Management Operations: `POST Slot/_search`, `POST Appointment` with
  `slot`, and `PUT Appointment/[id]` as `cancelled` with a reason.
- Oracle Health Millennium Platform APIs, FHIR R4, Slot: `GET Slot`, sorted by start; Appointment: `POST Appointment`
  without times, which are those of its Slots.

It ends with an error at the first answer that is not as it should be. It leaves a cancelled appointment behind.
"""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import requests
from software import CLIENT_ID, CLIENT_SECRET, FHIR, START, TOMORROW, VISIT_TYPE, somebody, step

Json = dict[str, Any]
SOON = (TOMORROW + timedelta(days=7)).isoformat()
LOCATION = os.environ.get("LOCATION", "nyc")
PRACTITIONER = os.environ.get("PRACTITIONER", "https://riverside.example/identifiers/staff|chen")


class PlainR4Client:
    """A client of FHIR R4 that knows resources and searches, and no operation."""

    def __init__(self, base: str, client_id: str, client_secret: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.headers["Accept"] = "application/fhir+json"
        known = self._read(self.session.get(f"{base}.well-known/smart-configuration"))
        secret = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        token = self._read(self.session.post(known["token_endpoint"], data=secret))
        self.session.headers["Authorization"] = f"Bearer {token['access_token']}"

    def read(self, reference: str) -> Json:
        return self._read(self.session.get(f"{self.base}{reference}"))

    def search(self, kind: str, query: list[tuple[str, str]]) -> Iterator[Json]:
        """Yield the entries of all pages."""
        yield from self._entries(self._read(self.session.get(f"{self.base}{kind}", params=query)))

    def search_by_post(self, kind: str, query: list[tuple[str, str]]) -> Iterator[Json]:
        yield from self._entries(self._read(self.session.post(f"{self.base}{kind}/_search", data=query)))

    def _entries(self, bundle: Json) -> Iterator[Json]:
        while True:
            yield from bundle.get("entry", [])
            following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            if not following:
                return
            bundle = self._read(self.session.get(following[0]))

    def create(self, resource: Json) -> Json:
        response = self.session.post(f"{self.base}{resource['resourceType']}", json=resource)
        return self._read(response, HTTPStatus.CREATED)

    def update(self, resource: Json) -> Json:
        url = f"{self.base}{resource['resourceType']}/{resource['id']}"
        return self._read(self.session.put(url, json=resource))

    def _read(self, response: requests.Response, status: HTTPStatus = HTTPStatus.OK) -> Json:
        assert response.status_code == status, f"{response.status_code}: {response.text}"
        answer: Json = response.json()
        return answer


def resources(entries: list[Json], mode: str) -> list[Json]:
    return [entry["resource"] for entry in entries if entry["search"]["mode"] == mode]


def find_as_salesforce(client: PlainR4Client, start: str = START, end: str = SOON) -> list[Json]:
    query = [
        ("schedule:Schedule.actor:Practitioner.identifier", f"{PRACTITIONER},urn:oid:1.2.3|none"),
        ("schedule:Schedule.actor:Location._id", LOCATION),
        ("start", f"ge{start}"),
        ("start", f"le{end}"),
        ("service-type", VISIT_TYPE),
        ("status", "free"),
        ("_include", "Slot:schedule"),
        ("_sort", "start"),
    ]
    entries = list(client.search_by_post("Slot", query))
    slots, schedules = resources(entries, "match"), resources(entries, "include")
    assert slots, "somebody has time in a week"
    assert {slot["status"] for slot in slots} == {"free"}
    assert {slot["schedule"]["reference"] for slot in slots} == {f"Schedule/{each['id']}" for each in schedules}
    return slots


def find_as_oracle(client: PlainR4Client, practitioner: str) -> list[Json]:
    query = [
        ("schedule.actor", practitioner),
        ("service-type", VISIT_TYPE),
        ("start", f"ge{START}"),
        ("start", f"le{SOON}"),
        ("status", "free"),
        ("_count", "15"),
        ("_include", "Slot:schedule"),
    ]
    return resources(list(client.search("Slot", query)), "match")


def consecutive(slots: list[Json]) -> tuple[Json, Json]:
    """The first Slot that another one of its Schedule follows, and that one."""
    starts = {(slot["schedule"]["reference"], slot["start"]): slot for slot in slots}
    return next(
        (slot, starts[slot["schedule"]["reference"], slot["end"]])
        for slot in slots
        if (slot["schedule"]["reference"], slot["end"]) in starts
    )


def new_appointment(slots: tuple[Json, ...], patient: str, practitioner: str) -> Json:
    """An Appointment with the least elements that both pages ask for."""
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": f"Slot/{slot['id']}"} for slot in slots],
        "participant": [
            {"actor": {"reference": patient}, "status": "accepted"},
            {"actor": {"reference": practitioner}, "status": "needs-action"},
        ],
    }


def messages(client: PlainR4Client, patient: str) -> set[str]:
    """The kinds of messages to the patient."""
    found = resources(list(client.search("Communication", [("subject", patient)])), "match")
    return {each["category"][0]["coding"][0]["code"] for each in found}


def book_and_cancel(client: PlainR4Client, slots: list[Json], practitioner: str) -> None:
    contact = {"telecom": [{"system": "email", "value": "client@example.org"}]}
    patient = f"Patient/{client.create({'resourceType': 'Patient', **somebody(), **contact})['id']}"
    first, second = consecutive(slots)
    booked = client.create(new_appointment((first, second), patient, practitioner))
    assert (booked["status"], booked["start"], booked["end"]) == ("booked", first["start"], second["end"])
    assert {each["status"] for each in booked["participant"]} == {"accepted"}
    assert {client.read(each["reference"])["status"] for each in booked["slot"]} == {"busy"}
    both = {first["id"], second["id"]}
    around = first["start"], second["end"]
    assert not both & {slot["id"] for slot in find_as_salesforce(client, *around)}, "what is booked is not free"
    assert "confirmation" in messages(client, patient)
    step(f"booked two Slots at {booked['start']}, and the patient is told")

    reason = {"text": "The patient is better"}
    cancelled = client.update({**booked, "status": "cancelled", "cancelationReason": reason})
    assert (cancelled["status"], cancelled["cancelationReason"]) == ("cancelled", reason)
    assert both <= {slot["id"] for slot in find_as_salesforce(client, first["start"], second["end"])}, (
        "they are free again"
    )
    assert "cancellation" in messages(client, patient)
    step("cancelled it: the Slots are free again, and the patient is told")


def main() -> None:
    client = PlainR4Client(FHIR, CLIENT_ID, CLIENT_SECRET)
    step("has a token")

    slots = find_as_salesforce(client)
    starts = [datetime.fromisoformat(slot["start"]) for slot in slots]
    assert starts == sorted(starts)
    assert len({slot["id"] for slot in slots}) == len(slots), "nothing twice on all pages"
    step(f"found {len(slots)} free Slots as Salesforce does")

    schedule = client.read(slots[0]["schedule"]["reference"])
    found = find_as_oracle(client, schedule["actor"][0]["reference"])
    assert [slot["id"] for slot in found] == [slot["id"] for slot in slots]
    assert client.read(f"Slot/{slots[0]['id']}") == slots[0]
    step(f"found {len(found)} as Oracle's clients do, and read one")

    book_and_cancel(client, slots, schedule["actor"][0]["reference"])


if __name__ == "__main__":
    main()
