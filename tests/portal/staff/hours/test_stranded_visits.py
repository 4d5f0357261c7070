"""Booked visits that a change of hours would leave outside."""

import pytest
from pytest_django.asserts import assertContains

from clinic.models import AuditEvent
from tests.factories import PatientFactory
from tests.portal.staff.hours.form_data import DAY, entered, visit_at

pytestmark = pytest.mark.django_db


def test_visits_outside_the_new_hours_are_listed_and_stay_booked(as_chen, editor, schedule, checkup, today):
    outside = visit_at(schedule, checkup, today + 3 * DAY, 15)
    visit_at(schedule, checkup, today + 3 * DAY, 10, patient=PatientFactory(given="Otto"))
    data = entered(schedule.version, "09:00-12:00")
    preview = as_chen.post(editor, data)
    assert [each.appointment for each in preview.context["stranded"]] == [outside]
    assertContains(preview, "1 booked visit would be outside the hours")
    assertContains(preview, "Elena Marquez")
    assertContains(preview, "Mar 27, 1985")
    assertContains(preview, "3:00 – 3:30 PM")
    assert AuditEvent.objects.get(patient=outside.patient).query == "visits outside the hours"
    as_chen.post(editor, {**data, "step": "save"})
    outside.refresh_from_db()
    assert outside.status == "booked"


def test_visits_after_the_four_weeks_are_counted(as_chen, editor, schedule, checkup, today):
    visit_at(schedule, checkup, today + 40 * DAY, 10)
    assertContains(as_chen.post(editor, entered(schedule.version, "09:00-12:00")), "1 visit is booked after")


def test_a_visit_that_was_outside_already_is_not_blamed_on_the_change(as_chen, editor, schedule, checkup, today):
    visit_at(schedule, checkup, today + 3 * DAY, 20)
    preview = as_chen.post(editor, entered(schedule.version, "09:00-12:00"))
    assert preview.context["stranded"] == []
