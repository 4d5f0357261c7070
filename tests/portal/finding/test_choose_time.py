"""Choosing a time, without JavaScript and as htmx asks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import HealthcareService, Patient, Slot
from tests.factories import (
    EVERY_DAY,
    AppointmentFactory,
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)

pytestmark = pytest.mark.django_db


def address(service):
    return f"/book/{service.fhir_id}/"


def busy(schedule, start, days):
    """Take all of a schedule's time."""
    return SlotFactory(schedule=schedule, start=start, end=start + timedelta(days=days), status="busy-unavailable")


def button_of(page, value):
    """Return the accessible name of a time's button."""
    found = page.content.decode().split(f'class="time" type="submit" name="time" value="{value}"')[1]
    return " ".join(found.split("</button>")[0].split())


@pytest.fixture
def okafor(checkup, site):
    """A colleague at the same site."""
    practitioner = PractitionerFactory(given="Ada", family="Okafor")
    practitioner.schedule = ScheduleFactory(actor=practitioner, services=[checkup], site=site)
    return practitioner


def test_anyone_sees_the_first_times_and_a_week(client, checkup, schedule, ten):
    page = client.get(address(checkup), {"date": ten.date()})
    assert len(page.context["free_days"].first_available) == 3
    assert len(page.context["free_days"].days) == 7
    assertContains(page, "First available")
    assertContains(page, "All times are in New York time.")
    assertContains(page, "31 free times")
    for part in ("Morning", "Afternoon"):
        assertContains(page, part)


def test_each_time_says_day_zone_and_practitioner(client, checkup, schedule, ten, button_value):
    button = button_of(client.get(address(checkup), {"date": ten.date()}), button_value)
    assert f"{ten:%A}, {ten:%B} {ten.day}," in button
    assert "10:00 AM" in button
    assert "New York time, with Dr. Mei Chen" in button


def test_the_first_free_day_is_opened(client, checkup, schedule):
    now = timezone.now()
    busy(schedule, now - timedelta(days=1), 3)
    free_days = client.get(address(checkup)).context["free_days"]
    assert free_days.opened.date == free_days.first_available[0].start.date()


def test_the_week_of_the_first_free_time_is_shown(client, checkup, schedule):
    busy(schedule, timezone.now() - timedelta(days=1), 20)
    free_days = client.get(address(checkup)).context["free_days"]
    assert free_days.opened.date == free_days.first_available[0].start.date()
    assert free_days.first > timezone.now().date() + timedelta(days=7)


def test_a_later_week_is_a_link_away(client, checkup, schedule):
    free_days = client.get(address(checkup)).context["free_days"]
    later = client.get(address(checkup), {"week": free_days.following})
    assert later.context["free_days"].first == free_days.following
    assert later.context["free_days"].previous == free_days.first
    assert free_days.previous is None


def test_a_week_without_times_leads_to_the_next_that_has_any(client, checkup, schedule):
    now = timezone.now()
    busy(schedule, now - timedelta(days=1), 20)
    page = client.get(address(checkup), {"week": now.date()})
    assertContains(page, "No free times this week")
    assert page.context["free_days"].next_free.start > now + timedelta(days=18)
    assertContains(page, "Go to ")
    assertContains(page, "(212) 555-0100")


def test_a_day_without_times_says_so(client, checkup, schedule, ten):
    busy(schedule, ten - timedelta(hours=10), 1)
    page = client.get(address(checkup), {"week": timezone.now().date(), "date": ten.date()})
    assertContains(page, "There is no free time on")


def test_no_further_than_the_visit_can_be_booked(client, checkup, schedule):
    checkup.booking_horizon_days = 5
    checkup.save()
    page = client.get(address(checkup))
    assert page.context["free_days"].following is None
    assertNotContains(page, "Next week")
    beyond = client.get(address(checkup), {"week": "9999-12-31"})
    assert beyond.context["free_days"].first <= timezone.now().date() + timedelta(days=5)


