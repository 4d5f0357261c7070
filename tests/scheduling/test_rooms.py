"""The room and the devices that a visit gets once its patient has come."""

from datetime import timedelta

import pytest

from clinic.models import AuditEvent, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import RoomRequest
from scheduling.errors import Forbidden, IllegalTransition, NotFound, RuleBroken, TimeTaken, VersionConflict
from scheduling.participants import references_of
from tests.factories import DeviceFactory, LocationFactory, RoomFactory, ScheduleFactory, SlotFactory, UserFactory
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def site(db):
    return LocationFactory()


@pytest.fixture
def chen(service, site):
    return ScheduleFactory(services=[service], site=site)


@pytest.fixture
def rooms(site):
    return [ScheduleFactory(actor=RoomFactory(name=f"Room {number}", part_of=site), site=site) for number in (1, 2)]


@pytest.fixture
def desk(site):
    return Caller(user=UserFactory(desk_locations=[site]))


@pytest.fixture
def visit(service, chen, ada):
    """Ada's visit at ten on a Monday."""
    return book(wish(service, chen, at=monday(10), patient=ada))


def give(visit, *rooms, caller, now=None, **more):
    request = RoomRequest(schedules=[room.fhir_id for room in rooms], **more)
    return booking.give_rooms(visit.fhir_id, request, caller=caller, now=now or monday(9, 55))


def times(visit, room):
    slots = Slot.objects.filter(appointment=visit, schedule=room, deleted_at=None)
    return list(slots.values_list("start", "end"))


def places(visit):
    return references_of(visit.participant, "Location/")


def free(visit, now):
    return booking.free_rooms(visit, now=now)


def test_a_patient_who_comes_gets_a_room_with_the_step(visit, rooms, desk):
    one, two = rooms
    assert free(visit, monday(9, 55)) == rooms
    arrived = give(visit, one, caller=desk, status="arrived")
    assert (arrived.status, places(arrived)) == ("arrived", [one.bookable.actor.reference])
    assert times(visit, one) == [(monday(10), monday(10, 30))]
    assert free(visit, monday(9, 55)) == [two]
    called = give(visit, two, caller=desk, status="checked-in")
    assert (called.status, places(called)) == ("checked-in", [two.bookable.actor.reference])
    assert times(visit, one) == []
    subtypes = AuditEvent.objects.filter(appointment=visit).order_by("pk").values_list("subtype", flat=True)
    assert list(subtypes) == ["book", "arrived", "room", "checked-in", "room"]
    assert places(give(visit, caller=desk)) == []


def test_a_visit_that_begins_late_takes_the_room_from_then_on_for_its_length(visit, rooms, desk):
    SlotFactory(schedule=rooms[0], start=monday(10), end=monday(10, 30))
    late = monday(10, 40)
    give(visit, rooms[0], caller=desk, now=late, status="arrived")
    assert times(visit, rooms[0]) == [(late, late + HALF_AN_HOUR)]


def test_a_device_is_taken_too_and_named_to_nobody(visit, rooms, desk, site):
    scanner = ScheduleFactory(actor=DeviceFactory(), site=site)
    arrived = give(visit, rooms[0], scanner, caller=desk, status="arrived")
    assert booking.rooms_in_use(arrived) == [rooms[0], scanner]
    assert "Device/" not in str(arrived.participant)


def test_rooms_that_are_taken_closed_or_elsewhere_are_not_offered(visit, rooms, desk, site):
    one, two = rooms
    SlotFactory(schedule=one, start=monday(10, 15), end=monday(10, 45))
    two.bookable.location.status = "suspended"
    two.bookable.location.save()
    elsewhere = ScheduleFactory(actor=RoomFactory(), site=LocationFactory())
    assert free(visit, monday(9, 55)) == []
    for room, refusal in ((one, TimeTaken), (two, NotFound), (elsewhere, NotFound)):
        with pytest.raises(refusal):
            give(visit, room, caller=desk, status="arrived")
    visit.refresh_from_db()
    assert visit.status == "booked"  # the step is not recorded without the room


@pytest.mark.parametrize(
    ("refusal", "more"), [(IllegalTransition, {}), (VersionConflict, {"status": "arrived", "version": 7})]
)
def test_nobody_who_has_not_come_gets_a_room_and_no_change_is_overwritten(visit, rooms, desk, refusal, more):
    with pytest.raises(refusal):
        give(visit, rooms[0], caller=desk, **more)


def test_only_staff_of_the_visit_give_rooms(visit, rooms, ada):
    with pytest.raises(RuleBroken):
        give(visit, rooms[0], caller=Caller(user=ada.user), status="arrived")
    with pytest.raises((NotFound, Forbidden)):
        give(visit, rooms[0], caller=Caller(user=UserFactory(desk_locations=[LocationFactory()])), status="arrived")


def test_a_room_that_was_booked_with_the_visit_is_exchanged_with_its_buffers(service, chen, ada, rooms, desk):
    one, two = rooms
    one.services.add(service)
    service.buffer_after = 10
    service.requires = ["Practitioner", "Location"]
    service.save()
    visit = book(wish(service, chen, one, at=monday(10), patient=ada))
    give(visit, two, caller=desk, status="arrived")
    assert not Slot.objects.filter(appointment=visit, schedule=one, deleted_at=None).exists()
    assert Slot.objects.filter(appointment=visit, schedule=chen, deleted_at=None).exists()
    assert times(visit, two) == [(monday(10), monday(10, 30))]
