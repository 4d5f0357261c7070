"""Undoing a cancellation: the old time again, or a reason why not."""

import pytest
from django.utils import timezone

from clinic.models import AuditEvent, Communication, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import BlockRequest
from scheduling.errors import Forbidden, IllegalTransition, PatientElsewhere, RuleBroken, TimeTaken
from tests.factories import LocationFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import at_once, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    return Caller(user=UserFactory(is_superuser=True))


@pytest.fixture
def cancelled(service, chen, ada, desk):
    return cancel(book(wish(service, chen, at=monday(10), patient=ada)), desk)


def cancel(appointment, caller, **more):
    return booking.cancel(appointment.fhir_id, caller=caller, now=timezone.now(), **more)


def restore(appointment, caller, **more):
    return booking.restore(appointment.fhir_id, caller=caller, now=timezone.now(), **more)


def standing(appointment):
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None).order_by("start")
    return list(slots.values_list("bookable", "start", "end", "status", "seat"))


def test_the_visit_has_its_time_and_its_patient_again(cancelled, desk):
    restored = restore(cancelled, desk)
    assert (restored.status, restored.cancelation_reason) == ("booked", None)
    assert {participant["status"] for participant in restored.participant} == {"accepted"}
    assert [slot[1:4] for slot in standing(restored)] == [(restored.start, restored.end, "busy")]
    assert restored.sequence == cancelled.sequence + 1
    assert list(AuditEvent.objects.order_by("pk").values_list("subtype", flat=True)) == ["book", "cancel", "restore"]


def test_buffers_seats_and_further_schedules_come_back_as_they_were(chen, ada, desk):
    service = ServiceFactory(capacity=3, buffer_after=10)
    chen.services.add(service)
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    before = standing(visit)
    cancel(visit, desk)
    restore(visit, desk)
    assert standing(visit) == before
    assert len(before) == 2


def test_a_time_that_was_sold_meanwhile_stays_sold(cancelled, service, chen, bo, desk):
    book(wish(service, chen, at=monday(10), patient=bo))
    with pytest.raises(TimeTaken):
        restore(cancelled, desk)
    cancelled.refresh_from_db()
    assert (cancelled.status, standing(cancelled)) == ("cancelled", [])


def test_a_time_that_was_blocked_meanwhile_stays_blocked(cancelled, chen, desk):
    span = (int(cancelled.start.timestamp()), int(cancelled.end.timestamp()))
    booking.block(BlockRequest(schedule=chen, occasions=(span,), comment="Ill"), caller=desk, now=timezone.now())
    with pytest.raises(TimeTaken, match="blocked in the meantime"):
        restore(cancelled, desk)


def test_a_block_from_before_lies_under_it_again(service, chen, ada, desk):
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    span = (int(visit.start.timestamp()), int(visit.end.timestamp()))
    request = BlockRequest(schedule=chen, occasions=(span,), comment="Ill", around=True)
    booking.block(request, caller=desk, now=timezone.now())
    assert restore(cancel(visit, desk), desk).status == "booked"


def test_a_patient_who_is_elsewhere_by_now_is_not_in_two_places(cancelled, service, ada, desk):
    elsewhere = ScheduleFactory(services=[service], site=LocationFactory())
    book(wish(service, elsewhere, at=monday(10), patient=ada))
    with pytest.raises(PatientElsewhere):
        restore(cancelled, desk)


def test_only_the_clinic_undoes_a_cancellation(cancelled, ada):
    with pytest.raises(Forbidden):
        restore(cancelled, Caller(user=ada.user))


@pytest.mark.parametrize("take", [book, hold])
def test_only_a_cancelled_booking_is_restored(service, chen, ada, desk, take):
    visit = take(wish(service, chen, at=monday(10), patient=ada))
    if visit.status == "pending":
        visit = cancel(visit, desk)
    with pytest.raises(IllegalTransition):
        restore(visit, desk)


def test_a_visit_whose_time_has_come_stays_cancelled(cancelled, desk):
    with pytest.raises(RuleBroken, match="has passed"):
        booking.restore(cancelled.fhir_id, caller=desk, now=cancelled.start)


def test_a_patient_who_has_not_heard_of_it_hears_nothing(service, chen, ada, desk):
    ada.email = "ada@example.com"
    ada.save()
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    Communication.objects.update(status="completed")
    restore(cancel(visit, desk), desk)
    waiting = Communication.objects.filter(appointment=visit, status="preparation")
    assert set(waiting.values_list("event", flat=True)) == {"reminder"}


def test_two_restorations_and_a_booking_at_once_take_the_time_once(cancelled, service, chen, bo, desk):
    request = wish(service, chen, at=monday(10), patient=bo)
    results = at_once([lambda: restore(cancelled, desk), lambda: restore(cancelled, desk), lambda: book(request)])
    assert len([result for result in results if not isinstance(result, Exception)]) == 1
    taken = Slot.objects.filter(bookable=chen.bookable, start=cancelled.start, deleted_at=None)
    assert taken.count() == 1
