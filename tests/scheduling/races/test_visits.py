"""Concurrent operations of two people on one visit end as if one had come after the other."""

import pytest

from clinic.models import Appointment
from scheduling import booking
from scheduling.errors import IllegalTransition, VersionConflict
from tests.scheduling.races.arena import do, kinds, later, slow, standing
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def moved_by_two(service, schedule, **seen):
    visit = book(wish(service, schedule, at=monday(10)))
    offerings = wish(service, schedule, at=monday(10)).offerings
    moves = [booking.RescheduleRequest(offerings=offerings, start=monday(hour), **seen) for hour in (11, 13)]
    return kinds(at_once([do(booking.reschedule, visit, move) for move in moves]))


def test_the_second_move_of_one_version_is_a_conflict(service, chen):
    assert moved_by_two(service, chen, version=1) == {Appointment: 1, VersionConflict: 1}


def test_without_the_version_one_undoes_what_the_other_did(service, chen):
    assert moved_by_two(service, chen) == {Appointment: 2}


def cancelled_as_they_say_that_they_come(service, schedule):
    visit = book(wish(service, schedule, at=monday(10)))
    with slow("clinic_appointment"):
        outcomes = at_once([do(booking.cancel, visit), later(do(booking.confirm_attendance, visit))])
    visit.refresh_from_db()
    return kinds(outcomes), visit.status, standing(visit)


def test_a_visit_that_is_being_cancelled_is_attended_by_nobody(service, chen):
    outcomes = {Appointment: 1, IllegalTransition: 1}
    assert cancelled_as_they_say_that_they_come(service, chen) == (outcomes, "cancelled", [])


def test_without_the_lock_of_the_row_it_is_booked_again_and_has_no_time(service, chen, without_row_locks):
    assert cancelled_as_they_say_that_they_come(service, chen) == ({Appointment: 2}, "booked", [])
