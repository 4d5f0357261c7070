"""The administration reads and shows all times in the clinic's zone, and the times of a visit in its site's zone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from clinic.models import Appointment, AuditEvent, Encounter, Schedule, Slot
from tests.clinic.admin.pages import errors, inline, url
from tests.factories import (
    AppointmentFactory,
    AuditEventFactory,
    EncounterFactory,
    LocationFactory,
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)

NOON = datetime(2026, 7, 1, 16, 0, 5, tzinfo=UTC)  # in New York
IN_UTC = re.compile(r"\bUTC\b|(?<![\d:])16:00")  # the random token of a form and a minute of now can have them inside


@pytest.fixture
def chicago(site):
    """A site in another zone than most sites."""
    LocationFactory()
    return LocationFactory(name="Lakeside", timezone="America/Chicago")


def visit_at(site):
    start = NOON.replace(second=0)
    return AppointmentFactory(
        patient=PatientFactory(),
        service=ServiceFactory(name="Check-up"),
        site=site,
        start=start,
        end=start + timedelta(minutes=30),
        status="booked",
    )


def test_a_visits_name_has_the_clock_of_its_site(site, chicago):
    assert str(visit_at(site)) == "Check-up, Wed, Jul 1, 2026, 12:00 – 12:30 PM (New York time)"
    assert str(visit_at(chicago)) == "Check-up, Wed, Jul 1, 2026, 11:00 – 11:30 AM (Chicago time)"
    assert str(visit_at(None)) == "Check-up, Wed, Jul 1, 2026, 12:00 – 12:30 PM (New York time)"


def test_slots_and_audit_events_are_named_by_the_clock_too(site, chicago):
    schedule = ScheduleFactory(site=chicago, comment="Lunch")
    start = NOON.replace(second=0)
    slot = SlotFactory(schedule=schedule, start=start, end=start + timedelta(hours=1))
    assert str(slot) == "Lunch: busy, Wed, Jul 1, 2026, 11:00 AM – 12:00 PM (Chicago time)"
    event = AuditEventFactory(subtype="book", recorded=NOON)
    assert str(event) == "book, July 1, 2026, 12:00:05 PM (New York time)"


@pytest.mark.parametrize(("country", "text"), [("US", "12:00:05 PM"), ("GB", "12:00:05 (New York")])
def test_seconds_are_written_as_in_the_country(site, settings, country, text):
    settings.CLINIC_COUNTRY = country
    assert text in str(AuditEventFactory(recorded=NOON))


def test_no_page_is_in_utc(desk, site, chicago):
    visit = visit_at(chicago)
    encounter = EncounterFactory(appointment=visit, patient=visit.patient, start=NOON, status="in-progress")
    event = AuditEventFactory(recorded=NOON, appointment=visit)
    pages = [
        *(url(model, "changelist") for model in (Appointment, AuditEvent, Encounter, Slot)),
        url(Appointment, "change", visit.pk),
        url(Encounter, "change", encounter.pk),
        url(AuditEvent, "change", event.pk),
    ]
    for page in pages:
        html = desk.get(page).content.decode()
        assert not IN_UTC.search(html), page
        assert "Times are in the clinic\u2019s time zone: New York time." in html
    assert "11:00 – 11:30 AM (Chicago time)" in desk.get(url(Appointment, "change", visit.pk)).content.decode()
    assert 'value="12:00:05 PM"' in desk.get(url(Encounter, "change", encounter.pk)).content.decode()


def test_a_typed_time_is_read_in_the_zone_that_is_shown(desk, site):
    schedule = ScheduleFactory(site=site)
    data = {
        "active": "on",
        "site": site.pk,
        "services": [each.pk for each in schedule.services.all()],
        "planning_start_0": "2026-07-01",
        "planning_start_1": "08:00",
        "planning_end_0": "2026-12-01",
        "planning_end_1": "08:00",
    }
    response = desk.post(url(Schedule, "change", schedule.pk), data | inline("scheduling_parameters"))
    assert response.status_code == 302, errors(response)
    schedule.refresh_from_db()
    assert schedule.planning_start == datetime(2026, 7, 1, 12, tzinfo=UTC)  # 8:00 in New York in summer
    assert schedule.planning_end == datetime(2026, 12, 1, 13, tzinfo=UTC)  # and in winter
    page = desk.get(url(Schedule, "change", schedule.pk)).content.decode()
    assert page.count('value="08:00:00 AM"') >= 2


def test_the_zone_of_the_clinic_can_be_set(desk, settings, site):
    settings.CLINIC_TIME_ZONE = "Europe/Vienna"
    AuditEventFactory(recorded=NOON)
    assert "6:00:05 PM (Vienna time)" in desk.get(url(AuditEvent, "changelist")).content.decode()
    assert "Vienna time" in desk.get(reverse("admin:index")).content.decode()
