"""Single days: closures and extra time."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from pytest_django.asserts import assertContains

from clinic import time_text
from clinic.models import SchedulingParameters, Slot
from tests.factories import NEW_YORK
from tests.portal.staff.hours.form_data import DAY, visit_at

pytestmark = pytest.mark.django_db


def test_a_closure_is_previewed_saved_listed_and_removed(as_chen, editor, schedule, checkup, today):
    visit_at(schedule, checkup, today + 3 * DAY, 15)
    data = {
        "version": schedule.version,
        "first": today + 3 * DAY,
        "first_time": "12:00",
        "last": today + 4 * DAY,
        "description": "Training",
    }
    preview = as_chen.post(f"{editor}closures/", data)
    assertContains(preview, "Training")
    assertContains(preview, "Elena Marquez")
    assert [(day.before, day.after) for day in preview.context["days"]] == [(28, 11), (31, 0)]
    as_chen.post(f"{editor}closures/", {**data, "step": "save"})
    [closure] = SchedulingParameters.objects.get(schedule=schedule).not_available
    start = datetime.combine(today + 3 * DAY, time(12), ZoneInfo(NEW_YORK)).isoformat()
    assert closure == {"description": "Training", "during": {"start": start, "end": str(today + 4 * DAY)}}
    listed = as_chen.get(editor)
    assertContains(listed, "Training")
    [listed_closure] = listed.context["hours_page"].closures
    removal = {"version": schedule.version + 1, "entry": listed_closure.json}
    assert as_chen.post(f"{editor}closures/remove/", removal).context["total"].difference == "48 more"
    as_chen.post(f"{editor}closures/remove/", {**removal, "step": "save"})
    assert not SchedulingParameters.objects.filter(schedule=schedule).exists()


def test_a_closure_of_some_hours_names_its_day_once(as_chen, editor, schedule, today):
    day = today + 3 * DAY
    data = {"version": schedule.version, "first": day, "first_time": "10:00", "last": day, "last_time": "12:00"}
    as_chen.post(f"{editor}closures/", {**data, "step": "save"})
    [shown] = as_chen.get(editor).context["hours_page"].closures
    assert shown.when == f"{time_text.full_day(day)}, 10:00 AM\u2009–\u200912:00 PM".replace("\u2009", " ")


def test_a_closure_ends_after_it_starts(as_chen, editor, schedule, today):
    data = {"version": schedule.version, "first": today + DAY, "last": today}
    assertContains(as_chen.post(f"{editor}closures/", data), "The closure must end after it starts")


def test_extra_time_is_previewed_added_and_removed(as_chen, editor, schedule, checkup, today):
    day = today + 3 * DAY
    data = {"day": day, "opens": "18:00", "closes": "20:00", "note": "Evening clinic"}
    preview = as_chen.post(f"{editor}extra/", data)
    assert [(each.before, each.after) for each in preview.context["days"]] == [(31, 38)]
    assert not Slot.objects.exists()
    as_chen.post(f"{editor}extra/", {**data, "step": "save"})
    slot = Slot.objects.get()
    assert (slot.status, slot.comment, slot.service_type) == ("free", "Evening clinic", checkup.type)
    assert slot.start == datetime.combine(day, time(18), ZoneInfo(NEW_YORK))
    assertContains(as_chen.get(editor), "Evening clinic")
    visit_at(schedule, checkup, day, 19)
    removal = f"{editor}extra/{slot.fhir_id}/remove/"
    assertContains(as_chen.post(removal), "Elena Marquez")
    assert Slot.objects.filter(status="free", deleted_at=None).exists()
    as_chen.post(removal, {"step": "save"})
    assert not Slot.objects.filter(status="free", deleted_at=None).exists()


def test_extra_time_has_not_passed(as_chen, editor, today):
    data = {"day": today - DAY, "opens": "18:00", "closes": "20:00"}
    assertContains(as_chen.post(f"{editor}extra/", data), "This day has passed")
