"""Accessibility of every page for each of its readers: on a phone, on a desk, and in the dark theme.

A page that is added to the portal needs a row here.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.urls import URLResolver, reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import HealthcareService, Schedule
from demo.seed.questionnaire import TRAVEL_HEALTH
from portal import urls
from scheduling.notifications import links
from tests.browser.accessibility import LOOKS, WCAG, serious, too_wide
from tests.browser.conftest import DESK, PHONE
from tests.browser.guests import say_who
from tests.factories import (
    AppointmentFactory,
    CalendarFeedFactory,
    CommunicationFactory,
    CoverageFactory,
    EncounterFactory,
    LaunchFactory,
    PatientFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    RelatedPersonFactory,
    ServiceFactory,
    SlotFactory,
    UserFactory,
)

# Name of a page, rows in its address (keys of `world`), query; "= 403" where it is refused.
GUEST = """
services
services ?q=teeth
services ?service=gone
choose-time checkup
choose-time advice ?zone=Europe/Berlin
choose-time checkup ?practitioner=nobody
choose-time checkup ?month=2027-01
choose-time nothing = 404
deep-link checkup ?time=2026-01-01T10:00:00Z~gone = 409
manage link
manage late_link
manage suggested_link
manage past_link
manage nothing = 410
manage-move link
manage-cancel link
manage-cancel late_link
unsubscribe unsubscribe
authorize ?client_id=nobody = 400
"""
PATIENT = """
services
choose-time checkup
visits
visit booked
visit video
visit open
visit late
visit requested
visit fulfilled
visit cancelled
visit nothing = 404
cancel booked
cancel late
move booked
booked booked
join video
join over
answers booked
about held
about-details held someone
questions-part held 1
coverage held
new-coverage held
confirm ready
confirm gone = 409
feeds
apps
app-stop app
family
family-add
family-change leo
family-remove leo
messages
preferences
preferences-of leo_patient
board = 403
"""
PRACTITIONER = """
day
week
month
agenda
board
worklist
staff-visit arrived
staff-visit booked
staff-visit nothing = 404
staff-cancel booked
staff-visit requested
staff-move booked
staff-suggest requested
staff-peek booked
staff-peek requested
staff-new-visit
staff-new-block
staff-block block
staff-group class ?schedule={schedule}&start={class_start}
sheets
feeds
hours
hours-edit schedule checkup
hours-settings schedule checkup
questionnaire-preview questionnaire
"""
FRONT_DESK = """
day
board
staff-visit in_room
staff-visit cancelled
staff-new-visit
hours
feeds = 403
"""
ADMINISTRATOR = """
day
board
worklist
checklist
sheets
hours
hours-edit checkup
hours-settings checkup
"""
# Pages that need steps before them: below.
BY_DOING = {"proof", "questions", "questions-stop", "details", "start", "hold"}
# Responses to forms and scripts, and files.
NO_PAGES = {
    "near", "let-go", "keep", "presence", "ics", "manage-attend", "feed", "feed-revoke", "messages-read", "sms-status",
    "send-again", "questions-save", "answer-file", "set-language", "theme",
    "calendar-choose", "calendar-events", "calendar-changes", "staff-find-patients", "staff-step", "staff-answer",
    "authorize-decide", "hours-remove", "hours-closures", "hours-closures-remove", "hours-undo", "hours-extra",
    "hours-extra-remove", "staff-restore", "staff-attendance", "answer-suggestion", "manage-suggestion",
}  # fmt: skip


@pytest.fixture
def world(clinic, ada, chen, site):
    """Rows of every kind, by the names that the tables of pages use."""
    schedule = Schedule.objects.get()
    schedule.meeting_url = "https://video.example/room"
    schedule.save()
    clinic.requires_coverage = True
    clinic.save()
    video = HealthcareService.objects.get(telehealth=True)
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    CoverageFactory(beneficiary=ada)
    leo = RelatedPersonFactory(patient=PatientFactory(given="Leo"), user=ada.user)
    now = timezone.now().replace(second=0, microsecond=0)

    def visit(ahead: timedelta, status: str = "booked", **more: Any):
        fields = {"patient": ada, "service": clinic, "site": site, "schedules": [schedule], **more}
        start = now + ahead
        return AppointmentFactory(status=status, start=start, end=start + timedelta(minutes=20), **fields)

    def held(ahead: timedelta, ends: timedelta, **more: Any):
        return visit(ahead, "pending", hold_expires_at=now + ends, **more)

    day, hour = timedelta(days=1), timedelta(hours=1)
    things = {
        "booked": visit(3 * day),
        "video": visit(4 * day, service=video),
        "open": visit(hour / 12, service=video),
        "over": visit(-3 * hour, service=video),
        "late": visit(2 * hour),
        "fulfilled": visit(-9 * day, "fulfilled"),
        "missed": visit(-20 * day, "noshow"),
        "cancelled": visit(5 * day, "cancelled", schedules=[]),
        "requested": visit(10 * day, "pending"),
        "leos": visit(6 * day, patient=leo.patient),
        "held": held(7 * day, hour),
        "ready": held(8 * day, hour, service=video),
        "gone": held(9 * day, -hour),
        "arrived": visit(-hour, "arrived", patient=PatientFactory()),
        "in_room": visit(-2 * hour, "checked-in", patient=PatientFactory()),
        "block": SlotFactory(schedule=schedule, status="busy-unavailable", start=now + 4 * hour, comment="Lunch"),
        "leo": leo,
        "leo_patient": leo.patient,
        "checkup": clinic,
        "advice": video,
        "schedule": schedule,
        "questionnaire": QuestionnaireFactory(item=TRAVEL_HEALTH),
    }
    held(11 * day, 40 * hour, suggested_for=things["requested"])
    group = ServiceFactory(name="Back class", capacity=8)
    schedule.services.add(group)
    start = now + 6 * hour
    for seat in range(2):
        one = visit(6 * hour, service=group, patient=PatientFactory(), schedules=[])
        SlotFactory(schedule=schedule, appointment=one, start=one.start, end=one.end, seat=seat)
    EncounterFactory(appointment=things["arrived"], status="arrived", start=now - hour)
    QuestionnaireResponseFactory(appointment=things["booked"])
    CommunicationFactory(appointment=things["booked"], status="not-done", attempts=5, status_reason="No such number")
    CommunicationFactory(appointment=things["booked"], medium="in-app", status="completed", sent=now, body="Booked.")
    CalendarFeedFactory(patient=ada)
    app = LaunchFactory(user=ada.user, patient=ada, scope="patient/Appointment.cruds offline_access").application

    def path(link: str) -> str:
        return link.removeprefix(settings.SITE_URL).split("/")[2]

    return {name: thing.fhir_id for name, thing in things.items()} | {
        "link": path(links.manage_link(things["booked"])),
        "late_link": path(links.manage_link(things["late"])),
        "suggested_link": path(links.manage_link(things["requested"])),
        "past_link": path(links.manage_link(things["over"])),
        "unsubscribe": path(links.unsubscribe_link(ada)),
        "someone": "someone",
        "app": app.client_id,
        "class": group.fhir_id,
        "class_start": quote(start.isoformat()),
    }


class Looker:
    """Checks pages and collects their findings. Animations are off meanwhile."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))

    def open(self, address: str, status: int = 200) -> None:
        """Check the page on a phone, and on a desk in the dark theme by the rules that can differ there."""
        self.page.set_viewport_size(PHONE)
        answer = self.page.goto(address)
        if answer is None or answer.status != status:
            self.problems.append(f"{address}: {answer and answer.status} {self.page.url}")
        self.look()
        self.page.set_viewport_size(DESK)
        self.page.emulate_media(color_scheme="dark")
        self.look(LOOKS)
        self.page.emulate_media(color_scheme="light")

    def look(self, rules: dict[str, Any] = WCAG) -> None:
        """Check the page as it is now."""
        self.page.wait_for_load_state()
        where = f"{self.page.url} ({self.page.viewport_size})"
        self.problems += [f"{where}: {each}" for each in (*self._frame(), *serious(self.page, rules))]

    def _frame(self) -> Iterator[str]:
        if self.page.locator("h1").count() != 1:
            yield "not one h1"
        if not self.page.title().removesuffix("Riverside Clinic").strip(" \N{EN DASH}"):
            yield "no title"
        for landmark in ("banner", "main", "contentinfo"):
            if self.page.get_by_role(landmark).count() != 1:
                yield f"not one {landmark}"
        yield from too_wide(self.page)


