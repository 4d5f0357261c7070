"""The time that the clinic suggests for a request, accepted on a phone."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Schedule
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import RescheduleRequest
from scheduling.notifications import links
from tests.browser.accessibility import serious, too_wide
from tests.factories import NEW_YORK
from tests.scheduling.situations import wish


@pytest.fixture
def visit_request(clinic, ada, rana):
    """Ada's request for ten o'clock in three days, for which the front desk suggests two o'clock."""
    clinic.on_request = True
    clinic.save()
    zone, now, schedule = ZoneInfo(NEW_YORK), timezone.now(), Schedule.objects.get()
    day = now.astimezone(zone).date() + timedelta(days=3)
    ten, two = (datetime.combine(day, time(hour), zone) for hour in (10, 14))
    asked = booking.book(wish(clinic, schedule, at=ten, patient=ada), caller=Caller(user=ada.user), now=now)
    other = RescheduleRequest(offerings=wish(clinic, schedule, at=two).offerings, start=two)
    booking.suggest(asked.fhir_id, other, caller=Caller(user=rana), now=now)
    return asked


def test_a_patient_takes_the_suggested_time_by_the_link(page: Page, violations, visit_request):
    page.goto(links.manage_link(visit_request).removeprefix(settings.SITE_URL))
    suggestion = page.get_by_role("region", name="The clinic suggests another time")
    expect(suggestion).to_contain_text("2:00 – 2:30 PM")
    assert [*too_wide(page), *serious(page), *violations] == []
    suggestion.get_by_role("button", name="Take this time").click()
    expect(page.get_by_text("Your visit is booked.")).to_be_visible()
    expect(suggestion).to_have_count(0)
    visit_request.refresh_from_db()
    assert visit_request.status == "booked"
