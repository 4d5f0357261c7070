"""Counts of free times equal the number of buttons: of a day, a week and a month, visible and spoken."""

import re

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains

from clinic.time_text import long_day
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import offerings_of
from tests.factories import EVERY_DAY, LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db
MORNING = [{**EVERY_DAY[0], "availableStartTime": "09:00:00", "availableEndTime": "11:00:00"}]


@pytest.fixture
def service(db):
    """Two starts a day, nine and ten o'clock."""
    return ServiceFactory(hours=MORNING, duration=60, interval=60)


def give(service, zone="America/New_York", people=1, **site):
    where = LocationFactory(timezone=zone, **site)
    for _ in range(people):
        ScheduleFactory(actor=PractitionerFactory(timezone=zone), services=[service], site=where)
    return where


@pytest.mark.parametrize(
    ("sites", "buttons"),
    [
        ([("America/New_York", 1)], 2),
        ([("America/New_York", 3)], 6),
        ([("America/New_York", 1), ("America/Los_Angeles", 2)], 6),
        ([("America/New_York", 7)], 2),  # too many people to name: each time once at each site
        ([("America/New_York", 7), ("America/New_York", 1)], 4),
    ],
)
@pytest.mark.parametrize("by", ["week", "month"])
def test_they_are_the_buttons(client, service, ten, sites, buttons, by):
    for zone, people in sites:
        give(service, zone, people)
    query = {"month": f"{ten:%Y-%m}"} if by == "month" else {}
    page = client.get(f"/book/{service.fhir_id}/", {**query, "date": ten.date()})
    free_days = page.context["free_days"]
    assert free_days.opened.date == ten.date()
    assert len(re.findall('class="time" type="submit"', page.content.decode())) == buttons
    assert {day.count for day in free_days.days if day.date == ten.date()} == {buttons}
    assert free_days.opened.count == buttons
    assertContains(page, f"{long_day(ten)}, {buttons} free times")


def test_the_first_times_are_read_in_order_whatever_their_clocks(client, service, ten):
    """Ten in New York is before nine in Los Angeles, and is read after it."""
    give(service)
    give(service, "America/Los_Angeles")
    first = client.get(f"/book/{service.fhir_id}/").context["free_days"].first_available
    read = [choice.start.replace(tzinfo=None) for choice in first]
    assert len(read) == 3
    assert read == sorted(read)


def test_places_left_in_a_group_are_said(client, schedule, checkup, chen, site, ten, ada):
    group = ServiceFactory(hours=MORNING, duration=60, interval=60, capacity=4)
    calendar = ScheduleFactory(actor=PractitionerFactory(), services=[group], site=site)
    ten_o_clock = tuple(offerings_of(group, [calendar.fhir_id]))
    request = booking.BookingRequest(service=group, offerings=ten_o_clock, start=ten, patient=ada)
    booking.book(request, caller=Caller(user=ada.user), now=timezone.now())
    page = client.get(f"/book/{group.fhir_id}/", {"date": ten.date()})
    assert [choice.places_left for choice in page.context["free_days"].opened.times] == [4, 3]
    assertContains(page, "3 places left")


def test_a_visit_for_one_has_no_places(client, schedule, checkup, ten):
    page = client.get(f"/book/{checkup.fhir_id}/", {"date": ten.date()})
    assert {choice.places_left for choice in page.context["free_days"].opened.times} == {None}
