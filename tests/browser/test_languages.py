"""Pages in Spanish, for patients and staff, without any English word."""

import re
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Appointment, HealthcareService, Schedule
from tests.browser.conftest import DESK
from tests.factories import AppointmentFactory, EncounterFactory

ENGLISH = re.compile(r"\b(the|your|you|and|with|visits?|time|times|from|not|is|are|this|today|book|choose)\b", re.I)
DAYS = "lunes|martes|miércoles|jueves|viernes|sábado|domingo"
MONTHS = "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
# All visible and spoken text: text nodes, and attributes that replace them.
READ = """() => {
  const spoken = [...document.querySelectorAll("[aria-label], [placeholder], [title]")]
    .flatMap((each) => ["aria-label", "placeholder", "title"].map((name) => each.getAttribute(name)));
  const shown = [...document.body.querySelectorAll("*")].filter((each) => !each.closest("script, [lang=en]"))
    .flatMap((each) => [...each.childNodes].map((node) => (node.nodeType === Node.TEXT_NODE ? node.data : "")));
  return [document.title, ...spoken, ...shown].filter(Boolean).map((each) => each.trim()).filter(Boolean);
}"""


@pytest.fixture(autouse=True)
def what_the_clinic_wrote_itself(clinic):
    """Give the services Spanish names: they are the clinic's own texts."""
    clinic.questionnaires.clear()
    clinic.name, clinic.comment = "Chequeo", "Una primera revisión."
    clinic.save()
    HealthcareService.objects.filter(telehealth=True).update(name="Consejo por vídeo")


@pytest.fixture
def left_over(page: Page):
    """Return the English texts on the visited pages."""
    found: dict[str, None] = {}

    def look() -> None:
        expect(page.locator("html")).to_have_attribute("lang", "es")
        page.wait_for_load_state()
        found.update(dict.fromkeys(text for text in page.evaluate(READ) if ENGLISH.search(text)))

    yield look
    assert not list(found)


def press(page: Page, role: str, name: str) -> None:
    page.get_by_role(role, name=re.compile(name)).first.click()


def test_a_visit_is_booked_in_spanish(page: Page, clinic, ada, sign_in, left_over, violations):
    sign_in(ada.user)
    page.goto("/")
    page.get_by_role("button", name="Español").click()
    left_over()
    page.get_by_role("link", name="Chequeo").click()
    expect(page.get_by_text(re.compile(rf"({DAYS}),? \d+ de ({MONTHS})", re.I)).first).to_be_attached()
    left_over()
    page.locator(".first__time").first.click()
    page.wait_for_url("**/confirm/")
    left_over()
    press(page, "button", "^Confirmar ")
    page.wait_for_url("**/booked/")
    left_over()
    visit = Appointment.objects.get()
    assert visit.status == "booked"
    for address in ("", "move/", "cancel/"):
        page.goto(f"/appointments/{visit.fhir_id}/{address}")
        left_over()
    for address in ("/appointments/", "/family/", "/family/add/", "/messages/", "/preferences/", "/calendars/"):
        page.goto(address)
        left_over()
    ada.refresh_from_db()
    assert ada.language == "es"
    assert not violations


def test_the_front_desk_works_in_spanish(page: Page, live_server, clinic, ada, site, rana, sign_in, left_over):
    schedule, now = Schedule.objects.get(), timezone.now()
    make = partial(AppointmentFactory, patient=ada, service=clinic, site=site, schedules=[schedule])
    for number, status in enumerate(("booked", "arrived", "checked-in", "fulfilled", "noshow")):
        start = now - timedelta(minutes=30 - 5 * number)
        visit = make(status=status, start=start, end=start + timedelta(minutes=5))
        if status == "arrived":
            EncounterFactory(appointment=visit, status="arrived", start=start)
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.context.add_cookies([{"name": "language", "value": "es", "url": live_server.url}])
    page.goto("/staff/today/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(rf"({DAYS})", re.I))
    left_over()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    expect(page.locator("[data-board-toast]")).to_be_visible()
    left_over()
    page.keyboard.press("Enter")
    page.wait_for_url("**/appointments/**")
    left_over()
    for address in (
        "/staff/",
        "/staff/week/",
        "/staff/agenda/",
        "/staff/hours/",
        "/staff/visits/new/",
        "/staff/to-do/",
    ):
        page.goto(address)
        left_over()
