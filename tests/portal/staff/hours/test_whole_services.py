"""Hours of a service as a whole."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains

from clinic.models import SchedulingParameters
from tests.factories import NEW_YORK, ScheduleFactory
from tests.portal.staff.hours.form_data import DAY, entered, window

pytestmark = pytest.mark.django_db


def test_a_service_as_a_whole_changes_the_calendars_without_hours_of_their_own(as_administrator, schedule, checkup):
    ScheduleFactory(services=[checkup], parameters={"availability": [window("10:00", "11:00")]})
    editor = f"/staff/hours/services/{checkup.fhir_id}/"
    data = entered(checkup.version, "09:00-12:00")
    tomorrow_on = {"since": timezone.now().astimezone(ZoneInfo(NEW_YORK)).date() + DAY}
    preview = as_administrator.post(editor, {**data, **tomorrow_on})
    assert (preview.context["total"].before, preview.context["total"].after) == (28 * (31 + 3), 28 * (11 + 3))
    as_administrator.post(editor, {**data, "step": "save"})
    assert SchedulingParameters.objects.get(schedule=None).availability == [window("09:00", "12:00")]
    checkup.refresh_from_db()
    assert checkup.version == 2


def test_a_service_that_nobody_gives_can_be_set_all_the_same(as_administrator, checkup):
    editor = f"/staff/hours/services/{checkup.fhir_id}/"
    assertContains(as_administrator.post(editor, entered(1)), "No schedule offers it.")