def test_it_offers_someone_else_where_the_one_asked_for_is_full(client, checkup, schedule, chen, okafor):
    busy(schedule, timezone.now() - timedelta(days=1), 20)
    page = client.get(address(checkup), {"week": timezone.now().date(), "practitioner": chen.fhir_id})
    assertContains(page, "Free with someone else")
    assertContains(page, "Dr. Ada Okafor: ")
    assertContains(page, "Without “Dr. Mei Chen”")


def test_it_offers_someone_else_where_the_one_asked_for_is_full_for_good(client, checkup, schedule, chen, okafor):
    busy(schedule, timezone.now() - timedelta(days=1), 400)
    page = client.get(address(checkup), {"practitioner": chen.fhir_id})
    assertContains(page, "There is no free time with these filters in the next few months.")
    assertContains(page, "Dr. Ada Okafor: ")


def test_all_free_practitioners_of_a_time_are_shown(client, checkup, schedule, okafor):
    opened = client.get(address(checkup)).context["free_days"].opened
    assert {choice.with_whom for choice in opened.times} == {"Dr. Mei Chen", "Dr. Ada Okafor"}
    assert opened.count == len(opened.times)


def test_in_a_crowd_each_time_stands_once(client, checkup, schedule, site, ten):
    for _ in range(7):
        ScheduleFactory(services=[checkup], site=site)
    page = client.get(address(checkup), {"date": ten.date()})
    opened = page.context["free_days"].opened
    assert opened.count == len(opened.times) == 31
    assertContains(page, "Each time is with whoever is free first.")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"practitioner": "nobody"}, "The practitioner you asked for does not offer this visit here."),
        ({"location": "nowhere"}, "This visit is not offered at the place you asked for."),
    ],
)
def test_an_unknown_practitioner_is_reported_and_all_are_shown(client, checkup, schedule, query, text):
    page = client.get(address(checkup), query)
    assertContains(page, text)
    assert page.context["free_days"].count


def test_every_time_is_shown_in_the_zone_of_its_own_site(client, checkup, schedule):
    coast = LocationFactory(name="Harbour", timezone="America/Los_Angeles")
    colleague = PractitionerFactory(timezone="America/Los_Angeles")
    ScheduleFactory(actor=colleague, services=[checkup], site=coast)
    page = client.get(address(checkup))
    assertContains(page, "Each time is in its site\u2019s time zone")
    times = page.context["free_days"].opened.times
    assert {choice.where: choice.zone for choice in times}["Harbour"] == ZoneInfo("America/Los_Angeles")
    assert all(choice.start.hour >= 9 for choice in times)


@pytest.mark.parametrize("month", ["", "2026-13", "9999-12", "1066-10"])
def test_invalid_parameters_are_ignored(client, checkup, schedule, month):
    query = {"week": "soon", "date": "2026-13-77", "month": month, "zone": "Mars/Base", "practitioner": "", "part": "x"}
    page = client.get(address(checkup), query)
    assert page.status_code == 200
    free_days = page.context["free_days"]
    assert free_days.opened.times if free_days.opened else free_days.next_free  # on the last evening of a month


def test_a_visit_that_nobody_gives_says_so(client):
    assertContains(client.get(address(ServiceFactory())), "There is no free time for this visit")


@pytest.mark.parametrize(
    "fields", [{"active": False}, {"bookable_by": "staff"}, {"deleted_at": datetime(2026, 1, 1, tzinfo=UTC)}]
)
def test_a_service_that_patients_cannot_book_is_missing(client, fields):
    assert client.get(address(ServiceFactory(**fields))).status_code == 404


