"""A receiver of notifications, and a visit that they tell of."""

import pytest

from tests.factories import (
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.receiver import receiving
from tests.scheduling.situations import book, monday, wish


@pytest.fixture
def receiver(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def service(db):
    return ServiceFactory(name="Check-up")


@pytest.fixture
def chen(service):
    """Dr Chen's schedule."""
    return ScheduleFactory(services=[service])


@pytest.fixture
def ada(db):
    return PatientFactory(given="Ada", family="Quinn", user=UserFactory())


@pytest.fixture
def visit(service, chen, ada):
    """A booked visit of Ada's."""
    return book(wish(service, chen, at=monday(10), patient=ada))
