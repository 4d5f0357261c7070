"""A clinic that publishes a week of free time."""

from datetime import timedelta

import pytest

from tests.api.bulk_publish.files import NPI
from tests.factories import (
    LocationFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
)


@pytest.fixture(autouse=True)
def a_week_ahead(settings):
    settings.PUBLISHED_AHEAD = timedelta(days=21)
    settings.PUBLISHED_MAX_AGE = timedelta(0)
    settings.SITE_URL = "https://visits.example.org"


@pytest.fixture
def place(db):
    address = {"line": "1 Main Street", "city": "New York", "state": "NY", "postal_code": "10001"}
    return LocationFactory(name="Main Street", phone="+1 212 555 0100", **address)


@pytest.fixture
def service(db):
    return ServiceFactory(name="Check-up")


@pytest.fixture
def schedule(place, service):
    chen = PractitionerFactory(family="Chen", phone="+1 212 555 9999", identifier=[{"system": "x", "value": "y"}, NPI])
    return ScheduleFactory(actor=chen, services=[service], site=place)
