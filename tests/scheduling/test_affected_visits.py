"""Actors that have left or are closed are neither offered nor booked, through one engine."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from clinic.models import Location, ScheduleChange, SchedulingParameters
from scheduling import availability, booking
from scheduling.availability import Reason, TimeQuery, arrangements_for, as_datetime, find_times, offerings_of, ways_of
from scheduling.errors import RuleBroken, TimeNotOffered
from tests.factories import (
    DeviceFactory,
    LocationFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SubscriptionFactory,
)
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def role():
    return RoleFactory(practitioner=PractitionerFactory())


def room():
    return RoomFactory(part_of=LocationFactory())


def device():
    return DeviceFactory(location=room())


CLOSED = {
    "a practitioner who has left": (role, lambda each: each.practitioner, {"active": False}, "Practitioner"),
    "a role that is inactive": (role, lambda each: each, {"active": False}, "PractitionerRole"),
    "a room that is suspended": (room, lambda each: each, {"status": "suspended"}, "Location"),
    "a room of a closed site": (room, lambda each: each.part_of, {"status": "inactive"}, "Location"),
    "a device that is broken": (device, lambda each: each, {"status": "inactive"}, "Device"),
    "a device in a closed room": (device, lambda each: each.location, {"status": "suspended"}, "Location"),
    "a device of unknown state": (device, lambda each: each, {"status": "unknown"}, "Device"),
}


def free_times(service, **more):
    query = TimeQuery(ways=ways_of(service, arrangements_for(service)), start=monday(0), end=monday(23, 59), **more)
    return [as_datetime(each.start) for each in find_times(query, now=timezone.now())]


@pytest.mark.parametrize("case", CLOSED)
def test_closed_time_is_not_offered_held_booked_or_confirmed(service, case):
    make, part_of, changes, kind = CLOSED[case]
    actor = make()
    schedule = ScheduleFactory(services=[service], actor=actor)
    SubscriptionFactory()
    held = hold(wish(service, schedule, at=monday(10)))
    assert monday(14) in free_times(service)
    ScheduleChange.objects.all().delete()

    closed = part_of(actor)
    for name, value in changes.items():
        setattr(closed, name, value)
    closed.save()

    assert free_times(service) == []
    with pytest.raises(RuleBroken, match=f"{kind} is inactive"):
        offerings_of(service, [schedule.fhir_id])
    with pytest.raises(RuleBroken, match=f"{kind} is inactive"):
        booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    named = ScheduleChange.objects.values_list("schedule", "bookable")
    assert (schedule.pk, None) in named or (None, schedule.bookable_id) in named  # subscribers are notified


def test_a_closed_site_closes_the_schedules_at_it(service):
    site = LocationFactory()
    schedule = ScheduleFactory(services=[service], site=site)
    assert free_times(service)
    Location.objects.filter(pk=site.pk).update(status="suspended")
    assert free_times(service) == []
    with pytest.raises(RuleBroken, match="Location is inactive"):
        offerings_of(service, [schedule.fhir_id])


def day(n=0):
    return (monday(12) + timedelta(days=n)).date().isoformat()


AWAY = {
    "a period that is over": {"period": {"end": day(-1)}},
    "a period that has not begun": {"period": {"start": day(1)}},
    "not available": {"notAvailable": [{"description": "Leave", "during": {"start": day(), "end": day()}}]},
    "not available from then on": {"notAvailable": [{"description": "Leave", "during": {"start": day()}}]},
}


@pytest.mark.parametrize("case", AWAY)
def test_a_role_is_offered_when_it_works(service, case):
    actor = role()
    schedule = ScheduleFactory(services=[service], actor=actor)
    held = hold(wish(service, schedule, at=monday(10)))
    assert monday(14) in free_times(service)
    SubscriptionFactory()
    ScheduleChange.objects.all().delete()
    actor.extra = AWAY[case]
    actor.save()
    assert free_times(service) == []
    offerings = offerings_of(service, [schedule.fhir_id])
    assert availability.explain(service, offerings, monday(14), now=timezone.now()) == {offerings[0]: [Reason.AWAY]}
    with pytest.raises(TimeNotOffered, match="do not work there at that time"):
        book(wish(service, schedule, at=monday(14)))
    with pytest.raises(RuleBroken, match="does not work there at that time"):
        booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert ScheduleChange.objects.filter(schedule=schedule.pk).exists()


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland", "America/New_York"])
def test_the_days_of_a_role_are_those_of_its_schedules_zone(zone):
    """A period until the 10th and leave on the 8th are whole local days of that zone, across the clock change."""
    all_day = [{"daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "allDay": True}]
    service = ServiceFactory(hours=all_day, interval=60, duration=60, timezone=zone)
    actor = role()
    actor.extra = {
        "period": {"start": "2027-03-07", "end": "2027-03-15"},
        "notAvailable": [{"description": "Leave", "during": {"start": "2027-03-14", "end": "2027-03-14"}}],
    }
    actor.save()
    ScheduleFactory(services=[service], actor=actor, timezone=zone)
    query = TimeQuery(
        ways=ways_of(service, arrangements_for(service)),
        start=datetime(2027, 3, 1, tzinfo=ZoneInfo(zone)),
        end=datetime(2027, 3, 20, tzinfo=ZoneInfo(zone)),
    )
    found = find_times(query, now=datetime(2027, 1, 1, tzinfo=ZoneInfo(zone)))
    days = {as_datetime(each.start).astimezone(ZoneInfo(zone)).date() for each in found}
    assert days == {date(2027, 3, n) for n in (*range(7, 14), 15)}


def test_a_services_closures_count_on_every_schedule(service, chen):
    SchedulingParameters.objects.filter(service=service, schedule=None).update(
        not_available=[{"description": "Stocktaking", "during": {"start": day(), "end": day()}}]
    )
    offerings = offerings_of(service, [chen.fhir_id])
    assert free_times(service) == []
    assert availability.explain(service, offerings, monday(10), now=timezone.now())[offerings[0]] == [Reason.CLOSED]
