import pytest

from scheduling.access import Caller
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory, UserFactory


@pytest.fixture
def service(db):
    """A service of half an hour, every quarter of an hour, Monday to Friday from 9 to 5 in New York."""
    return ServiceFactory(name="Check-up")


@pytest.fixture
def chen(service):
    """Dr Chen's schedule."""
    return ScheduleFactory(services=[service])


@pytest.fixture
def ada(db):
    """A patient who signs in."""
    return PatientFactory(given="Ada", family="Quinn", user=UserFactory(email="ada@example.com"))


@pytest.fixture
def bo(db):
    """Another patient, who has no business with Ada's visits."""
    return PatientFactory(given="Bo", family="Lindt", user=UserFactory(email="bo@example.com"))


@pytest.fixture
def boss(db):
    """An administrator, who may do everything."""
    return Caller(user=UserFactory(is_superuser=True))
