"""Choosing a time, without JavaScript and as htmx asks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from tests.factories import (
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.portal.conftest import EVERY_DAY

pytestmark = pytest.mark.django_db


def address(service):
    return f"/book/{service.fhir_id}/"


def busy(schedule, start, days):
    """Take all of a schedule's time."""
    return SlotFactory(schedule=schedule, start=start, end=start + timedelta(days=days), status="busy-unavailable")


def test_anyone_sees_the_first_times_and_a_week(client, checkup, schedule, ten):
    page = client.get(address(checkup), {"date": ten.date()})
    assert len(page.context["week"].first_available) == 3
    assert len(page.context["week"].days) == 7
    assertContains(page, "First available")
    assertContains(page, "All times are in New York time.")
    assertContains(page, "31 free times")
    for part in ("Morning", "Afternoon"):
        assertContains(page, part)


def test_each_time_says_day_zone_and_practitioner(client, checkup, schedule, ten, wanted):
    page = client.get(address(checkup), {"date": ten.date()}).content.decode()
    button = " ".join(
        page.split(f'class="time" type="submit" name="time" value="{wanted}"')[1].split("</button>")[0].split()
    )
    assert f"{ten:%A} {ten.day} {ten:%B}," in button
    assert "10:00" in button
    assert "New York time, with Dr. Mei Chen" in button


def test_the_first_free_day_is_opened(client, checkup, schedule):
    now = timezone.now()
    busy(schedule, now - timedelta(days=1), 3)
    week = client.get(address(checkup)).context["week"]
    assert week.opened.date == week.first_available[0].start.date()


def test_a_later_week_is_a_link_away(client, checkup, schedule):
    week = client.get(address(checkup)).context["week"]
    later = client.get(address(checkup), {"week": week.following})
    assert later.context["week"].first == week.following
    assert later.context["week"].previous == week.first
    assert week.previous is None


def test_a_week_without_times_leads_to_the_next_that_has_any(client, checkup, schedule):
    now = timezone.now()
    busy(schedule, now - timedelta(days=1), 20)
    page = client.get(address(checkup), {"week": now.date()})
    assertContains(page, "No free times this week")
    assert page.context["week"].next_free.start > now + timedelta(days=18)
    assertContains(page, "Go to ")


def test_it_offers_someone_else_where_the_one_asked_for_is_full(client, checkup, schedule, chen, site):
    okafor = PractitionerFactory(given="Ada", family="Okafor")
    ScheduleFactory(actor=okafor, services=[checkup], site=site)
    busy(schedule, timezone.now() - timedelta(days=1), 20)
    page = client.get(address(checkup), {"week": timezone.now().date(), "practitioner": chen.fhir_id})
    assertContains(page, "Free this week with someone else")
    assertContains(page, "Dr. Ada Okafor: ")


def test_nobody_hides_behind_a_colleague_who_is_free_too(client, checkup, schedule, site):
    ScheduleFactory(actor=PractitionerFactory(given="Ada", family="Okafor"), services=[checkup], site=site)
    opened = client.get(address(checkup)).context["week"].opened
    assert {choice.with_whom for choice in opened.times} == {"Dr. Mei Chen", "Dr. Ada Okafor"}
    assert opened.count == len(opened.times) / 2


def test_it_narrows_down_to_a_practitioner_and_a_location(client, checkup, schedule, site):
    park = LocationFactory(name="Riverside Park")
    okafor = PractitionerFactory(given="Ada", family="Okafor")
    ScheduleFactory(actor=okafor, services=[checkup], site=park)
    for query in ({"practitioner": okafor.fhir_id}, {"location": park.fhir_id}):
        opened = client.get(address(checkup), query).context["week"].opened
        assert {(choice.with_whom, choice.where) for choice in opened.times} == {("Dr. Ada Okafor", "Riverside Park")}


def test_nobody_answers_to_an_unknown_name(client, checkup, schedule):
    page = client.get(address(checkup), {"practitioner": "nobody"})
    assertContains(page, "Nobody you asked for has a free time")


def test_every_time_is_shown_in_the_zone_of_its_own_site(client, checkup, schedule):
    coast = LocationFactory(name="Harbour", timezone="America/Los_Angeles")
    colleague = PractitionerFactory(timezone="America/Los_Angeles")
    ScheduleFactory(actor=colleague, services=[checkup], site=coast)
    page = client.get(address(checkup))
    assertContains(page, "Each time is that of its own site")
    zones = {choice.where: choice.zone for choice in page.context["week"].opened.times}
    assert zones["Harbour"] == ZoneInfo("America/Los_Angeles")
    assert all(choice.start.hour >= 9 for day in page.context["week"].days for choice in day.times)


def test_what_cannot_be_read_is_as_if_it_were_not_there(client, checkup, schedule):
    page = client.get(address(checkup), {"week": "soon", "date": "2026-13-77", "practitioner": "", "location": ""})
    assert page.status_code == 200
    assert page.context["week"].opened.times


def test_a_visit_that_nobody_gives_says_so(client):
    assertContains(client.get(address(ServiceFactory())), "There is no free time for this visit")


@pytest.mark.parametrize(
    "fields", [{"active": False}, {"bookable_by": "staff"}, {"deleted_at": datetime(2026, 1, 1, tzinfo=UTC)}]
)
def test_a_visit_that_patients_cannot_book_is_not_there(client, fields):
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
    [choice, *_] = client.get(address(service)).context["week"].first_available
    assert choice.value.count("~") == 2
    assert choice.with_whom == "Dr. Mei Chen"


def test_it_asks_as_much_of_many_as_of_one(client, checkup, schedule, site):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            client.get(address(checkup))
        return len(asked)

    alone = queries()
    for _ in range(4):
        ScheduleFactory(services=[checkup], site=site)
    assert queries() == alone <= 7
