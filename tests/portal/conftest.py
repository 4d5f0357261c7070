"""One clinic for the pages: Dr Chen's check-ups on working days, from tomorrow on, as seen by the real clock."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from portal.common.redirect_after_post import PARAMETER
from scheduling.notifications import links
from tests.factories import (
    EVERY_DAY,
    NEW_YORK,
    AppointmentFactory,
    PatientFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.portal.booking.steps import hold


class Browser(Client):
    """A test client that follows a redirect to the page that answers a form, with the context of that page."""

    _of_page: Any = None

    def request(self, **request):
        answer = super().request(**request)
        if "Location" in answer.headers:
            self._of_page = answer.context
        elif PARAMETER in request.get("QUERY_STRING", ""):
            answer.context = self._of_page
        return answer

    def post(self, path, *args, **kwargs):
        answer = super().post(path, *args, **kwargs)
        is_page = answer.status_code == 302 and (answer.url == path or f"{PARAMETER}=" in answer.url)
        return self.get(answer.url) if is_page else answer


@pytest.fixture
def client():
    return Browser()


@pytest.fixture(autouse=True)
def fresh_cache():
    """Clear the cache, so that rate limits do not carry over between tests."""
    cache.clear()


@pytest.fixture
def checkup(db):
    return ServiceFactory(
        name="Check-up",
        comment="A first look at what troubles you.",
        hours=EVERY_DAY,
        minimum_notice=timedelta(hours=1),
        cancellation_notice=timedelta(hours=24),
    )


@pytest.fixture
def schedule(checkup, chen, site):
    return ScheduleFactory(actor=chen, services=[checkup], site=site)


@pytest.fixture
def ten():
    """Ten o'clock in New York, three days from now: free in any clinic of these tests."""
    day = timezone.now().astimezone(ZoneInfo(NEW_YORK)).date() + timedelta(days=3)
    return datetime.combine(day, time(10), ZoneInfo(NEW_YORK))


@pytest.fixture
def as_ada(client, ada):
    client.force_login(ada.user)
    return client


@pytest.fixture
def as_rana(client, rana):
    client.force_login(rana)
    return client


@pytest.fixture
def as_chen(client, chen):
    client.force_login(chen.user)
    return client


@pytest.fixture
def as_administrator(client):
    client.force_login(UserFactory(is_superuser=True))
    return client


@pytest.fixture
def elena(db):
    return PatientFactory(
        given="Elena Maria",
        family="Marquez",
        birth_date=date(1985, 3, 27),
        phone="(212) 555-0199",
        identifier=[{"system": "http://example.org/mrn", "value": "MRN-77"}],
    )


@pytest.fixture
def visit(ada, checkup, schedule, site, ten):
    """Ada's visit at ten."""
    end = ten + timedelta(minutes=30)
    return AppointmentFactory(patient=ada, service=checkup, start=ten, end=end, schedules=[schedule], site=site)


@pytest.fixture
def link(visit, settings):
    """The manage link of the visit."""
    return links.manage_link(visit).removeprefix(settings.SITE_URL)


@pytest.fixture
def button_value(schedule, ten):
    """The value that the button for ten o'clock posts."""
    from portal.finding.times import time_value
    from scheduling.availability import offerings_of

    [service] = schedule.services.all()
    return time_value(ten, offerings_of(service, [schedule.fhir_id]))


@pytest.fixture
def held(client, checkup, button_value):
    """A hold of that time for the test's browser."""
    return hold(client, checkup, button_value)
