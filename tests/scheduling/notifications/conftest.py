from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import AppointmentFactory, LocationFactory, PatientFactory, UserFactory


@pytest.fixture
def texts_are_recorded(settings):
    settings.SMS_ENABLED, settings.SMS_URL, settings.QUIET_HOURS = True, "", None


@pytest.fixture
def ada(db):
    return PatientFactory(given="Ada", phone="+1 212 555 0123", user=UserFactory(email="ada@example.com"))


@pytest.fixture
def visit(ada):
    """A booked visit tomorrow."""
    site = LocationFactory(name="Main Street")
    return AppointmentFactory(patient=ada, site=site, start=timezone.now() + timedelta(days=1))
