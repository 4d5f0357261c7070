"""Blocks, and moves that override the rules, among bookings of the same moment."""

from datetime import timedelta
from functools import partial

import pytest

from clinic.models import Appointment, Slot
from scheduling import booking
from scheduling.errors import TimeTaken
from tests.scheduling.races.arena import block, do, kinds, later, overlaps, slow, without_the_constraint
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_day_is_blocked_among_bookings_and_nothing_else_is_refused(service, chen, boss):
    for day in range(10):
        day += 2 * (day // 5)
        requests = [wish(service, chen, at=monday(hour, days=day)) for hour in (9, 10, 11, 14, 15)]
        blocking = partial(block, chen, monday(9, days=day), monday(12, days=day), boss)
        [blocked, *booked] = at_once([blocking, *(partial(book, each) for each in requests)])

        assert [each.end - each.start for each in blocked] == [timedelta(hours=3)]
        assert kinds(booked[:3]).keys() <= {Appointment, TimeTaken}
        assert kinds(booked[3:]) == {Appointment: 2}
    assert overlaps() == 0


def blocked_as_it_is_booked(service, schedule, caller, *, around):
    with slow("clinic_slot", "INSERT"):
        return at_once(
            [
                partial(book, wish(service, schedule, at=monday(10))),
                later(partial(block, schedule, monday(9), monday(12), caller, around=around)),
            ]
        )


def test_a_block_sees_a_booking_that_is_just_being_made(service, chen, boss):
    [booked, blocked] = blocked_as_it_is_booked(service, chen, boss, around=False)
    assert booked.status == "booked"
    assert isinstance(blocked, TimeTaken)
    [_, blocked] = blocked_as_it_is_booked(service, chen, boss, around=True)
    assert [(each.start, each.end) for each in blocked] == [(monday(9), monday(12))]


def test_without_owning_the_bookable_first_it_does_not(service, chen, boss, without):
    without("blocks.own_bookables")
    [booked, blocked] = blocked_as_it_is_booked(service, chen, boss, around=False)
    assert booked.status == "booked"
    assert [(each.start, each.end) for each in blocked] == [(monday(9), monday(12))]


def cancelled_as_it_is_booked(service, schedule, caller, *, lies_under):
    """A visit in a block is cancelled while somebody books its time; before that, the block lay round the visit."""
    visit = book(wish(service, schedule, at=monday(10)))
    block(schedule, monday(9), monday(12), caller)
    if not lies_under:
        Slot.objects.filter(lies_under=True).update(end=monday(10))
    with slow("clinic_auditevent", "INSERT"):
        cancelling = do(booking.cancel, visit)
        booking_it = [later(partial(book, wish(service, schedule, at=monday(10)))) for _ in range(2)]
        outcomes = at_once([cancelling, *booking_it])
        afterwards = at_once([partial(book, wish(service, schedule, at=monday(10)))])
    return kinds([*outcomes[1:], *afterwards])


def test_the_time_of_a_visit_in_a_block_is_not_booked_beside_its_cancellation(service, chen, boss):
    assert cancelled_as_it_is_booked(service, chen, boss, lies_under=True) == {TimeTaken: 3}


def test_without_the_block_under_the_visit_it_is(service, chen, boss):
    assert cancelled_as_it_is_booked(service, chen, boss, lies_under=False)[Appointment] == 1


def moved_off_the_grid_onto_a_booking(service, schedule, caller, day=0):
    visit = book(wish(service, schedule, at=monday(9, days=day)))
    request = wish(service, schedule, at=monday(14, days=day))
    move = do(
        booking.reschedule,
        visit,
        booking.RescheduleRequest(
            offerings=request.offerings, start=monday(13, 53, days=day), override="She asked for it"
        ),
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
