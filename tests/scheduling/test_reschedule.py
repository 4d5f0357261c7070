"""A visit moves whole or not at all, and stays the same visit."""

import pytest
from django.utils import timezone

from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.errors import IllegalTransition, NotFound, TimeNotOffered, TimeTaken
from tests.factories import RoomFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def move(appointment, service, *schedules, at, caller=SOFTWARE):
    offerings = wish(service, *schedules, at=at).offerings
    return booking.reschedule(appointment.fhir_id, offerings=offerings, start=at, caller=caller, now=timezone.now())


def times(appointment):
    slots = appointment.slots.filter(deleted_at=None).order_by("start")
    return list(slots.values_list("status", "start"))


def test_it_takes_the_new_time_and_frees_the_old(service, chen, ada, bo):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    moved = move(appointment, service, chen, at=monday(14))
    assert (moved.fhir_id, moved.status, moved.start) == (appointment.fhir_id, "booked", monday(14))
    assert times(moved) == [("busy", monday(14))]
    assert book(wish(service, chen, at=monday(10), patient=bo)).status == "booked"


def test_it_may_overlap_its_own_old_time(chen, ada):
    service = ServiceFactory(duration=60, buffer_before=15, buffer_after=15)
    chen.services.add(service)
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    moved = move(appointment, service, chen, at=monday(10, 30))
    assert times(moved) == [
        ("busy-unavailable", monday(10, 15)),
        ("busy", monday(10, 30)),
        ("busy-unavailable", monday(11, 30)),
    ]


@pytest.mark.parametrize(("at", "refusal"), [(monday(14), TimeTaken), (monday(20), TimeNotOffered)])
def test_the_old_time_stands_untouched_where_the_new_cannot_be_had(service, chen, ada, bo, at, refusal):
    book(wish(service, chen, at=monday(14), patient=bo))
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(refusal):
        move(appointment, service, chen, at=at)
    appointment.refresh_from_db()
    assert (appointment.start, appointment.version) == (monday(10), 1)
    assert times(appointment) == [("busy", monday(10))]


def test_another_room_at_the_same_time_exchanges_the_actors(service, chen, ada):
    old, new = (ScheduleFactory(services=[service], actor=RoomFactory(name=name)) for name in ("One", "Two"))
    appointment = book(wish(service, chen, old, at=monday(10), patient=ada))
    moved = move(appointment, service, chen, new, at=monday(10))
    references = [each["actor"]["reference"] for each in moved.participant]
    assert sorted(references) == sorted([chen.actor.reference, new.actor.reference, ada.reference])


def test_a_hold_stays_a_hold(service, chen, ada):
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    moved = move(held, service, chen, at=monday(11))
    assert (moved.status, moved.hold_expires_at) == ("pending", held.hold_expires_at)
    assert times(moved) == [("busy-tentative", monday(11))]
    assert booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now()).start == monday(11)


def test_a_cancelled_visit_does_not_move(service, chen, ada):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    booking.cancel(appointment.fhir_id, caller=SOFTWARE, now=timezone.now())
    with pytest.raises(IllegalTransition, match=r"cancelled.*rescheduled"):
        move(appointment, service, chen, at=monday(11))


def test_nobody_moves_another_patients_visit(service, chen, ada, bo):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(NotFound):
        move(appointment, service, chen, at=monday(11), caller=Caller(user=bo.user))


def test_found_times_leave_out_ones_own_visit_when_asked_to(service, chen, ada):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    offerings = wish(service, chen, at=monday(10)).offerings
    ask = {"start": monday(10, 15), "now": timezone.now()}
    assert not availability.is_offered(service, offerings, **ask)
    assert availability.is_offered(service, offerings, **ask, without=appointment)
