"""Dr Chen and Dr Napa, whose service clients book by `POST Appointment`."""

import pytest

from tests.api.dialects import OFFICE_VISIT
from tests.factories import (
    LocationFactory,
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)


@pytest.fixture
def service():
    return ServiceFactory(name="Office visit", type=[OFFICE_VISIT], duration=30, interval=30)


@pytest.fixture
def napa():
    return LocationFactory(name="Napa Office", city="Napa")


@pytest.fixture
def chen(service, napa):
    return ScheduleFactory(services=[service], site=napa)


@pytest.fixture
def ada():
    return PatientFactory(fhir_id="ada", given="Ada", email="ada@example.com", user=UserFactory())
