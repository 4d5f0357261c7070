"""One clinic for the pages: Dr Chen's check-ups on working days, from tomorrow on, as seen by the real clock."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.factories import NEW_YORK, ScheduleFactory, ServiceFactory

EVERY_DAY = [
    {
        "daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "availableStartTime": "09:00:00",
        "availableEndTime": "17:00:00",
    }
]


@pytest.fixture(autouse=True)
def fresh_cache():
    """Nobody is slowed down for what another test did."""
    cache.clear()


@pytest.fixture
def checkup(db):
    return ServiceFactory(
        name="Check-up",
        comment="A first look at what troubles you.",
        hours=EVERY_DAY,
        minimum_notice=timedelta(hours=1),
        cancellation_notice=timedelta(hours=24),
    )


@pytest.fixture
def schedule(checkup, chen, site):
    return ScheduleFactory(actor=chen, services=[checkup], site=site)


@pytest.fixture
def ten():
    """Ten o'clock in New York, three days from now: free in any clinic of these tests."""
    day = timezone.now().astimezone(ZoneInfo(NEW_YORK)).date() + timedelta(days=3)
    return datetime.combine(day, time(10), ZoneInfo(NEW_YORK))


@pytest.fixture
def as_ada(client, ada):
    client.force_login(ada.user)
    return client


@pytest.fixture
def wanted(schedule, ten):
    """What the button for ten o'clock posts."""
    from portal.choosing import written
    from scheduling.availability import offerings_of

    [service] = schedule.services.all()
    return written(ten, offerings_of(service, [schedule.fhir_id]))
