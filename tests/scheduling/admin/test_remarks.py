"""Problems that prevent bookings, named in the admin with a link to the page that mends each."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from clinic.models import HealthcareService, Location, Schedule
from tests.clinic.admin.pages import errors, inline, url
from tests.factories import EVERY_DAY, NEW_YORK, LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory

SERVICE = {
    "active": "on",
    "name": "Check-up",
    "bookable_by": "patients",
    "eligibility": "everyone",
    "minimum_notice": "0",
    "cancellation_notice": "0",
    "check_in_after": "00:15:00",
    "late_refund": "0",
    "course_weeks": "1",
    "course_days": "1",
    "waitlist_order": "longest",
}


@pytest.fixture
def riverside(db):
    return LocationFactory(name="Riverside", line="1 Main Street", city="New York", phone="+1 212 555 0100")


def messages_of(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def on_page(browser, row):
    return [str(remark.html) for remark in browser.get(url(type(row), "change", row.pk)).context["remarks"]]


def test_a_service_is_told_what_is_missing_until_it_can_be_booked(desk, riverside):
    hours = inline("scheduling_parameters", duration="30", alignment_interval="60", availability="mon-sun 09:00-17:00")
    saved = desk.post(url(HealthcareService, "add"), SERVICE | hours)
    assert saved.status_code == 302, errors(saved)
    service = HealthcareService.objects.get()
    schedules = reverse("admin:clinic_schedule_changelist")
    missing = f'No schedule offers it. Add it to the services of a schedule. <a href="{schedules}">Open Schedules</a>'
    assert missing in messages_of(saved)
    assert on_page(desk, service) == [missing]

    ScheduleFactory(services=[service], site=riverside)
    good, doubt = on_page(desk, service)
    assert good.startswith("It can be booked. First free time: ")
    assert good.endswith("AM (New York time).") or good.endswith("PM (New York time).")
    assert doubt.startswith("Half of the time cannot be booked: a visit takes 30 minutes")
    assert "<a " not in doubt  # this page mends it


def test_a_schedule_without_a_site_or_a_zone_says_so(desk, riverside):
    service = ServiceFactory(name="Check-up", hours=EVERY_DAY)
    person = PractitionerFactory(timezone="")
    data = {"active": "on", "practitioner": person.pk, "services": [service.pk]}
    saved = desk.post(url(Schedule, "add"), data | inline("scheduling_parameters"))
    assert saved.status_code == 302, errors(saved)
    schedule = Schedule.objects.get()
    text = f"Check-up: {person}: It has no site, and so no time zone. Choose the site of the schedule."
    assert text in messages_of(saved)
    assert on_page(desk, schedule) == [text]

    schedule.site = riverside
    schedule.save()
    assert on_page(desk, schedule) == []


def test_a_schedule_without_services_says_so(desk, riverside):
    schedule = ScheduleFactory(services=[], site=riverside)
    assert on_page(desk, schedule) == ["It gives no active service, so nothing can be booked on it. Add services."]


def test_a_site_keeps_a_clock(desk, riverside):
    form = desk.get(url(Location, "add")).context["adminform"].form
    assert form["timezone"].value() == NEW_YORK  # the clinic's

    refused = desk.post(url(Location, "add"), {"status": "active", "name": "Lakeside", "timezone": ""})
    assert errors(refused) == ["A site needs the time zone of its clocks, such as America/New_York."]
    data = {"status": "active", "name": "Lakeside", "timezone": "America/Chicago"}
    saved = desk.post(url(Location, "add"), data)
    assert saved.status_code == 302, errors(saved)
    site = Location.objects.get(name="Lakeside")
    assert [text.partition(",")[0] for text in on_page(desk, site)] == [
        "Its address is not complete",
        "It has no phone number",
    ]
    assert len(messages_of(saved)) == 3  # Django's error, and both errors


def test_a_room_keeps_its_sites_clock(desk, riverside):
    data = {"status": "active", "name": "Room 1", "part_of": riverside.pk, "timezone": NEW_YORK}
    saved = desk.post(url(Location, "add"), data)
    assert saved.status_code == 302, errors(saved)
    room = Location.objects.get(name="Room 1")
    assert room.timezone == ""
    assert on_page(desk, room) == []


def test_a_planning_horizon_that_ends_before_it_starts_is_refused_at_its_end(desk, riverside):
    schedule = ScheduleFactory(site=riverside)
    data = {"active": "on", "planning_start_0": "2026-07-01", "planning_start_1": "08:00"}
    data |= {"planning_end_0": "2026-07-01", "planning_end_1": "08:00"}
    refused = desk.post(url(Schedule, "change", schedule.pk), data | inline("scheduling_parameters"))
    assert refused.context["adminform"].form.errors == {"planning_end": ["It ends before it starts."]}


def test_the_first_page_leads_to_the_checklist(desk):
    assert reverse("portal:checklist") in desk.get(reverse("admin:index")).content.decode()
