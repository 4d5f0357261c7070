"""Blocks: time that staff keep free of visits."""

from datetime import date, time, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, AppointmentResponse, AuditEvent, Slot
from portal.staff.calendar.block_forms import BlockForm
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.availability import (
    Reason,
    TimeQuery,
    arrangements_for,
    as_datetime,
    find_times,
    offerings_of,
    ways_of,
    with_duration,
)
from scheduling.booking import BlockRequest, Extent
from scheduling.errors import Forbidden, Invalid, NotFound, TimeTaken
from tests.factories import NEW_YORK, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.situations import SOFTWARE, at_once, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


def span(*hours):
    return tuple(int(monday(hour).timestamp()) for hour in hours)


def block(schedule, caller, *occasions, around=False):
    request = BlockRequest(schedule=schedule, occasions=occasions, comment="Leave", around=around)
    return booking.block(request, caller=caller, now=timezone.now())


def test_the_audit_names_the_user_and_the_calendar(chen, boss):
    block(chen, boss, span(10, 11))
    line = AuditEvent.objects.get(subtype="block")
    assert (line.user, line.extra["entity"]) == (boss.user, [{"what": {"reference": chen.reference}}])


def test_all_or_nothing_unless_one_asks_for_the_rest(chen, boss):
    SlotFactory(schedule=chen, start=monday(10, 30), end=monday(11))
    with pytest.raises(TimeTaken):
        block(chen, boss, span(10, 12))
    assert Slot.objects.count() == 1
    [slot] = block(chen, boss, span(10, 12), around=True)
    assert (slot.start, slot.end, slot.lies_under) == (monday(10), monday(12), True)


def test_a_visit_and_its_buffers_stay_and_the_block_lies_under_them(chen, ada, boss):
    service = ServiceFactory(buffer_before=5, buffer_after=10)
    chen.services.add(service)
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    [slot] = block(chen, boss, span(9, 12), around=True)
    assert (slot.start, slot.end) == (monday(9), monday(12))
    assert visit.slots.filter(deleted_at=None).count() == 3


def test_a_time_that_is_blocked_is_refused_in_these_words(service, chen, ada, boss):
    block(chen, boss, span(10, 12))
    request = wish(service, chen, at=monday(10), patient=ada)
    with pytest.raises(TimeTaken) as refused:
        book(request)
    assert refused.value.issues[0].text == "That time is blocked."
    reasons = availability.explain(service, request.offerings, monday(10), now=timezone.now())
    assert reasons == {request.offerings[0]: [Reason.BLOCKED]}
    assert str(availability.REASONS[Reason.BLOCKED]) == "That time is blocked."


def free(service, schedule):
    """The starts from 9 to 12 that are offered, in New York."""
    ways = arrangements_for(service)
    query = TimeQuery(ways=ways_of(service, ways), start=monday(9), end=monday(12))
    return [as_datetime(each.start) for each in find_times(query, now=timezone.now())]


def cancelled(visit):
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())


def declined(visit):
    answer = AppointmentResponse(appointment=visit, actor=visit.participant[0]["actor"], participant_status="declined")
    with booking.all_or_nothing():
        booking.record_response(answer, caller=SOFTWARE, now=timezone.now())


def entered_in_error(visit):
    booking.change_status(visit.fhir_id, "entered-in-error", caller=SOFTWARE, now=timezone.now())


def moved(visit, *, at=None, minutes=30):
    offerings = with_duration(
        offerings_of(visit.service, [visit.slots.first().schedule.fhir_id]), timedelta(minutes=minutes)
    )
    start = at or monday(14)
    return booking.reschedule(
        visit.fhir_id, booking.RescheduleRequest(offerings=offerings, start=start), caller=SOFTWARE, now=timezone.now()
    )


def shortened(visit):
    moved(visit, at=visit.start, minutes=15)


@pytest.mark.parametrize("let_go", [cancelled, declined, entered_in_error, moved, shortened])
def test_time_that_a_visit_in_a_block_releases_stays_closed(service, chen, ada, boss, let_go):
    """A sick doctor's day is blocked around its visits; the time of a visit that is cancelled is not sold again."""
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    [slot] = block(chen, boss, span(9, 12), around=True)
    let_go(visit)
    assert free(service, chen) == []
    for minute in (0, 15):
        with pytest.raises(TimeTaken):
            book(wish(service, chen, at=monday(10, minute)))
    with pytest.raises(TimeTaken):
        hold(wish(service, chen, at=monday(10)))
    booking.unblock(slot.fhir_id, Extent.ALL, caller=boss, now=timezone.now())
    assert monday(10, 30) in free(service, chen)  # all of its time is released


