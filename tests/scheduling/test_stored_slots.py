"""Slots that a client stored as free: a visit takes them by their ids, and gives them back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, PastVersion, Slot
from scheduling import availability, booking
from scheduling.availability import TimeQuery
from scheduling.booking import RescheduleRequest
from scheduling.errors import TimeNotOffered, TimeTaken
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory, SlotFactory
from tests.scheduling.situations import SOFTWARE, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db
EVENING = 19  # after the hours of ServiceFactory


@pytest.fixture
def service():
    return ServiceFactory(duration=30, interval=30)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


def free_slot(schedule, hour, minute=0, minutes=30):
    start = monday(hour, minute)
    return SlotFactory(schedule=schedule, status="free", start=start, end=start + timedelta(minutes=minutes))


def asking(service, schedule, *slots, patient=None):
    """A request for the time of these stored Slots."""
    request = wish(service, schedule, at=slots[0].start, patient=patient)
    offerings = availability.with_duration(request.offerings, slots[-1].end - slots[0].start)
    return booking.BookingRequest(
        service=service, offerings=offerings, start=request.start, patient=patient, slots=tuple(s.pk for s in slots)
    )


def history(slot):
    """The statuses of the Slot's versions, the oldest first."""
    slot.refresh_from_db()
    past = PastVersion.objects.filter(resource_type="Slot", row_id=slot.pk).order_by("version")
    return [*(version.row["status"] for version in past), slot.status]


def found(service, schedule, now=None):
    query = TimeQuery(
        ways=availability.ways_of(service, [((wish(service, schedule, at=monday(9)).offerings[0],),)]),
        start=monday(EVENING),
        end=monday(23),
    )
    return [availability.as_datetime(time.start) for time in availability.find_times(query, now=now or timezone.now())]


def cancel(visit):
    return booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())


def test_a_visit_takes_the_slot_and_gives_it_back(service, chen):
    slot = free_slot(chen, EVENING)
    visit = book(asking(service, chen, slot))
    slot.refresh_from_db()
    assert (slot.status, slot.appointment, slot.version) == ("busy", visit, 2)
    assert list(visit.slots.all()) == [slot]
    assert found(service, chen) == []
    with pytest.raises(TimeTaken):
        book(asking(service, chen, slot))
    cancel(visit)
    assert history(slot) == ["free", "busy", "free"]
    assert (slot.appointment, slot.deleted_at, slot.was_free) == (None, None, False)
    assert found(service, chen) == [slot.start]
    booked = PastVersion.objects.get(resource_type="Appointment", row_id=visit.pk)
    assert booked.related["slots"] == [slot.pk]  # the history of the visit keeps it


def test_buffers_lie_around_the_slots_and_are_deleted():
    service = ServiceFactory(duration=30, interval=30, buffer_before=10, buffer_after=20)
    chen = ScheduleFactory(services=[service])
    slots = [free_slot(chen, 10), free_slot(chen, 10, 30)]
    visit = book(asking(service, chen, *slots))
    rows = Slot.objects.filter(appointment=visit).order_by("start")
    assert [(row.status, row.start, row.end) for row in rows] == [
        ("busy-unavailable", monday(9, 50), monday(10)),
        ("busy", monday(10), monday(10, 30)),
        ("busy", monday(10, 30), monday(11)),
        ("busy-unavailable", monday(11), monday(11, 20)),
    ]
    assert {row.pk for row in rows if row.status == "busy"} == {slot.pk for slot in slots}
    cancel(visit)
    assert set(Slot.objects.filter(deleted_at=None)) == set(slots)


def test_time_between_stored_slots_is_taken_too(service, chen):
    first, last = free_slot(chen, 10), free_slot(chen, 11)
    visit = book(asking(service, chen, first, last))
    assert [(row.start, row.end) for row in visit.slots.order_by("start")] == [
        (monday(10), monday(10, 30)),
        (monday(10, 30), monday(11)),
        (monday(11), monday(11, 30)),
    ]


def test_the_rules_of_every_booking_hold(service, chen):
    slot = free_slot(chen, EVENING, 10)  # off the grid
    with pytest.raises(TimeNotOffered):
        book(asking(service, chen, slot))
    assert history(slot) == ["free"]


def test_an_expired_hold_frees_it_at_once_and_its_release_frees_it_for_good(service, chen):
    slot = free_slot(chen, EVENING)
    held = hold(asking(service, chen, slot))
    assert found(service, chen) == []
    run_out(held)
    assert found(service, chen) == [slot.start]  # before the worker has run
    booking.release_expired_holds(now=timezone.now())
    assert history(slot) == ["free", "busy-tentative", "free"]


def test_a_booking_between_expiry_and_release_keeps_the_slot(service, chen):
    slot = free_slot(chen, EVENING)
    held = run_out(hold(asking(service, chen, slot)))
    visit = book(asking(service, chen, slot))
    booking.release_expired_holds(now=timezone.now())
    held.refresh_from_db()
    assert (held.status, history(slot)) == ("cancelled", ["free", "busy-tentative", "busy"])
    assert slot.appointment == visit
    cancel(visit)
    assert history(slot)[-1] == "free"


def test_a_confirmed_hold_keeps_it(service, chen):
    slot = free_slot(chen, EVENING)
    held = hold(asking(service, chen, slot))
    booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert history(slot) == ["free", "busy-tentative", "busy"]


def test_a_moved_visit_gives_it_back(service, chen):
    slot = free_slot(chen, EVENING)
    visit = book(asking(service, chen, slot, patient=PatientFactory()))
    move = RescheduleRequest(offerings=wish(service, chen, at=monday(10)).offerings, start=monday(10))
    moved = booking.reschedule(visit.fhir_id, move, caller=SOFTWARE, now=timezone.now())
    assert (history(slot), moved.version) == (["free", "busy", "free"], 2)
    assert found(service, chen) == [slot.start]
    [before] = PastVersion.objects.filter(resource_type="Appointment", row_id=visit.pk)
    assert before.related["slots"] == [slot.pk]


def test_an_undone_cancellation_takes_it_again(service, chen):
    slot = free_slot(chen, EVENING)
    visit = book(asking(service, chen, slot))
    cancel(visit)
    booking.restore(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert history(slot) == ["free", "busy", "free", "busy"]
    assert slot.appointment == visit
    cancel(visit)
    other = book(asking(service, chen, slot))
    with pytest.raises(TimeTaken):
        booking.restore(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    slot.refresh_from_db()
    assert slot.appointment == other


def test_a_slot_that_is_busy_already_is_judged_as_if_it_were_free(service, chen):
    slot = SlotFactory(schedule=chen, start=monday(EVENING), end=monday(EVENING, 30))
    visit = book(asking(service, chen, slot))
    assert (history(slot), slot.appointment) == (["busy"], visit)
    cancel(visit)
    slot.refresh_from_db()
    assert slot.deleted_at is not None  # it was never free


def test_a_slot_that_its_client_has_moved_since_is_refused(service, chen):
    slot = free_slot(chen, EVENING)
    request = asking(service, chen, slot)
    Slot.objects.update(start=monday(EVENING + 1), end=monday(EVENING + 1, 30))
    with pytest.raises(TimeTaken):
        book(request)
    assert history(slot) == ["free"]


def test_a_block_is_not_taken_over(service, chen):
    slot = SlotFactory(schedule=chen, status="busy-unavailable", start=monday(10), end=monday(10, 30), lies_under=True)
    with pytest.raises(TimeTaken):
        book(asking(service, chen, slot))
    assert not Appointment.objects.exists()
