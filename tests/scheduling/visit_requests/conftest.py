"""A service on request, the practitioner who gives it, the desk of their site, and Ada's request."""

import pytest

from scheduling.access import Caller
from tests.factories import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import book, monday, wish


@pytest.fixture
def service(db):
    return ServiceFactory(name="Second opinion", on_request=True)


@pytest.fixture
def site(db):
    return LocationFactory()


@pytest.fixture
def doctor(db):
    return PractitionerFactory(user=UserFactory())


@pytest.fixture
def chen(service, site, doctor):
    return ScheduleFactory(actor=doctor, services=[service], site=site)


@pytest.fixture
def desk(site):
    return Caller(user=UserFactory(desk_locations=[site]))


@pytest.fixture
def patient(ada):
    return Caller(user=ada.user)


@pytest.fixture
def visit_request(service, chen, ada, patient):
    """Ada's request for ten o'clock."""
    return book(wish(service, chen, at=monday(10), patient=ada), patient)
