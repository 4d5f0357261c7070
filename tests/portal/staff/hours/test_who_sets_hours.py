"""Permission to set hours."""

import pytest
from pytest_django.asserts import assertNotContains

from tests.factories import LocationFactory, ScheduleFactory, ServiceFactory
from tests.portal.staff.hours.form_data import entered

pytestmark = pytest.mark.django_db


def test_patients_set_no_hours(as_ada, editor):
    assert as_ada.get("/staff/hours/").status_code == 403
    assert as_ada.get(editor).status_code == 403


def test_nor_does_anyone_who_is_not_signed_in(client, editor):
    assert client.get(editor).url.startswith("/accounts/login/")


def test_the_front_desk_sets_those_of_its_site_alone(client, rana, editor, checkup, schedule):
    elsewhere = ScheduleFactory(services=[checkup], site=LocationFactory(name="Elsewhere"))
    client.force_login(rana)
    assert client.get(editor).status_code == 200
    there = f"/staff/hours/calendars/{elsewhere.fhir_id}/{checkup.fhir_id}/"
    assert client.get(there).status_code == 404
    assert client.post(there, {**entered(1), "step": "save"}).status_code == 404
    assertNotContains(client.get("/staff/hours/"), "Elsewhere")


def test_a_practitioner_sets_their_own_alone(as_chen, checkup, site):
    colleague = ScheduleFactory(services=[checkup], site=site)
    assert as_chen.get(f"/staff/hours/calendars/{colleague.fhir_id}/{checkup.fhir_id}/").status_code == 404


def test_a_calendar_has_only_the_services_it_gives(as_chen, schedule):
    other = ServiceFactory()
    assert as_chen.get(f"/staff/hours/calendars/{schedule.fhir_id}/{other.fhir_id}/").status_code == 404


def test_only_administrators_set_a_service_as_a_whole(as_chen, checkup):
    assert as_chen.get(f"/staff/hours/services/{checkup.fhir_id}/").status_code == 403
