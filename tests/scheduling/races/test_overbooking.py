"""Eight at the desk at once, and a calendar that may have two extra visits a day: exactly two are booked."""

from dataclasses import replace
from functools import partial

import pytest

from clinic.models import Appointment, Slot
from scheduling.access import Caller
from scheduling.errors import RuleBroken
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.races.arena import kinds, slow
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
DESKS = 8


@pytest.fixture
def acts():
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service], extra_limit=2)
    boss = Caller(user=UserFactory(is_superuser=True))
    for hour in range(9, 9 + DESKS // 2):
        book(wish(service, schedule, at=monday(hour), patient=PatientFactory()))
    patients = PatientFactory.create_batch(DESKS)
    requests = [wish(service, schedule, at=monday(9 + n // 2), patient=each) for n, each in enumerate(patients)]
    return [partial(book, replace(each, overbook="In pain"), boss) for each in requests]


def test_two_of_eight_are_booked(acts):
    assert kinds(at_once(acts)) == {Appointment: 2, RuleBroken: DESKS - 2}
    assert Slot.objects.filter(seat__lt=0).count() == 2


def test_without_the_lock_more_are_booked(acts, without):
    """The control: who counts without the lock does not see those who are about to book."""
    without("visits.own_bookables")
    with slow("clinic_slot", "INSERT"):
        outcomes = at_once(acts)
    assert kinds(outcomes)[Appointment] > 2
