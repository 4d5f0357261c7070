"""Dr Chen, who is ill on a Monday, Dr Brook who gives the same visits, and somebody at the front desk."""

import pytest
from django.utils import timezone

from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import AbsenceRequest
from tests.factories import LocationFactory, PatientFactory, ScheduleFactory, UserFactory
from tests.scheduling.situations import book, monday, wish


@pytest.fixture(autouse=True)
def by_day(settings):
    """No test of absences depends on the hour at which it runs."""
    settings.QUIET_HOURS = None


@pytest.fixture
def site(db):
    return LocationFactory()


@pytest.fixture
def chen(service, site):
    return ScheduleFactory(services=[service], site=site)


@pytest.fixture
def brook(service, site):
    return ScheduleFactory(services=[service], site=site)


@pytest.fixture
def desk(site):
    return Caller(user=UserFactory(desk_locations=[site]))


@pytest.fixture
def visit(service, chen):
    """A visit of a patient with an email address, on Monday at ten."""
    return book(wish(service, chen, at=monday(10), patient=PatientFactory(email="patient@example.com")))


@pytest.fixture
def ill(chen, desk):
    """A function that records that Dr Chen is ill, by default all Monday."""

    def record(caller=desk, **more):
        values = {"start": monday(0), "end": monday(23), "reason": "Flu", "notice": "Dr Chen is ill.", **more}
        request = AbsenceRequest(bookable=chen.bookable_id, **values)
        return booking.record_absence(request, caller=caller, now=timezone.now())

    return record
