"""The accounts of staff who see a visit are those whose lists have it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import StaffRole, User
from scheduling import access
from scheduling.access import Action, Caller
from tests.factories import AppointmentFactory, LocationFactory, PractitionerFactory, ScheduleFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit():
    site, doctor = LocationFactory(), PractitionerFactory(user=UserFactory())
    schedule = ScheduleFactory(actor=doctor, site=site)
    other_site, other_doctor = LocationFactory(), PractitionerFactory(user=UserFactory())
    for role, bounds in (
        ("owner", {}),
        ("manager", {}),
        ("assistant", {"practitioner": doctor}),
        ("assistant", {"practitioner": other_doctor}),
        ("billing", {"site": site}),
        ("billing", {"site": other_site}),
        ("billing", {}),
        ("reader", {"site": site}),
        ("reader", {}),
    ):
        StaffRole.objects.create(user=UserFactory(), role=role, **bounds)
    UserFactory(is_superuser=True)
    UserFactory(is_superuser=True, is_active=False)
    for place in (site, other_site):
        UserFactory(desk_locations=[place])
    return AppointmentFactory(site=site, start=timezone.now() + timedelta(days=1), schedules=[schedule])


@pytest.mark.parametrize("action", [Action.SEE, Action.RUN])
def test_those_who_see_a_visit_are_found_from_it(visit, action):
    found = set(access.staff_of_visit(visit, action))
    able = {
        user
        for user in User.objects.filter(is_active=True)
        if (caller := access.acting_for(Caller(user=user), action))
        and access.staff_appointments(caller).filter(pk=visit.pk).exists()
    }
    assert found == able
    assert len(found) == {Action.SEE: 10, Action.RUN: 6}[action]


def test_those_who_change_records_are_found(visit):
    found = set(access.staff_of_records())
    assert found == {user for user in User.objects.filter(is_active=True) if Caller(user=user).runs_desk}
    assert found
