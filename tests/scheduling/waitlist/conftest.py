"""A full day of Dr Chen, and people who wait for a time of it."""

from datetime import time

import pytest
from django.utils import timezone

from clinic.fhir.waitlist import WaitlistPreferences
from clinic.models import Appointment
from scheduling import booking
from scheduling.booking import WaitlistRequest
from tests.factories import PatientFactory
from tests.scheduling.situations import SOFTWARE, book, monday, wish


@pytest.fixture(autouse=True)
def by_day(settings):
    """No test of the waiting list depends on the hour at which it runs."""
    settings.QUIET_HOURS = None


@pytest.fixture
def night(settings):
    """A function that makes the present an hour of the night, until the given number of hours from now."""

    def lasting(zone, hours):
        now = timezone.now().astimezone(zone)
        settings.QUIET_HOURS = time((now.hour - 1) % 24), time((now.hour + hours) % 24)

    return lasting


@pytest.fixture
def join(service):
    """A function that puts a patient on the waiting list of the service, or of another one."""

    def act(patient=None, caller=SOFTWARE, *, kind=None, priority=0, **preferences) -> Appointment:
        request = WaitlistRequest(
            service=kind or service,
            patient=patient or PatientFactory(email="somebody@example.com"),
            preferences=WaitlistPreferences(**preferences),
            priority=priority,
        )
        return booking.join_waitlist(request, caller=caller, now=timezone.now())

    return act


@pytest.fixture
def taken(service, chen):
    """A booked visit of somebody else at ten o'clock."""
    return book(wish(service, chen, at=monday(10), patient=PatientFactory()))
