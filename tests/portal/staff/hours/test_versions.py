"""Hours that begin on a future day."""

from datetime import time, timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains

from tests.portal.staff.hours.form_data import DAY, entered, own_hours, window

pytestmark = pytest.mark.django_db


def test_a_new_version_begins_on_its_day_and_the_one_before_ends_the_day_before(as_chen, editor, schedule, today):
    first = today + timedelta(days=40)
    as_chen.post(editor, {**entered(schedule.version, "08:00-10:00", since=first), "step": "save"})
    assert own_hours(schedule) == [
        window("09:00", "17:00", end=first - DAY),
        window("08:00", "10:00", start=first),
    ]
    response = as_chen.get(editor, {"first": first})
    assert [each.first for each in response.context["hours_page"].versions] == [None, first]
    assert response.context["form"]["mon-0-opens"].value() == time(8)


def test_a_version_that_is_removed_leaves_the_one_before_it(as_chen, editor, schedule, checkup, today):
    first = today + timedelta(days=10)
    hours = [window("09:00", "17:00", end=first - DAY), window("08:00", "10:00", start=first)]
    schedule.scheduling_parameters.create(service=checkup, availability=hours)
    data = {"version": schedule.version, "since": first}
    preview = as_chen.post(f"{editor}remove/", data)
    assert (preview.context["total"].before, preview.context["total"].after) == (28 * 7, 28 * 31)
    as_chen.post(f"{editor}remove/", {**data, "step": "save"})
    assert own_hours(schedule) == [window("09:00", "17:00")]


def test_a_new_version_does_not_begin_in_the_past(as_chen, editor):
    assertContains(as_chen.get(editor, {"first": "2020-05-01"}), "This day has passed")


def test_hours_that_begin_far_ahead_are_counted_although_nobody_can_book_them_yet(as_chen, editor, schedule, checkup):
    checkup.booking_horizon_days = 30
    checkup.save()
    first = timezone.now().date() + timedelta(days=400)
    preview = as_chen.post(editor, entered(schedule.version, "09:00-12:00", since=first))
    assert (preview.context["total"].before, preview.context["total"].after) == (28 * 31, 28 * 11)
