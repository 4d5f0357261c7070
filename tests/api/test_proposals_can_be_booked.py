"""Every proposal of $find can be booked by $book, in every configuration."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tests.api.visits import BOOK, HOLD, expire, found, starts, visit
from tests.factories import (
    DeviceFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)

pytestmark = pytest.mark.django_db
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HOURS = [("09:00:00", "17:00:00"), ("22:00:00", "06:00:00"), ("00:00:00", "00:00:00"), ("01:30:00", "03:15:00")]
ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]


def clock_change(zone, *, after):
    """The first day after `after` on which the clocks of a zone change, or `after` if they never do."""
    moments = (after + timedelta(days=day) for day in range(366))
    offset = after.astimezone(zone).utcoffset()
    return next((each for each in moments if each.astimezone(zone).utcoffset() != offset), after)


def configuration(random):
    """A service, the schedules that give it together, and a window of two days around a clock change or any day."""
    opens, closes = random.choice(HOURS)
    zone = random.choice(ZONES)
    service = ServiceFactory(
        duration=random.choice([10, 20, 30, 45, 60]),
        interval=random.choice([10, 15, 40, 45, 90]),
        offset=random.choice([0, 5]),
        buffer_before=random.choice([None, 5]),
        buffer_after=random.choice([None, 10]),
        capacity=random.choice([None, 2]),
        timezone=zone,
        alignment_timezone=random.choice([None, "UTC", zone]),
        hours=[{"daysOfWeek": DAYS, "availableStartTime": opens, "availableEndTime": closes}],
    )
    actors = random.sample([PractitionerFactory, RoomFactory, DeviceFactory], random.randint(1, 3))
    schedules = [ScheduleFactory(services=[service], actor=actor()) for actor in actors]
    soon = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=random.randint(2, 9))
    day = clock_change(ZoneInfo(zone), after=soon) if random.random() < 0.6 else soon
    window = {"start": day - timedelta(days=1), "end": day + timedelta(days=1)}
    for schedule in schedules:
        taken = window["start"] + timedelta(minutes=random.randrange(0, 2880, 5))
        SlotFactory(schedule=schedule, start=taken, end=taken + timedelta(minutes=50))
    return service, schedules, window


def length(proposal):
    """The span of a booking with its buffers."""
    moments = [datetime.fromisoformat(slot[name]) for slot in proposal["contained"] for name in ("start", "end")]
    return min(moments), max(moments)


def overlap(one, other):
    (start, end), (other_start, other_end) = length(one), length(other)
    return start < other_end and other_start < end


@pytest.mark.parametrize("seed", range(12))
def test_a_found_proposal_is_booked_and_no_longer_found(api, seed):
    random = Random(seed)
    service, schedules, window = configuration(random)
    proposals = found(api, service, *schedules, **window)
    assert all(window["start"].astimezone(UTC) <= datetime.fromisoformat(each["start"]) for each in proposals)
    booked = []
    for chosen in random.sample(proposals, min(len(proposals), 8)):
        answer = api.post(BOOK, chosen)
        if answer.status_code == 409:
            assert any(overlap(chosen, each) for each in booked)
        else:
            assert answer.status_code == 201, answer.fhir
            booked.append(chosen)
    assert booked or not proposals
    if not shared(service):
        left = found(api, service, *schedules, **window)
        assert not [each for each in left if any(overlap(each, one) for one in booked)]


def shared(service):
    return service.scheduling_parameters.get().slot_capacity == 2


def test_held_time_is_offered_from_the_instant_the_hold_expires(api):
    service, schedules, window = configuration(Random(1))
    proposed_visit = found(api, service, *schedules, **window)[0]
    held = visit(api.post(HOLD, proposed_visit))
    expire(held["id"])
    assert proposed_visit["start"] in starts(found(api, service, *schedules, **window))
    assert api.post(BOOK, proposed_visit).status_code == 201
