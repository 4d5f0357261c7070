"""Time that the people of a calendar keep for themselves."""

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from clinic.models import AuditEvent, Slot
from portal.staff.calendar.block_forms import BlockForm
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import BlockRequest, Extent
from scheduling.errors import Forbidden, Invalid, NotFound, TimeTaken
from tests.factories import NEW_YORK, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.situations import at_once, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


def span(*hours):
    return tuple(int(monday(hour).timestamp()) for hour in hours)


def block(schedule, caller, *occasions, around=False):
    request = BlockRequest(schedule=schedule, occasions=occasions, comment="Leave", around=around)
    return booking.block(request, caller=caller, now=timezone.now())


def test_who_did_it_to_which_calendar_is_kept(chen, boss):
    block(chen, boss, span(10, 11))
    line = AuditEvent.objects.get(subtype="block")
    assert (line.user, line.extra["entity"]) == (boss.user, [{"what": {"reference": chen.reference}}])


def test_all_or_nothing_unless_one_asks_for_the_rest(chen, boss):
    SlotFactory(schedule=chen, start=monday(10, 30), end=monday(11))
    with pytest.raises(TimeTaken):
        block(chen, boss, span(10, 12))
    assert Slot.objects.count() == 1
    slots = block(chen, boss, span(10, 12), around=True)
    assert [(each.start, each.end) for each in slots] == [(monday(10), monday(10, 30)), (monday(11), monday(12))]


def test_a_visit_and_its_buffers_stay_and_the_rest_is_blocked(chen, ada, boss):
    service = ServiceFactory(buffer_before=5, buffer_after=10)
    chen.services.add(service)
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    slots = block(chen, boss, span(9, 12), around=True)
    assert [(each.start, each.end) for each in slots] == [(monday(9), monday(9, 55)), (monday(10, 40), monday(12))]
    assert visit.slots.filter(deleted_at=None).count() == 3


def test_one_person_is_blocked_on_all_their_schedules(service, chen, ada, boss):
    elsewhere = ScheduleFactory(services=[service], actor=chen.actor, timezone="America/Los_Angeles")
    block(chen, boss, span(13, 14))
    with pytest.raises(TimeTaken):
        book(wish(service, elsewhere, at=monday(13), patient=ada))


def test_a_hold_that_ran_out_is_in_no_blocks_way(service, chen, boss):
    run_out(hold(wish(service, chen, at=monday(10))))
    assert len(block(chen, boss, span(10, 11))) == 1


def test_without_a_day_there_is_nothing_to_block(chen, boss):
    with pytest.raises(Invalid, match="no day"):
        block(chen, boss)


def test_what_is_taken_from_end_to_end_cannot_be_blocked(chen, boss):
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    with pytest.raises(TimeTaken):
        block(chen, boss, span(10, 11), around=True)


def test_the_parts_of_an_occasion_go_together(chen, boss):
    SlotFactory(schedule=chen, start=monday(10, 30), end=monday(11))
    [first, _second] = block(chen, boss, span(10, 12), around=True)
    assert booking.unblock(first.fhir_id, Extent.ONE, caller=boss, now=timezone.now()) == 2


@pytest.mark.parametrize(("extent", "left"), [(Extent.ONE, [9, 15]), (Extent.FOLLOWING, [9]), (Extent.ALL, [])])
def test_how_much_of_a_repeated_block_goes(chen, boss, extent, left):
    SlotFactory(schedule=chen, start=monday(12, 30), end=monday(12, 40))
    slots = block(chen, boss, span(9, 10), span(12, 13), span(15, 16), around=True)
    assert booking.is_repeated(slots[0])
    booking.unblock(slots[2].fhir_id, extent, caller=boss, now=timezone.now())  # the later part of the second
    kept = Slot.objects.filter(status="busy-unavailable", deleted_at=None).order_by("start")
    assert [each.start for each in kept] == [monday(hour) for hour in left]


def test_another_block_stays(chen, boss):
    mine, _other = block(chen, boss, span(9, 10)), block(chen, boss, span(12, 13))
    assert not booking.is_repeated(mine[0])
    assert booking.unblock(mine[0].fhir_id, Extent.ALL, caller=boss, now=timezone.now()) == 1


def test_what_is_unblocked_can_be_booked(service, chen, ada, boss):
    [slot] = block(chen, boss, span(10, 11))
    booking.unblock(slot.fhir_id, Extent.ONE, caller=boss, now=timezone.now())
    assert book(wish(service, chen, at=monday(10), patient=ada)).status == "booked"


def test_repeated_across_a_clock_change_it_keeps_its_time_on_the_wall(chen, boss):
    """On Sunday, 14 March 2027, New York's clocks go from 02:00 to 03:00."""
    form = BlockForm(
        {
            "calendar": chen.fhir_id,
            "reason": "lunch",
            "first": "2027-03-08",
            "until": "2027-03-21",
            "weekdays": ["0", "6"],
            "start": "12:00",
            "end": "13:00",
        },
        schedules=[chen],
    )
    assert form.is_valid(), form.errors
    zone = ZoneInfo(NEW_YORK)
    slots = block(chen, boss, *form.occasions(zone))
    starts = [each.start for each in slots]
    assert [each.astimezone(zone).date() for each in starts] == [date(2027, 3, day) for day in (8, 14, 15, 21)]
    assert {each.astimezone(zone).time() for each in starts} == {time(12)}
    assert [each.hour for each in starts] == [17, 16, 16, 16]


def test_a_visits_slot_is_no_block(service, chen, ada, boss):
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    with pytest.raises(NotFound):
        booking.unblock(visit.slots.get().fhir_id, Extent.ALL, caller=boss, now=timezone.now())


def test_only_who_works_by_the_calendar_blocks_it(chen, ada):
    with pytest.raises(Forbidden):
        block(chen, Caller(user=ada.user), span(10, 11))


def test_a_block_and_a_booking_at_once_never_both_have_the_time(service, chen, ada, boss):
    outcomes = at_once(
        [
            lambda: block(chen, boss, span(10, 11)),
            lambda: book(wish(service, chen, at=monday(10), patient=ada)),
        ]
    )
    assert sum(isinstance(each, TimeTaken) for each in outcomes) == 1
    assert Slot.objects.filter(deleted_at=None).count() == 1