def test_a_hold_in_a_block_can_be_confirmed_and_its_time_is_closed_once_it_runs_out(service, chen, ada, boss):
    first, second = (hold(wish(service, chen, at=monday(hour), patient=ada)) for hour in (10, 11))
    block(chen, boss, span(9, 12), around=True)
    assert booking.confirm(first.fhir_id, caller=SOFTWARE, now=timezone.now()).status == "booked"
    run_out(second)
    assert free(service, chen) == []
    booking.release_expired_holds(now=timezone.now())
    assert free(service, chen) == []


def test_other_software_takes_no_time_that_is_blocked(chen, boss):
    [slot] = block(chen, boss, span(9, 12))
    mine = Slot(schedule=chen, status="busy", start=monday(10), end=monday(11), last_updated=timezone.now())
    with booking.all_or_nothing():
        assert booking.write_slots([mine]) == [mine]
    elsewhere = SlotFactory(schedule=chen, start=monday(14), end=monday(15))
    elsewhere.start, elsewhere.end = monday(11), monday(13)
    with pytest.raises(TimeTaken), booking.all_or_nothing():
        booking.rewrite_slot(elsewhere, now=timezone.now())
    with booking.all_or_nothing():
        booking.remove_slot(slot, now=timezone.now())
        assert booking.write_slots([mine]) == []


def test_no_visit_is_written_onto_the_slot_of_a_block(service, chen, boss):
    [slot] = block(chen, boss, span(10, 11))
    visit = Appointment(status="booked", service=service, start=monday(10), end=monday(11))
    with pytest.raises(TimeTaken), booking.all_or_nothing():
        booking.record(visit, [slot.pk], caller=SOFTWARE, now=timezone.now())


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


def test_blocked_time_is_not_blocked_twice(chen, boss):
    block(chen, boss, span(10, 12))
    with pytest.raises(TimeTaken, match="blocked already"):
        block(chen, boss, span(10, 11), around=True)
    [longer] = block(chen, boss, span(11, 13), around=True)
    assert (longer.start, longer.end) == (monday(11), monday(13))


@pytest.mark.parametrize(("extent", "left"), [(Extent.ONE, [9, 15]), (Extent.FOLLOWING, [9]), (Extent.ALL, [])])
def test_how_much_of_a_repeated_block_goes(chen, boss, extent, left):
    SlotFactory(schedule=chen, start=monday(12, 30), end=monday(12, 40))
    slots = block(chen, boss, span(9, 10), span(12, 13), span(15, 16), around=True)
    assert booking.is_repeated(slots[0])
    booking.unblock(slots[1].fhir_id, extent, caller=boss, now=timezone.now())
    kept = Slot.objects.filter(status="busy-unavailable", deleted_at=None).order_by("start")
    assert [each.start for each in kept] == [monday(hour) for hour in left]


def test_another_block_stays(chen, boss):
    mine, _other = block(chen, boss, span(9, 10)), block(chen, boss, span(12, 13))
    assert not booking.is_repeated(mine[0])
    assert booking.unblock(mine[0].fhir_id, Extent.ALL, caller=boss, now=timezone.now()) == 1


def test_unblocked_time_can_be_booked(service, chen, ada, boss):
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


def test_blocks_from_before_they_lay_under_visits_become_whole_and_can_go_round_them_again(chen, boss):
    migration = import_module("clinic.migrations.0018_blocks_lie_under_visits")
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    [slot] = block(chen, boss, span(9, 12), around=True)
    with connection.cursor() as cursor:
        cursor.execute(migration.PARTS)
        parts = Slot.objects.filter(status="busy-unavailable", deleted_at=None).order_by("start")
        assert [(each.start, each.end) for each in parts] == [(monday(9), monday(10)), (monday(11), monday(12))]
        with connection.schema_editor() as editor:
            constraint = next(each for each in Slot._meta.constraints if each.name == "slot_never_sold_twice")
            editor.remove_constraint(Slot, constraint)
            cursor.execute(migration.WHOLE)
            editor.add_constraint(Slot, constraint)
    whole = Slot.objects.get(status="busy-unavailable", deleted_at=None)
    assert (whole.start, whole.end, whole.lies_under) == (monday(9), monday(12), True)
    assert whole.identifier == slot.identifier


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
