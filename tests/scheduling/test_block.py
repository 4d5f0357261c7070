"""Time that the people of a calendar keep for themselves."""

import pytest
from django.utils import timezone

from clinic.models import AuditEvent, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import BlockRequest, Extent
from scheduling.errors import Forbidden, NotFound, TimeTaken
from tests.factories import SlotFactory, UserFactory
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss():
    return Caller(user=UserFactory(is_superuser=True))


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


def test_what_is_taken_from_end_to_end_cannot_be_blocked(chen, boss):
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    with pytest.raises(TimeTaken):
        block(chen, boss, span(10, 11), around=True)


def test_the_parts_of_an_occasion_go_together(chen, boss):
    SlotFactory(schedule=chen, start=monday(10, 30), end=monday(11))
    [first, _second] = block(chen, boss, span(10, 12), around=True)
    assert booking.unblock(first.fhir_id, Extent.ONE, caller=boss, now=timezone.now()) == 2


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
