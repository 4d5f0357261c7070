"""Links that add a visit to a calendar on the web, on the visit's page and in its emails."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils.translation import override
from icalendar import Calendar

from scheduling import notifications
from scheduling.facts import VisitFacts
from tests.factories import AppointmentFactory, CommunicationFactory, LocationFactory, PatientFactory, ServiceFactory
from tests.scheduling.notifications.messages import deliver

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)  # 1:30 for the second time in New York: the clocks have gone back
NAMES = ["Google Calendar", "Outlook.com", "Microsoft 365"]


@pytest.fixture
def visit(db, settings):
    settings.CLINIC_NAME = "Riverside & Sons"
    site = LocationFactory(name="Main Street", timezone=NEW_YORK.key)
    patient = PatientFactory(given="Ada", family="Quinn", email="ada@example.com")
    service = ServiceFactory(name="Oncology", preparation="Bring your results.")
    return AppointmentFactory(patient=patient, service=service, site=site, start=START, end=START + timedelta(hours=1))


def parameters(visit, zone=NEW_YORK):
    links = notifications.calendar_links(VisitFacts(visit, zone))
    assert [link.name for link in links] == NAMES
    return [{name: value for name, [value] in parse_qs(urlsplit(link.address).query).items()} for link in links]


def test_they_have_the_instants_of_the_visit_and_the_title_and_place_of_its_file(visit):
    file = notifications.calendar_of([visit], now=NOW, zones={visit.pk: NEW_YORK})
    [event] = Calendar.from_ical(file).walk("VEVENT")
    google, live, office = parameters(visit)
    assert google["text"] == live["subject"] == str(event["SUMMARY"]) == "Visit at Riverside & Sons"
    assert google["location"] == live["location"] == str(event["LOCATION"])
    assert (google["dates"], google["ctz"]) == ("20261101T063000Z/20261101T073000Z", "America/New_York")
    assert (live["startdt"], live["enddt"]) == ("2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z")
    assert live == office


def test_others_who_run_a_calendar_learn_nothing_else_of_the_visit(visit):
    addresses = " ".join(link.address for link in notifications.calendar_links(VisitFacts(visit, NEW_YORK)))
    secrets = ["Oncology", "results", "Ada", "Quinn", "/v/", visit.fhir_id, VisitFacts(visit, NEW_YORK).reference]
    assert [secret for secret in secrets if secret in addresses] == []
    assert "+" not in addresses  # Outlook shows it as it is, instead of a space


def test_the_clinic_chooses_the_title(visit, settings):
    settings.CALENDAR_TITLE = "Busy"
    file = notifications.calendar_of([visit], now=NOW, zones={visit.pk: NEW_YORK})
    [event] = Calendar.from_ical(file).walk("VEVENT")
    assert {str(event["SUMMARY"]), parameters(visit)[0]["text"], parameters(visit)[1]["subject"]} == {"Busy"}


def test_they_are_in_the_readers_language(visit):
    with override("es"):
        assert parameters(visit)[0]["text"] == "Cita en Riverside & Sons"


@pytest.mark.parametrize(("event", "status", "are_there"), [
    ("confirmation", "booked", True),
    ("reminder", "booked", True),
    ("cancellation", "cancelled", False),
])  # fmt: skip
def test_an_email_of_a_booked_visit_has_them(visit, event, status, are_there):
    visit.status = status
    visit.save()
    CommunicationFactory(
        appointment=visit,
        patient=visit.patient,
        event=event,
        occasion=f"{visit.sequence}-7200",
        address="ada@example.com",
        due=NOW,
    )
    deliver(NOW)
    [letter] = mail.outbox
    html = str(letter.alternatives[0].content)
    for name in NAMES:
        assert (name in letter.body, name in html) == (are_there, are_there)
    assert ("https://calendar.google.com/calendar/render?" in letter.body) == are_there
