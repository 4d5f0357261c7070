"""Blocks, and moves that override the rules, among bookings of the same moment."""

from datetime import timedelta
from functools import partial

import pytest

from clinic.models import Appointment
from scheduling import booking
from scheduling.errors import TimeTaken
from tests.scheduling.races.arena import block, do, kinds, later, overlaps, slow, without_the_constraint
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_bookings_leave_of_a_day_is_blocked_and_nothing_else_is_refused(service, chen, boss):
    for day in range(10):
        day += 2 * (day // 5)
        requests = [wish(service, chen, at=monday(hour, days=day)) for hour in (9, 10, 11, 14, 15)]
        blocking = partial(block, chen, monday(9, days=day), monday(12, days=day), boss)
        [blocked, *booked] = at_once([blocking, *(partial(book, each) for each in requests)])

        in_the_way = [each for each in booked[:3] if isinstance(each, Appointment)]
        hours = sum((each.end - each.start for each in [*blocked, *in_the_way]), timedelta())
        assert hours == timedelta(hours=3)
        assert kinds(booked[3:]) == {Appointment: 2}
    assert overlaps() == 0


def blocked_as_it_is_booked(service, schedule, caller):
    with slow("clinic_slot", "INSERT"):
        return at_once(
            [
                partial(book, wish(service, schedule, at=monday(10))),
                later(partial(block, schedule, monday(9), monday(12), caller)),
            ]
        )


def test_a_block_goes_around_a_booking_that_is_just_being_made(service, chen, boss):
    [booked, blocked] = blocked_as_it_is_booked(service, chen, boss)
    assert booked.status == "booked"
    assert [each.start for each in blocked] == [monday(9), monday(10, 30)]


def test_without_owning_the_bookable_first_it_is_refused_free_time(service, chen, boss, without):
    without("blocks.own_bookables")
    [_, blocked] = blocked_as_it_is_booked(service, chen, boss)
    assert isinstance(blocked, TimeTaken)


def moved_off_the_grid_onto_a_booking(service, schedule, caller, day=0):
    visit = book(wish(service, schedule, at=monday(9, days=day)))
    request = wish(service, schedule, at=monday(14, days=day))
    move = do(
        booking.reschedule,
        visit,
        offerings=request.offerings,
        start=monday(13, 53, days=day),
        override="She asked for it",
        caller=caller,
    )
    return at_once([move, partial(book, request)])


def test_a_move_that_overrides_the_rules_and_a_booking_never_share_time(service, chen, boss):
    for day in (0, 1, 2, 3, 4, 7, 8, 9):
        outcomes = moved_off_the_grid_onto_a_booking(service, chen, boss, day)
        assert kinds(outcomes)[Appointment] == 1
    assert overlaps() == 0


def test_without_owning_the_bookables_and_the_constraint_they_do(service, chen, boss, without):
    without("visits.own_bookables")
    with without_the_constraint(), slow("clinic_slot", "INSERT"):
        assert kinds(moved_off_the_grid_onto_a_booking(service, chen, boss)) == {Appointment: 2}
        assert overlaps() == 1
