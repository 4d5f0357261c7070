"""Two clients want one Slot that was stored as free: one gets it. Each race has its control."""

from functools import partial

import pytest

from clinic.models import Appointment, Slot
from scheduling.booking import BookingRequest
from scheduling.booking import slots as booking_slots
from scheduling.errors import TimeTaken
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.races.arena import kinds, overlaps, slow
from tests.scheduling.situations import at_once, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def requests(several):
    """Requests of several patients for one stored Slot, after the hours."""
    service = ServiceFactory(duration=30, interval=30)
    schedule = ScheduleFactory(services=[service])
    slot = SlotFactory(schedule=schedule, status="free", start=monday(19), end=monday(19, 30))
    offerings = wish(service, schedule, at=slot.start).offerings
    return [
        BookingRequest(service=service, offerings=offerings, start=slot.start, patient=patient, slots=(slot.pk,))
        for patient in PatientFactory.create_batch(several)
    ]


@pytest.mark.parametrize("take", [book, hold])
def test_one_of_eight_bookings_takes_a_stored_slot(take):
    outcomes = at_once([partial(take, request) for request in requests(8)])
    assert kinds(outcomes) == {Appointment: 1, TimeTaken: 7}
    [winner] = [each for each in outcomes if isinstance(each, Appointment)]
    assert (Slot.objects.get().appointment, overlaps()) == (winner, 0)


def test_without_the_lock_and_the_condition_it_is_sold_twice(without, monkeypatch):
    """The control."""
    without("visits.own_bookables")
    statement, condition, _ = booking_slots._TAKE_STORED.partition("AND (appointment_id IS NULL")
    monkeypatch.setattr(booking_slots, "_TAKE_STORED", f"{statement} AND %s IS NOT NULL")
    assert condition
    with slow("clinic_slot"):
        outcomes = at_once([partial(book, request) for request in requests(2)])
    assert kinds(outcomes) == {Appointment: 2}
    assert Slot.objects.count() == 1
