"""The calendars of the people who work at the clinic."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    ScheduleFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def noon():
    zone = ZoneInfo(NEW_YORK)
    return datetime.combine(timezone.now().astimezone(zone).date(), time(12), zone)


@pytest.fixture
def visit(schedule, checkup, site, noon):
    patient = PatientFactory(given="Elena", family="Marquez")
    end = noon + timedelta(minutes=30)
    return AppointmentFactory(
        patient=patient, service=checkup, start=noon, end=end, schedules=[schedule], site=site, status="arrived"
    )


@pytest.mark.parametrize("page", ["/staff/", "/staff/week/"])
def test_a_practitioner_sees_their_own_calendar(client, chen, visit, page):
    client.force_login(chen.user)
    answer = client.get(page)
    for words in ("Elena Marquez", "Check-up", "Arrived", "New York time", "Now, "):
        assertContains(answer, words)


@pytest.mark.parametrize("page", ["/staff/", "/staff/week/"])
def test_patients_do_not(as_ada, visit, page):
    assert as_ada.get(page).status_code == 403


def test_nor_does_anyone_who_is_not_signed_in(client):
    assert client.get("/staff/").url.startswith("/accounts/login/")


def test_holds_blocks_and_buffers_are_told_apart(client, chen, schedule, visit, noon):
    later = noon + timedelta(hours=2)
    expires = timezone.now() + timedelta(minutes=5)
    held = {"status": "pending", "hold_expires_at": expires, "schedules": [schedule]}
    AppointmentFactory(start=later, service=visit.service, **held)
    SlotFactory(schedule=schedule, status="busy-unavailable", start=noon - timedelta(hours=2), comment="Lunch")
    SlotFactory(schedule=schedule, status="busy-unavailable", start=visit.end, appointment=visit)
    client.force_login(chen.user)
    page = client.get("/staff/")
    kinds = [entry.kind for entry in page.context["days"][0].entries]
    assert kinds == ["block", "visit", "buffer", "hold"]
    assertContains(page, "Lunch")
    assertContains(page, f"until {expires.astimezone(ZoneInfo(NEW_YORK)):%H:%M}")


def test_an_expired_hold_takes_no_time(client, chen, schedule, checkup, noon):
    over = timezone.now() - timedelta(minutes=5)
    AppointmentFactory(start=noon, service=checkup, status="pending", hold_expires_at=over, schedules=[schedule])
    client.force_login(chen.user)
    assert not client.get("/staff/").context["days"][0].entries


def test_the_front_desk_sees_the_calendars_of_its_site_alone(client, rana, visit, schedule, checkup):
    elsewhere = ScheduleFactory(services=[checkup], site=LocationFactory(name="Elsewhere"))
    client.force_login(rana)
    page = client.get("/staff/")
    assertContains(page, "Elena Marquez")
    assertNotContains(page, "Elsewhere")
    assert client.get("/staff/", {"schedule": elsewhere.fhir_id}).status_code == 404


def test_a_colleagues_calendar_is_not_theirs_to_see(client, chen, schedule, checkup, site):
    colleague = ScheduleFactory(services=[checkup], site=site)
    client.force_login(chen.user)
    assert client.get("/staff/", {"schedule": colleague.fhir_id}).status_code == 404


def test_an_administrator_chooses_any(client, visit, schedule):
    client.force_login(UserFactory(is_superuser=True))
    assertContains(client.get("/staff/", {"schedule": schedule.fhir_id}), "Elena Marquez")


def test_whoever_has_no_calendar_yet_is_told_how_to_get_one(client, chen):
    client.force_login(chen.user)
    assertContains(client.get("/staff/"), "No calendar yet")


def test_days_and_weeks_lead_on(client, chen, schedule):
    client.force_login(chen.user)
    day = client.get("/staff/", {"date": "2026-11-30"})
    assertContains(day, "Monday 30 November 2026")
    assertContains(day, "date=2026-12-01")
    week = client.get("/staff/week/", {"date": "2026-12-02"})
    assertContains(week, "Week of Monday 30 November 2026")
    assert len(week.context["days"]) == 7


def test_it_asks_as_much_for_a_full_week_as_for_an_empty_one(
    client, chen, schedule, checkup, noon, django_assert_num_queries
):
    for hour in range(8):
        start = noon + timedelta(minutes=30 * hour)
        AppointmentFactory(service=checkup, start=start, end=start + timedelta(minutes=30), schedules=[schedule])
    client.force_login(chen.user)
    with django_assert_num_queries(8):
        client.get("/staff/week/")
