"""Pages of a full clinic, asked for in a product's process; `python -m benchmarks.page_costs` prints rows as JSON.

Its arguments are the numbers of practitioners, of patients and of visits before this week.
"""

import gzip
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from html.parser import HTMLParser
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.full_clinic import FullClinic

MANY_PRACTITIONERS = 50  # of the patient's page of times
BOOKED_UP_DAYS = 28
ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: `ask` gets it, as often as it is measured."""

    name: str
    ask: Callable[[], Any]


def measure_pages(practitioners: int, patients: int, past_visits: int) -> list[list[object]]:
    """The row of each page, as benchmarks.pages heads it. The database is empty before."""
    from django.utils import timezone

    from benchmarks import past_visits as past
    from benchmarks.full_clinic import PATIENTS, ZONE, book_up, fill
    from benchmarks.patient_costs import add_patients
    from scheduling.reports import figures

    now = timezone.now()
    noon = datetime.combine(now.astimezone(ZONE).date(), datetime.min.time(), ZONE) + timedelta(hours=12)
    monday = noon.date() - timedelta(days=noon.weekday())
    clinic = fill(practitioners, [monday + timedelta(days=n) for n in range(7)], now=noon)
    add_patients(patients - PATIENTS)
    past.add(_connection(), past_visits, before=monday)
    _vacuum()
    figures.count_days(now=now)
    rows = [_measured(page) for page in (*desk_pages(clinic, noon), *owner_pages(clinic, noon))]
    _empty()
    clinic = fill(MANY_PRACTITIONERS, [], now=noon, every_minutes=5)
    book_up(clinic.calendars, [noon.date() + timedelta(days=n) for n in range(BOOKED_UP_DAYS)], now=noon)
    _vacuum()
    return rows + [_measured(page) for page in _of_patients(clinic, noon)]


def desk_pages(clinic: "FullClinic", noon: datetime) -> list[Page]:
    """The pages of a day, as the front desk of the site sees them."""
    from clinic.models import Appointment, User

    desk = User.objects.create_user(email="desk@example.com", password=None)
    desk.desk_locations.set([clinic.site])
    client = _client()
    client.force_login(desk)
    phone = _client()
    phone.force_login(desk)
    client.cookies["calendar_grid"] = "1"
    chosen = {
        "site": clinic.site.fhir_id,
        "from": clinic.site.fhir_id,
        "calendars": [each.fhir_id for each in clinic.calendars],
    }
    for browser in (client, phone):
        browser.post("/staff/calendar/choose/", chosen)
    day = f"{noon:%Y-%m-%d}"
    since = (noon - timedelta(hours=12)).isoformat()
    expected = iter(
        Appointment.objects.filter(status="booked", start__date=noon.date()).values_list("fhir_id", flat=True)[:30]
    )

    def get(address: str, browser: Any = client) -> Callable[[], Any]:
        return lambda: browser.get(address)

    def arrive() -> Any:
        return client.post(
            f"/staff/appointments/{next(expected)}/step/",
            {"status": "arrived", "site": clinic.site.fhir_id},
            headers={"HX-Request": "true"},
        )

    return [
        Page("day", get("/staff/")),
        Page("day, its visits for the grid", get(f"/staff/calendar/events/?start={day}&end={_next(day)}&view=day")),
        Page("day as a list", get("/staff/", phone)),
        Page("week", get("/staff/week/")),
        Page("week of one", get(f"/staff/week/?schedule={clinic.calendars[0].fhir_id}")),
        Page("month", get("/staff/month/")),
        Page("agenda", get("/staff/agenda/")),
        Page("board", get("/staff/today/")),
        Page("board, all of it", get("/staff/today/?all=on")),
        Page("board, one “Arrived”", arrive),
        Page("sheets to print", get("/staff/sheets/")),
        Page("to-do list", get("/staff/to-do/")),
        Page("labels to print", get("/staff/patients/labels/")),
        Page("walk-in", get("/staff/visits/walk-in/")),
        Page("news for the calendar", get(f"/staff/calendar/changes/?since={since[:19]}Z")),
    ]


def owner_pages(clinic: "FullClinic", noon: datetime) -> list[Page]:
    """The other pages of staff, as an owner of the clinic sees them."""
    from clinic.models import Appointment, StaffRole, User

    owner = User.objects.create_user(email="owner@example.com", password=None)
    StaffRole.objects.create(user=owner, role=StaffRole.Role.OWNER)
    client = _client()
    client.force_login(owner)
    visit = Appointment.objects.filter(status="booked", start__gt=noon).select_related("patient").latest("start")
    assert visit.patient is not None
    of_patient = f"/staff/patients/{visit.patient.fhir_id}/"
    a_year = f"?first={noon.date() - timedelta(days=365):%Y-%m-%d}&last={noon:%Y-%m-%d}"
    addresses = {
        "to-do list of the clinic": "/staff/to-do/",
        "to-do list, possible duplicates": "/staff/patients/duplicates/",
        "visit": f"/staff/appointments/{visit.fhir_id}/",
        "move a visit": f"/staff/visits/{visit.fhir_id}/move/",
        "new visit": f"/staff/visits/new/?start={noon + timedelta(days=1):%Y-%m-%dT%H:%M}",
        "patient": of_patient,
        "patient's visits to print": f"{of_patient}coming/",
        "patient, details": f"{of_patient}edit/",
        "waiting list": "/staff/waiting-list/",
        "free times beside the calendar": f"/staff/waiting-list/free/?date={noon:%Y-%m-%d}&view=day",
        "referrals": "/staff/referrals/",
        "absences": "/staff/absences/",
        "messages to patients": "/staff/messages/",
        "new message": "/staff/messages/new/",
        "notices": "/staff/notices/",
        "running late": "/staff/late/",
        "payments at the desk": "/staff/payments/",
        "why it cannot be booked": "/staff/why/",
        "report of visits, four weeks": "/staff/reports/visits/",
        "report of visits, a year by week": f"/staff/reports/visits/{a_year}&by=week",
        "report of visits, a year by person": f"/staff/reports/visits/{a_year}&by=person",
        "report of time, a year by person": f"/staff/reports/time/{a_year}&by=person",
        "report of messages, a year by week": f"/staff/reports/messages/{a_year}&by=week",
        "report of the waiting list, a year": f"/staff/reports/waiting-list/{a_year}&by=week",
        "report of free times": "/staff/reports/",
        "hours": "/staff/hours/",
        "hours of a service": f"/staff/hours/services/{clinic.services[0].fhir_id}/",
        "hours of a calendar": f"/staff/hours/calendars/{clinic.calendars[0].fhir_id}/{clinic.services[0].fhir_id}/",
        "set up": "/staff/setup/",
        "set up, people": "/staff/setup/people/",
        "set up, hours": "/staff/setup/hours/",
        "set up, preview": "/staff/setup/preview/",
        "set up, accounts": "/staff/setup/accounts/",
        "what can be booked": "/staff/checklist/",
    }

    def find(typed: str) -> Callable[[], Any]:
        return lambda: client.post("/staff/patients/", {"search": typed}, headers={"HX-Request": "true"})

    return [
        *(Page(name, partial(client.get, address)) for name, address in addresses.items()),
        Page("find a patient by name", find(f"{visit.patient.given} {visit.patient.family}")),
        Page("find a patient by birth date", find("3/27/1985")),
        Page("find nobody", find("xylophonist")),
    ]


def _of_patients(clinic: "FullClinic", noon: datetime) -> list[Page]:
    address = f"/book/{clinic.services[0].fhir_id}/"
    client = _client()
    full, after = noon + timedelta(days=14), noon + timedelta(days=60)
    one = clinic.calendars[3].bookable.practitioner
    assert one is not None  # they are all of people
    addresses = {
        "times": "",
        "times, Sunday mornings": "?weekday=sun&part=morning",
        "times, a month that is nearly full": f"?month={full:%Y-%m}",
        "times, a month that is free": f"?month={after:%Y-%m}",
        "times, its mornings": f"?month={after:%Y-%m}&part=morning",
        "times, one of them who is full": f"?week={noon:%Y-%m-%d}&practitioner={one.fhir_id}",
    }
    return [Page(name, partial(client.get, address + query)) for name, query in addresses.items()]


def _client() -> Any:
    from django.test import Client

    return Client(HTTP_HOST="localhost")


def _next(day: str) -> str:
    return f"{datetime.fromisoformat(day) + timedelta(days=1):%Y-%m-%d}"


def _measured(page: Page) -> list[object]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection):  # the first writes down who is shown, and fills caches
        page.ask()
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = page.ask()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    assert answer.status_code == 200, (page.name, answer.status_code)
    with CaptureQueriesContext(connection) as captured:
        answer = page.ask()
    body = answer.content
    return [
        page.name,
        round(statistics.median(walls)),
        round(statistics.median(cpus)),
        round(len(body) / 1000),
        round(len(gzip.compress(body, 6)) / 1000),
        len(captured),
        elements_of(body.decode()) if "html" in answer.headers["Content-Type"] else "",
    ]


class _Counter(HTMLParser):
    elements = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements += 1


def elements_of(html: str) -> int:
    counter = _Counter()
    counter.feed(html)
    return counter.elements


def _vacuum() -> None:
    _connection().execute("VACUUM ANALYZE")


def _connection() -> Any:
    """The connection of psycopg below Django's."""
    from django.db import connection

    connection.ensure_connection()
    return connection.connection


def _empty() -> None:
    """The clinic of before is closed: its calendars and services are no longer given."""
    from clinic.models import HealthcareService, Schedule

    Schedule.objects.update(active=False)
    HealthcareService.objects.update(active=False)


if __name__ == "__main__":
    import_module("clinic.wsgi")  # loads the product as the web server does
    print(json.dumps(measure_pages(*map(int, sys.argv[1:]))))
