"""A group of three and single bookings want the same five seats: none is sold twice, and none is refused wrongly."""

from dataclasses import replace
from functools import partial

import pytest

from clinic.models import Appointment, AppointmentPatient, Slot
from scheduling.errors import SchedulingError, TimeTaken
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.races.arena import overlaps, slow
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def race():
    """The group's outcome, and those of four single patients."""
    service = ServiceFactory(capacity=5, duration=60, interval=60)
    schedule = ScheduleFactory(services=[service])
    three, four = PatientFactory.create_batch(3), PatientFactory.create_batch(4)
    participants = tuple({"actor": {"reference": each.reference}, "status": "accepted"} for each in three)
    group = replace(wish(service, schedule, at=monday(10), patient=three[0]), participants=participants)
    alone = [wish(service, schedule, at=monday(10), patient=each) for each in four]
    first, *others = at_once([partial(book, request) for request in (group, *alone)])
    return first, others


def sold():
    return Slot.objects.filter(deleted_at=None).count()


@pytest.mark.parametrize("_round", range(3))
def test_a_group_and_single_bookings_share_five_seats(_round):
    group, others = race()
    booked = [each for each in others if isinstance(each, Appointment)]
    assert all(isinstance(each, Appointment | TimeTaken) for each in (group, *others))
    if isinstance(group, Appointment):
        assert (len(booked), sold()) == (2, 5)
        assert AppointmentPatient.objects.filter(appointment=group).count() == 2
    else:
        assert (len(booked), sold()) == (4, 4), "a group that does not fit takes no seat from others"
    assert overlaps() == 0


def test_without_the_lock_of_the_bookable_free_seats_are_refused(without):
    """The control: everybody counts the same seats, so that all but one are refused. Nothing is sold twice."""
    without("visits.own_bookables")
    with slow("clinic_slot", "INSERT"):
        group, others = race()
    refused = [each for each in (group, *others) if isinstance(each, SchedulingError)]
    assert len(refused) >= 3
    assert sold() < 4
    assert overlaps() == 0
