"""The desk sees which booked visits cannot take place as they are, and why."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Patient, Practitioner
from tests.factories import AppointmentFactory, PatientFactory, RoleFactory, ScheduleFactory

pytestmark = pytest.mark.django_db
PAGE = "/staff/hours/"


def visit(checkup, schedule, site, start, **patient):
    end = start + timedelta(minutes=30)
    person = PatientFactory(**patient)
    return AppointmentFactory(patient=person, service=checkup, start=start, end=end, schedules=[schedule], site=site)


def test_visits_with_who_has_left_and_of_who_has_died(as_rana, checkup, schedule, chen, site, ten):
    visit(checkup, schedule, site, ten, family="Byron")
    visit(
        checkup,
        schedule,
        site,
        ten + timedelta(hours=1),
        family="Merged",
        extra={"link": [{"type": "replaced-by", "other": {"reference": "Patient/x", "display": "Eve Long"}}]},
    )
    assertContains(as_rana.get(PAGE), "Merged into Eve Long")
    assertNotContains(as_rana.get(PAGE), "Byron")
    Patient.objects.filter(family="Byron").update(extra={"deceasedBoolean": True})
    assertContains(as_rana.get(PAGE), "<strong>Died</strong>", html=True)
    Patient.objects.filter(family="Byron").update(extra={}, active=False)
    assertContains(as_rana.get(PAGE), "<strong>Inactive record</strong>", html=True)
    Patient.objects.filter(family="Byron").update(active=True)
    Practitioner.objects.filter(pk=chen.pk).update(active=False)
    assertContains(as_rana.get(PAGE), f"{chen} has left")
    Patient.objects.filter(family="Byron").update(birth_date=date(1985, 3, 27))
    assertContains(as_rana.get(PAGE), "Mar 27, 1985")


def test_visits_on_a_day_on_which_a_role_does_not_work(as_rana, checkup, site, ten):
    role = RoleFactory()
    schedule = ScheduleFactory(actor=role, services=[checkup], site=site)
    visit(checkup, schedule, site, ten, family="Byron")
    day = ten.date().isoformat()
    for away in ({"period": {"end": day}}, {"notAvailable": []}):
        role.extra = away
        role.save()
        assertNotContains(as_rana.get(PAGE), "Byron")
    role.extra = {"notAvailable": [{"description": "Leave", "during": {"start": day, "end": day}}]}
    role.save()
    assertContains(as_rana.get(PAGE), "does not work there at that time")


def test_it_asks_as_much_for_many_as_for_one(as_rana, checkup, site, ten):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            assert as_rana.get(PAGE).status_code == 200
        return len(queries)

    role = RoleFactory(active=False)
    schedule = ScheduleFactory(actor=role, services=[checkup], site=site)
    statements()  # the first page of a process reads the zones of the sites, which are kept
    visit(checkup, schedule, site, ten)
    one = statements()
    for hour in range(1, 5):
        visit(checkup, schedule, site, ten + timedelta(hours=hour))
    assert statements() == one
