"""Finds free Slots as Salesforce's and Oracle's clients do, written from their public pages alone.

    BASE_URL=http://127.0.0.1:8000/ CLIENT_ID=... CLIENT_SECRET=... PRACTITIONER=system|value \
        python tests/clients/plain_r4.py

- Salesforce Health Cloud, Intelligent Appointment Management Operations: `POST Slot/_search`.
- Oracle Health Millennium Platform APIs, FHIR R4, Slot: `GET Slot`, sorted by start.

It ends with an error at the first answer that is not as it should be.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import requests
from software import CLIENT_ID, CLIENT_SECRET, END, FHIR, START, VISIT_TYPE, step

Json = dict[str, Any]
PRACTITIONER = os.environ.get("PRACTITIONER", "http://hl7.org/fhir/sid/us-npi|1234567893")


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

    def _read(self, response: requests.Response) -> Json:
        assert response.status_code == 200, f"{response.status_code}: {response.text}"
        answer: Json = response.json()
        return answer


def resources(entries: list[Json], mode: str) -> list[Json]:
    return [entry["resource"] for entry in entries if entry["search"]["mode"] == mode]


def find_as_salesforce(client: PlainR4Client) -> list[Json]:
    query = [
        ("schedule:Schedule.actor:Practitioner.identifier", f"{PRACTITIONER},urn:oid:1.2.3|none"),
        ("start", f"ge{START}"),
        ("start", f"le{END}"),
        ("service-type", VISIT_TYPE),
        ("status", "free"),
        ("_include", "Slot:schedule"),
        ("_sort", "start"),
    ]
    entries = list(client.search_by_post("Slot", query))
    slots, schedules = resources(entries, "match"), resources(entries, "include")
    assert slots, "somebody has time in four weeks"
    assert {slot["status"] for slot in slots} == {"free"}
    assert {slot["schedule"]["reference"] for slot in slots} == {f"Schedule/{each['id']}" for each in schedules}
    return slots


def find_as_oracle(client: PlainR4Client, practitioner: str) -> list[Json]:
    query = [
        ("schedule.actor", practitioner),
        ("service-type", VISIT_TYPE),
        ("start", f"ge{START}"),
        ("start", f"le{END}"),
        ("status", "free"),
        ("_count", "15"),
        ("_include", "Slot:schedule"),
    ]
    return resources(list(client.search("Slot", query)), "match")


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


if __name__ == "__main__":
    main()
