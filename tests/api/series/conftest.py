"""A service with Dr Chen, booked every week."""

import pytest

from tests.api.series.visits_of_series import series, visits
from tests.api.visits import BOOK, HOLD
from tests.factories import (
    ScheduleFactory,
    ServiceFactory,
)


@pytest.fixture
def service():
    return ServiceFactory(buffer_after=5)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


@pytest.fixture
def held(api, service, chen, ada):
    return visits(api.post(HOLD, series(api, service, chen, patient=ada, count=4)))


@pytest.fixture
def booked(api, service, chen, ada):
    return visits(api.post(BOOK, series(api, service, chen, patient=ada, count=4)))