def test_htmx_gets_the_times_alone(client, checkup, schedule):
    part = client.get(address(checkup), headers={"HX-Request": "true"})
    assertNotContains(part, "<html")
    assertContains(part, 'hx-swap-oob="innerHTML"')
    assert "HX-Request" in part.headers["Vary"]
    whole = client.get(address(checkup), headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assertContains(whole, "<html")


def test_a_room_is_part_of_the_way(client, site, chen):
    service = ServiceFactory(requires=["Practitioner", "Location"], hours=EVERY_DAY)
    ScheduleFactory(actor=chen, services=[service], site=site)
    assertContains(client.get(address(service)), "There is no free time for this visit")
    ScheduleFactory(actor=RoomFactory(part_of=site), services=[service], site=site)
    [choice, *_] = client.get(address(service)).context["free_days"].first_available
    assert choice.value.count("~") == 2
    assert choice.with_whom == "Dr. Mei Chen"


class TestByVideo:
    """Visits by video, in the patient's own zone."""

    @pytest.fixture
    def video(self, chen, site):
        service = ServiceFactory(telehealth=True, hours=EVERY_DAY, interval=60)
        ScheduleFactory(actor=chen, services=[service], site=site)
        return service

    def test_times_are_the_clinics_unless_asked_otherwise(self, client, video):
        page = client.get(address(video))
        assertContains(page, "All times are in New York time.")
        assertContains(page, "Change the time zone")
        assert all(choice.there is None for choice in page.context["free_days"].opened.times)

    def test_in_another_zone_both_clocks_are_named(self, client, video, ten):
        page = client.get(address(video), {"zone": "Asia/Tokyo", "date": ten.date()})
        assertContains(page, "All times are in Tokyo time.")
        [first, *_] = page.context["free_days"].first_available
        assert first.zone == ZoneInfo("Asia/Tokyo")
        assert first.there == first.start
        assert first.there.tzinfo == ZoneInfo("America/New_York")
        label = button_of(page, page.context["free_days"].opened.times[0].value)
        assert "Tokyo time" in label
        assert "New York time" in label

    def test_days_and_parts_of_the_day_are_the_patients(self, client, video, ten):
        page = client.get(address(video), {"zone": "Asia/Tokyo", "date": ten.date(), "part": "morning"})
        times = page.context["free_days"].opened.times
        assert times
        assert {choice.start.date() for choice in times} == {ten.date()}
        assert all(choice.start.hour < 12 for choice in times)

    def test_the_same_clock_by_another_name_is_not_shown_twice(self, client, video):
        page = client.get(address(video), {"zone": "America/Toronto"})
        assert all(choice.there is None for choice in page.context["free_days"].opened.times)

    def test_visits_at_the_clinic_are_in_its_zone(self, client, checkup, schedule):
        page = client.get(address(checkup), {"zone": "Asia/Tokyo"})
        assertContains(page, "All times are in New York time.")
        assertNotContains(page, "Change the time zone")


@pytest.mark.parametrize(
    ("page", "statements"),
    [
        ("the first week", (10, 1)),
        ("a day", (10, 1)),
        ("a later month", (11, 2)),  # the month's times, and the first ones
    ],
)
def test_it_asks_as_much_of_many_as_of_one(client, checkup, schedule, site, ten, page, statements):
    HealthcareService.objects.update(minimum_notice=timedelta(days=1))  # today has a statement more, for delays
    later_month = (ten.replace(day=1) + timedelta(days=32)).date()
    response = {"a day": {"date": ten.date()}, "a later month": {"month": f"{later_month:%Y-%m}"}}.get(page, {})

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address(checkup), response).context["free_days"].count
        assert not [each for each in captured if each["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
        return len(captured), sum("clinic_slot" in each["sql"] for each in captured)

    alone = queries()
    for _ in range(19):
        ScheduleFactory(services=[checkup], site=site)
    assert queries() == alone == statements


def test_looking_changes_nothing(client, checkup, schedule):
    client.get(address(checkup))
    assert not Slot.objects.exists()
    assert "sessionid" not in client.cookies


def test_a_session_with_its_new_patients_is_offered_to_those_who_return_only(client, checkup, schedule, ten, ada):
    checkup.scheduling_parameters.update(new_patient_session_limit=1)
    AppointmentFactory(service=checkup, schedules=[schedule], start=ten, end=ten + timedelta(minutes=30))

    def times():
        days = client.get(address(checkup), {"date": ten.date()}).context["free_days"].days
        return next(day.count for day in days if day.date == ten.date())

    assert times() == 0
    client.force_login(ada.user)
    assert times() == 0
    Patient.objects.filter(pk=ada.pk).update(returning=True)
    assert times() > 0
