"""A visit moves whole or not at all, and stays the same visit."""

from datetime import timedelta

import pytest
from django.utils import timezone

from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.availability import with_duration
from scheduling.errors import (
    HoldExpired,
    IllegalTransition,
    NotFound,
    RuleBroken,
    TimeNotOffered,
    TimeTaken,
    VersionConflict,
)
from tests.factories import RoomFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import SOFTWARE, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


def move(appointment, service, *schedules, at, caller=SOFTWARE):
    offerings = wish(service, *schedules, at=at).offerings
    return booking.reschedule(
        appointment.fhir_id, booking.RescheduleRequest(offerings=offerings, start=at), caller=caller, now=timezone.now()
    )


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


def test_another_patients_visit_cannot_be_moved(service, chen, ada, bo):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(NotFound):
        move(appointment, service, chen, at=monday(11), caller=Caller(user=bo.user))


def test_found_times_leave_out_ones_own_visit_when_asked_to(service, chen, ada):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    offerings = wish(service, chen, at=monday(10)).offerings
    ask = {"start": monday(10, 15), "now": timezone.now()}
    assert not availability.is_offered(service, offerings, **ask)
    assert availability.is_offered(service, offerings, **ask, without=appointment)


def test_the_version_that_was_seen_moves_and_no_other(service, chen, ada):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    offerings = wish(service, chen, at=monday(11)).offerings
    first, second = (
        booking.RescheduleRequest(offerings=offerings, start=monday(hour), version=appointment.version)
        for hour in (11, 12)
    )
    booking.reschedule(appointment.fhir_id, first, caller=SOFTWARE, now=timezone.now())
    with pytest.raises(VersionConflict):
        booking.reschedule(appointment.fhir_id, second, caller=SOFTWARE, now=timezone.now())


def test_every_move_of_a_booking_counts_and_none_of_a_hold(service, chen, ada, bo):
    """The SEQUENCE of RFC 5545, by which calendar programs know the later of two invitations."""
    booked = book(wish(service, chen, at=monday(10), patient=ada))
    held = hold(wish(service, chen, at=monday(11), patient=bo))
    assert [move(booked, service, chen, at=monday(hour)).sequence for hour in (14, 15)] == [1, 2]
    assert move(held, service, chen, at=monday(16)).sequence == 0
    assert booking.cancel(booked.fhir_id, caller=SOFTWARE, now=timezone.now()).sequence == 3


def test_a_patient_moves_until_the_notice_but_a_hold_until_it_expires(chen, ada):
    service = ServiceFactory(cancellation_notice=timedelta(days=60))
    chen.services.add(service)
    caller = Caller(user=ada.user)
    held = hold(wish(service, chen, at=monday(10), patient=ada), caller)
    assert move(held, service, chen, at=monday(11), caller=caller).start == monday(11)
    booking.confirm(held.fhir_id, caller=caller, now=timezone.now())
    with pytest.raises(RuleBroken, match="moved until 1440 hours"):
        move(held, service, chen, at=monday(12), caller=caller)


def test_a_hold_that_is_over_by_the_databases_clock_is_not_moved(service, chen, ada):
    """The server's own clock does not matter."""
    held = run_out(hold(wish(service, chen, at=monday(10), patient=ada)))
    offerings = wish(service, chen, at=monday(11)).offerings
    with pytest.raises(HoldExpired):
        booking.reschedule(
            held.fhir_id,
            booking.RescheduleRequest(offerings=offerings, start=monday(11)),
            caller=SOFTWARE,
            now=held.hold_expires_at - timedelta(minutes=1),
        )
    assert times(held) == [("busy-tentative", monday(10))]


# Longer and shorter


def resize(appointment, service, *schedules, minutes, at=None):
    offerings = with_duration(wish(service, *schedules, at=monday(10)).offerings, timedelta(minutes=minutes))
    return booking.reschedule(
        appointment.fhir_id,
        booking.RescheduleRequest(offerings=offerings, start=at or monday(10)),
        caller=SOFTWARE,
        now=timezone.now(),
    )


def test_a_longer_visit_keeps_its_buffers_and_its_place(chen, ada):
    service = ServiceFactory(buffer_before=5, buffer_after=10)
    chen.services.add(service)
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    longer = resize(appointment, service, chen, minutes=50)
    assert (longer.start, longer.end) == (monday(10), monday(10, 50))
    assert times(longer) == [
        ("busy-unavailable", monday(9, 55)),
        ("busy", monday(10)),
        ("busy-unavailable", monday(10, 50)),
    ]


def test_it_does_not_grow_into_the_next_one(service, chen, ada, bo):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    book(wish(service, chen, at=monday(10, 30), patient=bo))
    with pytest.raises(TimeTaken):
        resize(appointment, service, chen, minutes=31)
    appointment.refresh_from_db()
    assert appointment.end == monday(10, 30)


def test_the_rest_of_a_shortened_visit_is_free(service, chen, ada, bo):
    appointment = book(wish(service, chen, at=monday(10), patient=ada))
    resize(appointment, service, chen, minutes=15)
    assert book(wish(service, chen, at=monday(10, 15), patient=bo)).status == "booked"


def test_on_every_schedule_or_on_none(service, chen, ada, bo):
    room = ScheduleFactory(services=[service], actor=RoomFactory())
    appointment = book(wish(service, chen, room, at=monday(10), patient=ada))
    book(wish(service, room, at=monday(10, 30), patient=bo))
    with pytest.raises(TimeTaken):
        resize(appointment, service, chen, room, minutes=60)
    assert times(appointment) == [("busy", monday(10))] * 2


def test_nor_beyond_the_closing_time(service, chen, ada):
    appointment = book(wish(service, chen, at=monday(16, 30), patient=ada))
    with pytest.raises(TimeNotOffered, match="outside the hours"):
        resize(appointment, service, chen, minutes=45, at=monday(16, 30))
