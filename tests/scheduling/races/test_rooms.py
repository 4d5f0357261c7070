"""Two desks that give one room at once: one visit gets it, and the other keeps what it had."""

import pytest

from clinic.models import Appointment
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import BookingRequest, RoomRequest
from scheduling.errors import TimeTaken
from tests.factories import LocationFactory, PatientFactory, RoomFactory, ScheduleFactory, UserFactory
from tests.scheduling.races.arena import kinds, overlaps, slow, without_the_constraint
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(db):
    return LocationFactory()


@pytest.fixture
def desk(site):
    return Caller(user=UserFactory(desk_locations=[site]))


def both_give(service, site, desk):
    """Give one room to two visits at one time at once, and return both results."""
    room = ScheduleFactory(actor=RoomFactory(part_of=site), site=site)
    visits = [
        book(wish(service, ScheduleFactory(services=[service], site=site), at=monday(10), patient=PatientFactory()))
        for _ in range(2)
    ]
    request = RoomRequest(schedules=[room.fhir_id], status="arrived")
    with slow("clinic_slot", "INSERT"):
        return at_once(
            [
                lambda visit=visit: booking.give_rooms(visit.fhir_id, request, caller=desk, now=monday(10))
                for visit in visits
            ]
        )


def test_one_of_two_gets_the_room_and_the_step(service, site, desk):
    assert kinds(both_give(service, site, desk)) == {Appointment: 1, TimeTaken: 1}
    assert overlaps() == 0
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["arrived", "booked"]


def test_without_the_constraint_and_the_lock_both_would(service, site, desk, without):
    without("rooms.own_bookables")
    with without_the_constraint():
        assert kinds(both_give(service, site, desk)) == {Appointment: 2}
        assert overlaps() == 1


def test_of_two_desks_one_books_the_walk_in(service, site, desk):
    chen = ScheduleFactory(services=[service], site=site)
    start = monday(10)
    requests = [wish(service, chen, at=start, patient=PatientFactory()) for _ in range(2)]

    def walk_in(request: BookingRequest):
        return lambda: booking.walk_in(request, caller=desk, now=start)

    with slow("clinic_slot", "INSERT"):
        outcomes = at_once([walk_in(request) for request in requests])
    assert kinds(outcomes) == {Appointment: 1, TimeTaken: 1}
    assert list(Appointment.objects.values_list("status", flat=True)) == ["arrived"]
