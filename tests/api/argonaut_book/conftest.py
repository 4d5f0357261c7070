"""The clinic of the tests of Argonaut's $hold and $book."""

import pytest

from tests.api.dialects import OFFICE_VISIT
from tests.factories import LocationFactory, ScheduleFactory, ServiceFactory


@pytest.fixture
def service():
    return ServiceFactory(name="Office visit", type=[OFFICE_VISIT], duration=60, interval=60)


@pytest.fixture
def napa():
    return LocationFactory(name="Napa Office", city="Napa")


@pytest.fixture
def chen(service, napa):
    return ScheduleFactory(services=[service], site=napa)
