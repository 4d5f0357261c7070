"""Time that a calendar or all calendars keep for a service, on the hours page."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Schedule, SchedulingParameters
from tests.factories import NEW_YORK, ServiceFactory
from tests.portal.staff.hours.form_data import DAY

pytestmark = pytest.mark.django_db

AVAILABLE = {"daysOfWeek": ["mon", "wed"], "availableStartTime": "09:00:00", "availableEndTime": "10:00:00"}


@pytest.fixture
def typed(schedule):
    return {
        "version": schedule.version,
        "days": ["mon", "wed"],
        "opens": "9:00",
        "closes": "10:00",
        "released_count": "2",
        "released_unit": "1440",
    }


def kept_on(schedule):
    return [row.kept for row in SchedulingParameters.objects.filter(schedule=schedule)]


def test_time_is_kept_and_opened_again(as_chen, editor, schedule, typed):
    preview = as_chen.post(f"{editor}kept/", typed)
    assertContains(preview, "Monday and Wednesday: 9:00 – 10:00 AM")
    assertContains(preview, "opened to all visits 2 days before")
    assert kept_on(schedule) == []
    assertRedirects(as_chen.post(f"{editor}kept/", {**typed, "step": "save"}), editor)
    assert kept_on(schedule) == [[{"availableTime": AVAILABLE, "releasedBefore": 2880}]]
    page = as_chen.get(editor)
    [line] = page.context["hours_page"].kept
    removal = {"version": Schedule.objects.get().version, "entry": line.json}
    assertContains(as_chen.post(f"{editor}kept/remove/", removal), "Open to all visits")
    assertRedirects(as_chen.post(f"{editor}kept/remove/", {**removal, "step": "save"}), editor)
    assert kept_on(schedule) == []


def test_what_is_wrong_is_said_and_what_was_typed_stays(as_chen, editor, typed):
    page = as_chen.post(f"{editor}kept/", {**typed, "days": [], "closes": ""})
    assertContains(page, "Choose the days.")
    assertContains(page, "Enter when the kept time ends.")
    assert page.context["kept_form"]["opens"].value() == "9:00"


def test_the_second_to_save_sees_what_the_first_has_kept(as_chen, editor, schedule, typed):
    as_chen.post(f"{editor}kept/", {**typed, "step": "save"})
    late = as_chen.post(f"{editor}kept/", {**typed, "opens": "14:00", "closes": "15:00", "step": "save"})
    assertContains(late, "Someone else has saved in the meantime", status_code=409)
    again = {**typed, "opens": "14:00", "closes": "15:00", "version": schedule.version + 1, "step": "save"}
    as_chen.post(f"{editor}kept/", again)
    assert [len(each) for each in kept_on(schedule)] == [2]


def test_time_is_kept_on_all_calendars_of_a_service(as_administrator, editor, schedule, checkup, typed):
    whole = f"/staff/hours/services/{checkup.fhir_id}/"
    assertContains(as_administrator.get(whole), "every calendar with this visit keeps for it")
    entered = {**typed, "version": checkup.version}
    assertContains(as_administrator.post(f"{whole}kept/", entered), "Monday and Wednesday: 9:00 – 10:00 AM")
    assertRedirects(as_administrator.post(f"{whole}kept/", {**entered, "step": "save"}), whole)
    general = SchedulingParameters.objects.get(schedule=None)
    assert general.kept == [{"availableTime": AVAILABLE, "releasedBefore": 2880}]
    page = as_administrator.get(editor)
    assertContains(page, "of the service, everywhere")
    assert [page.context["hours_page"].kept, len(page.context["hours_page"].services_kept)] == [[], 1]
    urgent = ServiceFactory(name="Urgent visit")
    schedule.services.add(urgent)
    assertContains(as_administrator.get(f"/staff/hours/calendars/{schedule.fhir_id}/{urgent.fhir_id}/"), "kept for")
    [line] = as_administrator.get(whole).context["hours_page"].kept
    checkup.refresh_from_db()
    removal = {"version": checkup.version, "entry": line.json, "step": "save"}
    assertRedirects(as_administrator.post(f"{whole}kept/remove/", removal), whole)
    general.refresh_from_db()
    assert general.kept == []


def test_a_practitioner_keeps_no_time_on_all_calendars(as_chen, checkup, typed):
    whole = f"/staff/hours/services/{checkup.fhir_id}/kept/"
    assert as_chen.post(whole, {**typed, "step": "save"}).status_code == 403
    assert SchedulingParameters.objects.get(schedule=None).kept == []


def test_other_visits_of_the_calendar_say_what_it_is_kept_for(as_chen, editor, schedule, checkup, today):
    urgent = ServiceFactory(name="Urgent visit")
    schedule.services.add(urgent)
    assertNotContains(as_chen.get(editor), "Urgent visit")
    schedule.scheduling_parameters.create(service=urgent, kept=[{"availableTime": AVAILABLE}])
    page = as_chen.get(editor)
    assertContains(page, "kept to the end")
    assertContains(page, f"/staff/hours/calendars/{schedule.fhir_id}/{urgent.fhir_id}/")
    monday = today + (7 - today.weekday()) * DAY
    start = datetime.combine(monday, time(9), ZoneInfo(NEW_YORK))
    query = {"service": checkup.fhir_id, "schedule": schedule.fhir_id, "date": f"{start:%Y-%m-%d}", "time": "09:00"}
    why = as_chen.get(reverse("portal:staff-why"), query)
    assertContains(why, "That time is kept for other visits.")
    assertContains(why, f'href="{editor}#kept"')
