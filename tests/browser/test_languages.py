"""Pages in Spanish and German, for patients and staff, without any English word."""

import re
from datetime import datetime, time, timedelta
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic import translations
from clinic.models import Appointment, Communication, HealthcareService, Schedule
from scheduling.notifications import links
from tests.browser.conftest import DESK
from tests.factories import NEW_YORK, AppointmentFactory, EncounterFactory

ENGLISH = re.compile(r"\b(the|your|you|and|with|visits?|time|times|from|not|is|are|this|today|book|choose)\b", re.I)
DAYS = {
    "es": "lunes|martes|miércoles|jueves|viernes|sábado|domingo",
    "de": "Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag",
}
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
    """Give the services Spanish and German names: they are the clinic's own texts."""
    translations.translate(clinic.extra, "name", {"es": "Chequeo", "de": "Vorsorge"})
    clinic.comment = ""
    clinic.save()
    video = HealthcareService.objects.get(telehealth=True)
    translations.translate(video.extra, "name", {"es": "Consejo por vídeo", "de": "Videosprechstunde"})
    video.save()
    for form in clinic.questionnaires.all():
        form.title, form.item[0]["text"] = "Anamnese", "Motivo?"
        form.save()


@pytest.fixture
def left_over(page: Page):
    """Return the English texts on the visited pages."""
    found: dict[str, None] = {}

    def look(language: str = "es") -> None:
        expect(page.locator("html")).to_have_attribute("lang", language)
        page.wait_for_load_state()
        found.update(dict.fromkeys(text for text in page.evaluate(READ) if ENGLISH.search(text)))

    yield look
    assert not list(found)


def press(page: Page, role: str, name: str) -> None:
    page.get_by_role(role, name=re.compile(name)).first.click()


def go_to_a_later_day(page: Page) -> None:
    day = page.get_by_role("link", name=re.compile("freie Zeiten?$")).nth(2)
    day.click()
    expect(day).to_have_attribute("aria-current", "date")


def test_a_visit_is_booked_in_spanish(page: Page, clinic, ada, sign_in, left_over, violations):
    clinic.questionnaires.clear()
    sign_in(ada.user)
    page.goto("/")
    page.locator(".languages summary").click()
    page.get_by_role("button", name="Español").click()
    left_over()
    page.get_by_role("link", name="Chequeo").click()
    expect(page.get_by_text(re.compile(rf"({DAYS['es']}),? \d+ de ({MONTHS})", re.I)).first).to_be_attached()
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


def test_german_end_to_end(page: Page, live_server, clinic, left_over, violations):
    """A guest finds a time, holds it, answers the questions, books, moves and cancels."""
    page.context.add_cookies([{"name": "language", "value": "de", "url": live_server.url}])
    page.goto("/")
    left_over("de")
    page.get_by_role("link", name="Vorsorge").click()
    expect(page.get_by_role("heading", name="Zeit wählen")).to_be_visible()
    left_over("de")
    go_to_a_later_day(page)
    page.locator(".time").nth(3).click()
    expect(page.get_by_text("Für Sie reserviert bis")).to_be_visible()
    left_over("de")
    born = {"Tag": "27", "Monat": "3", "Jahr": "1985"}
    for label, value in {"Vornamen": "Eva", "Nachname": "Stein", **born}.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("E-Mail-Adresse").fill("eva@example.com")
    press(page, "button", "^Weiter$")
    expect(page.get_by_role("heading", name="Sehen Sie in Ihre E-Mails")).to_be_visible()
    left_over("de")
    proof = Communication.objects.get(event="proof")
    assert proof.subject.startswith("Ihr Code für ")
    page.get_by_label("Code").fill(re.search(r"\b\d{6}\b", proof.body)[0])
    press(page, "button", "^Weiter$")
    page.get_by_label("Motivo?").fill("Husten")
    left_over("de")
    press(page, "button", "^Weiter$")
    page.wait_for_url("**/confirm/")
    left_over("de")
    press(page, "button", "bestätigen$")
    expect(page.get_by_role("heading", name="Ihr Termin ist gebucht")).to_be_visible()
    left_over("de")

    visit = Appointment.objects.get()
    assert (visit.status, visit.patient.given, visit.patient.language) == ("booked", "Eva", "de")
    page.goto(urlsplit(links.manage_link(visit)).path)
    left_over("de")
    for label, value in born.items():
        page.get_by_label(label, exact=True).fill(value)
    press(page, "button", "^Einzelheiten zeigen$")
    press(page, "link", "^Andere Zeit wählen$")
    left_over("de")
    go_to_a_later_day(page)
    page.locator(".time").last.click()
    left_over("de")
    press(page, "button", "verschieben$")
    expect(page.get_by_text("Ihr Termin ist verschoben.")).to_be_visible()
    left_over("de")
    assert Appointment.objects.get().start != visit.start
    press(page, "link", "absagen$")
    left_over("de")
    press(page, "button", "absagen$")
    expect(page.get_by_text("Ihr Termin ist abgesagt.")).to_be_visible()
    left_over("de")
    assert Appointment.objects.get().status == "cancelled"
    assert not violations


@pytest.mark.parametrize("language", DAYS)
def test_the_front_desk_works_in_the_readers_language(
    page: Page, live_server, clinic, ada, site, rana, sign_in, left_over, language
):
    schedule = Schedule.objects.get()
    midnight = datetime.combine(timezone.now().astimezone(ZoneInfo(NEW_YORK)), time(), ZoneInfo(NEW_YORK))
    make = partial(AppointmentFactory, patient=ada, service=clinic, site=site, schedules=[schedule])
    for number, status in enumerate(("booked", "arrived", "checked-in", "fulfilled", "noshow")):
        start = midnight + timedelta(minutes=5 * number)
        visit = make(status=status, start=start, end=start + timedelta(minutes=5))
        if status == "arrived":
            EncounterFactory(appointment=visit, status="arrived", start=start)
    sign_in(rana)
    page.set_viewport_size(DESK)
    page.context.add_cookies([{"name": "language", "value": language, "url": live_server.url}])
    page.goto("/staff/today/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(DAYS[language], re.I))
    left_over(language)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    expect(page.locator("[data-board-toast]")).to_be_visible()
    left_over(language)
    page.keyboard.press("Enter")
    page.wait_for_url("**/appointments/**")
    left_over(language)
    for address in (
        "/staff/",
        "/staff/week/",
        "/staff/agenda/",
        "/staff/hours/",
        "/staff/visits/new/",
        "/staff/to-do/",
    ):
        page.goto(address)
        left_over(language)