def rows(table: str, world: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Return the addresses of a table, and the expected status of each."""
    for line in filter(None, table.splitlines()):
        words, _equals, status = line.partition(" = ")
        name, *named = words.split()
        query = named.pop() if named and named[-1].startswith("?") else ""
        address = reverse(f"portal:{name}", args=[world.get(each, each) for each in named])
        yield address + query.format_map(world), int(status or 200)


@pytest.fixture
def looker(page: Page, violations) -> Iterator[Looker]:
    page.emulate_media(reduced_motion="reduce")
    looker = Looker(page)
    yield looker
    assert not looker.problems, "\n".join(looker.problems)
    assert not violations


def names(patterns=urls.urlpatterns) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from names(each.url_patterns)
        else:
            yield each.name


@pytest.mark.django_db(transaction=False)
def test_every_address_is_looked_at_here():
    tables = (GUEST, PATIENT, PRACTITIONER, FRONT_DESK, ADMINISTRATOR)
    looked_at = {line.split()[0] for table in tables for line in filter(None, table.splitlines())}
    assert looked_at | BY_DOING | NO_PAGES == set(names())
    assert not looked_at & NO_PAGES


def test_as_a_guest(looker: Looker, world):
    for address, status in rows(GUEST, world):
        looker.open(address, status)
    page = looker.page
    times = reverse("portal:choose-time", args=[world["checkup"]])
    page.goto(times)
    time = page.locator(".first__time").first.get_attribute("value")
    page.route("**/hold-at-once.js", lambda route: route.fulfill(body=""))  # it goes on before anybody could look
    looker.open(f"{reverse('portal:deep-link', args=[world['checkup']])}?time={time}")
    page.goto(times)
    page.locator(".first__time").first.click()
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    looker.look()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_focused()
    looker.look()
    say_who(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    looker.look()
    page.goto(f"/v/{world['link']}/")
    for label, number in (("Day", "4"), ("Month", "7"), ("Year", "1990")):
        page.get_by_label(label).fill(number)
    page.get_by_role("button", name="Show the details").click()
    expect(page.get_by_role("heading", name="See the details")).to_have_count(0)
    looker.look()


def test_as_a_patient(looker: Looker, world, ada, sign_in):
    sign_in(ada.user)
    for address, status in rows(PATIENT, world):
        looker.open(address, status)
    looker.page.goto("/calendars/")
    looker.page.get_by_role("button", name="Create another address").click()
    expect(looker.page.get_by_label("Your new address")).to_be_visible()
    looker.look()
    looker.page.goto(f"/appointments/{world['booked']}/move/")
    looker.page.locator(".first__time").first.click()
    expect(looker.page.get_by_role("heading", name="Move your visit?")).to_be_visible()
    looker.look()


def test_as_one_who_lets_an_app_in(looker: Looker, world, ada, sign_in, live_server):
    query = {
        "response_type": "code",
        "client_id": world["app"],
        "redirect_uri": "https://app.example.org/back",
        "scope": "launch/patient openid fhirUser patient/*.rs patient/Appointment.cruds offline_access",
        "aud": f"{live_server.url}/fhir/R4",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    sign_in(ada.user)
    looker.open(f"{reverse('portal:authorize')}?{urlencode(query)}")
    looker.page.get_by_label("Leo").check()
    looker.page.get_by_role("button", name="Continue").click()
    expect(looker.page.get_by_role("heading", name="Give Visit Buddy access?")).to_be_visible()
    looker.look()
    looker.open(looker.page.url)


def test_as_one_who_answers_an_alarm(looker: Looker, world, clinic, ada, sign_in):
    clinic.questionnaires.set([QuestionnaireFactory(item=TRAVEL_HEALTH)])
    sign_in(ada.user)
    looker.page.goto(f"/appointments/{world['held']}/questions/")
    looker.page.get_by_label("Yes, and I have it now").check()
    looker.page.get_by_role("button", name="Continue").click()
    expect(looker.page.get_by_role("heading", name="Please stop and read this")).to_be_visible()
    looker.look()


def test_as_one_whose_account_is_new(looker: Looker, sign_in):
    sign_in(UserFactory())
    looker.open("/details/")
    looker.open("/appointments/")
    looker.open("/family/")


@pytest.mark.parametrize(
    ("table", "who"),
    [
        pytest.param(PRACTITIONER, lambda it: it("chen").user, id="practitioner"),
        pytest.param(FRONT_DESK, lambda it: it("rana"), id="front desk"),
        pytest.param(ADMINISTRATOR, lambda it: UserFactory(is_superuser=True), id="administrator"),
    ],
)
def test_as_staff(looker: Looker, world, request, sign_in, table: str, who: Callable):
    sign_in(who(request.getfixturevalue))
    for address, status in rows(table, world):
        looker.open(address, status)
