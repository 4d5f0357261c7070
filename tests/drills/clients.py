"""Clients of a drill: software that books by the API, and somebody who looks at the pages and holds times there.

Each request of software has an Idempotency-Key, and is sent again until it is answered.
"""

import random
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import httpx
from django.utils import timezone

from clinic.fhir.datatypes import Json, instant
from tests.drills.client_records import REFUSALS, ClientRecords, RecordedVisit

TIMEOUT = 20.0
PAUSE = 0.3
HOLDS = 0.1  # the part of a visitor's looks after which a time is held; more would be too many for one address
DAYS_AHEAD = range(5, 90)  # reminders are not due in a drill
PATIENTLY = 180.0  # seconds in which each request is answered, however often it is sent


@dataclass(frozen=True)
class Clinic:
    """The clinic as the clients of a drill know it."""

    url: str
    token: str
    service: str  # its reference
    patients: list[str]  # their references


class Client(Thread):
    """A client that does one thing after another until it is told to stop."""

    def __init__(self, number: int, clinic: Clinic, records: ClientRecords, over: Event, seed: int) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._number, self._clinic, self._records, self._over = number, clinic, records, over
        self._chance = random.Random(f"{seed}-{number}")
        self._sent = 0

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self.act()
            except NotAnswered:
                return
            except Exception as error:
                self._records.complain(f"{self.name} failed: {type(error).__name__}: {error}")
                return
            time.sleep(self._chance.uniform(0, PAUSE))

    def act(self) -> None:
        raise NotImplementedError

    def _ask(self, http: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response | None:
        """Return the answer, after it was looked at; None if the server or the connection was lost."""
        try:
            answer = http.request(method, path, **more)
        except httpx.TransportError as error:
            self._records.answer("refused" if isinstance(error, httpx.ConnectError) else "connection lost")
            return None
        self._records.answer(str(answer.status_code))
        self._look_at(answer)
        return answer

    def _look_at(self, answer: httpx.Response) -> None:
        request = f"{answer.request.method} {answer.request.url.path}"
        if answer.status_code == 503 and "Retry-After" not in answer.headers:
            self._records.complain(f"{request}: 503 without Retry-After")
        allowed = answer.status_code == 503 or answer.status_code in REFUSALS or 200 <= answer.status_code < 400
        if not allowed:
            self._records.complain(f"{request}: {answer.status_code} {answer.text[:300]}")


class NotAnswered(Exception):
    """A request was not answered however often it was sent."""


class Software(Client):
    """Software that books, holds, confirms, moves and cancels by the API."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        headers = {"Authorization": f"Bearer {self._clinic.token}", "Content-Type": "application/fhir+json"}
        self._http = httpx.Client(base_url=f"{self._clinic.url}/fhir/R4/", headers=headers, timeout=TIMEOUT)
        self._visits: list[RecordedVisit] = []

    def act(self) -> None:
        kept = [visit for visit in self._visits if visit.status == "booked"]
        choice = self._chance.random()
        if choice < 0.35 or not kept:
            self._book()
        elif choice < 0.6:
            self._hold_and_confirm()
        elif choice < 0.8:
            self._cancel(self._chance.choice(kept))
        else:
            self._move(self._chance.choice(kept))

    def _book(self) -> None:
        self._take("Appointment/$book")

    def _hold_and_confirm(self) -> None:
        visit = self._take("Appointment/$hold")
        if visit is not None and self._chance.random() < 0.9:
            answer = self._send(f"Appointment/{visit.fhir_id}/$confirm", {})
            if answer.is_success:
                _learn(visit, answer.json()["entry"][0]["resource"])

    def _take(self, operation: str) -> RecordedVisit | None:
        proposal = self._proposal()
        if proposal is None:
            return None
        visit = self._records.visit(f"{self.name}-{self._sent}")
        patient = {"actor": {"reference": self._chance.choice(self._clinic.patients)}, "status": "accepted"}
        body = {**proposal, "comment": visit.mark, "participant": [*proposal["participant"], patient]}
        answer = self._send(operation, body)
        if not answer.is_success:
            return None
        _learn(visit, answer.json()["entry"][0]["resource"])
        self._visits.append(visit)
        return visit

    def _cancel(self, visit: RecordedVisit) -> None:
        answer = self._send(f"Appointment/{visit.fhir_id}/$cancel", {})
        if answer.is_success:
            _learn(visit, answer.json())

    def _move(self, visit: RecordedVisit) -> None:
        proposal = self._proposal()
        if proposal is None:
            return
        schedules = {each["schedule"]["reference"] for each in proposal["contained"] if each["resourceType"] == "Slot"}
        parameter = [
            {"name": "start", "valueDateTime": proposal["start"]},
            *({"name": "schedule", "valueReference": {"reference": schedule}} for schedule in sorted(schedules)),
        ]
        body = {"resourceType": "Parameters", "parameter": parameter}
        answer = self._send(f"Appointment/{visit.fhir_id}/$reschedule", body)
        if answer.is_success:
            _learn(visit, answer.json()["entry"][0]["resource"])

    def _proposal(self) -> Json | None:
        """Return a free time, if there is one on a day by chance."""
        start = timezone.now() + timedelta(days=self._chance.choice(DAYS_AHEAD))
        query = {
            "start": instant(start),
            "end": instant(start + timedelta(days=2)),
            "service-type-reference": self._clinic.service,
            "_count": "20",
        }
        answer = self._ask(self._http, "GET", "Appointment/$find", params=query)
        if answer is None or not answer.is_success:
            return None
        entries = answer.json().get("entry", [])
        found = [each["resource"] for each in entries if each["search"]["mode"] == "match"]
        return self._chance.choice(found) if found else None

    def _send(self, path: str, body: Json) -> httpx.Response:
        """Send a request with one key until it is answered. 503 is an answer that asks to be sent again."""
        self._sent += 1
        headers = {"Idempotency-Key": f"{self.name}-{self._sent}"}
        deadline = time.monotonic() + PATIENTLY
        while time.monotonic() < deadline:
            answer = self._ask(self._http, "POST", path, json=body, headers=headers)
            if answer is not None and answer.status_code not in (429, 503):
                return answer
            if answer is not None and "transient" not in answer.text and "throttled" not in answer.text:
                self._records.complain(f"POST {path}: {answer.status_code} {answer.text[:300]}")
            time.sleep(self._chance.uniform(0.2, 1.0))
        self._records.complain(f"POST {path} was not answered")
        raise NotAnswered


class Visitor(Client):
    """Somebody without an account who looks at the pages, and holds times there."""

    def act(self) -> None:
        with httpx.Client(base_url=self._clinic.url, timeout=TIMEOUT, follow_redirects=True) as http:
            if self._ask(http, "GET", "/") is None:
                return
            path = f"/book/{self._clinic.service.partition('/')[2]}/"
            page = self._ask(http, "GET", path)
            if page is None or not page.is_success:
                return
            times = re.findall(r'name="time" value="([^"]+)"', page.text)
            secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
            if times and secret and self._chance.random() < HOLDS:
                form = {"time": self._chance.choice(times), "csrfmiddlewaretoken": secret[1]}
                headers = {"Referer": f"{self._clinic.url}{path}"}
                answer = self._ask(http, "POST", f"{path}hold/", data=form, headers=headers)
                is_away = answer is not None and answer.status_code == 503 and answer.request.method == "POST"
                if is_away and form["time"] not in answer.text:
                    self._records.complain(f"POST {path}hold/: the page for 503 does not keep the time that was chosen")


def _learn(visit: RecordedVisit, appointment: Json) -> None:
    visit.fhir_id, visit.status, visit.start = appointment["id"], appointment["status"], appointment.get("start", "")
