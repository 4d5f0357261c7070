from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tests.factories import NEW_YORK


@pytest.fixture
def today():
    return timezone.now().astimezone(ZoneInfo(NEW_YORK)).date()


@pytest.fixture
def editor(schedule, checkup):
    return f"/staff/hours/calendars/{schedule.fhir_id}/{checkup.fhir_id}/"
