"""Extra visits: who may book one at a time that is taken, how many a day, and what becomes of the time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic.fhir.resources import to_fhir
from clinic.models import AuditEvent, Slot
from scheduling import access, availability, booking
from scheduling.access import Caller
from scheduling.availability import Reason
from scheduling.errors import Forbidden, PatientElsewhere, RuleBroken, TimeNotOffered, TimeTaken
from tests.factories import PatientFactory, RoomFactory, ScheduleFactory, ServiceFactory, SlotFactory, UserFactory
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "In pain, seen between two others"
TEN = monday(10)


@pytest.fixture
def taken(service, chen):
    return book(wish(service, chen, at=TEN, patient=PatientFactory()))


def extra(service, *schedules, at=TEN, **fields):
    return replace(wish(service, *schedules, at=at, patient=PatientFactory()), overbook=WHY, **fields)


def test_an_extra_visit_stands_beside_the_one_that_is_there(service, chen, taken, boss):
    with pytest.raises(TimeTaken):
        book(replace(extra(service, chen), overbook="", override=WHY), boss)
    visit = book(extra(service, chen), boss)
    assert list(visit.slots.values_list("seat", flat=True)) == [-1]
    assert AuditEvent.objects.get(subtype="book", reason=WHY)
    [slot] = visit.slots.select_related("schedule")
    assert to_fhir(slot)["overbooked"] is True
    assert "overbooked" not in to_fhir(taken.slots.select_related("schedule").get())
    second = book(extra(service, chen, at=TEN + timedelta(minutes=15)), boss)
    assert list(second.slots.values_list("seat", flat=True)) == [-2]


def test_the_constraint_refuses_two_on_one_extra_seat(service, chen, taken, boss):
    [slot] = book(extra(service, chen), boss).slots.all()
    with pytest.raises(IntegrityError, match="slot_never_sold_twice"), transaction.atomic():
        SlotFactory(schedule=chen, status="busy", seat=-1, start=slot.start, end=slot.end)
    assert SlotFactory(schedule=chen, status="busy", seat=-2, start=slot.start, end=slot.end)


def test_the_time_stays_taken_until_both_are_over(service, chen, taken, boss, ada):
    visit = book(extra(service, chen), boss)
    booking.cancel(taken.fhir_id, caller=SOFTWARE, now=timezone.now())
    request = wish(service, chen, at=TEN, patient=ada)
    reasons = availability.explain(service, request.offerings, TEN, now=timezone.now())
    assert list(reasons.values()) == [[Reason.TAKEN]]
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert book(request).slots.get().seat is None


def test_no_extra_visit_where_the_time_is_free(service, chen, boss):
    assert book(extra(service, chen), boss).slots.get().seat is None


@pytest.mark.parametrize(("clinic", "calendar", "allowed"), [(2, None, 2), (2, 0, 0), (0, 1, 1)])
def test_a_calendar_has_so_many_a_day(service, chen, boss, settings, clinic, calendar, allowed):
    settings.EXTRA_VISITS_PER_DAY = clinic
    chen.extra_limit = calendar
    chen.save()
    for hour in (10, 11, 12):
        book(wish(service, chen, at=monday(hour), patient=PatientFactory()))
    for hour in (10, 11, 12)[:allowed]:
        book(extra(service, chen, at=monday(hour)), boss)
    with pytest.raises(RuleBroken, match=f"No more extra visits on that day: .* may have {allowed}"):
        book(extra(service, chen, at=monday(12)), boss)
    book(wish(service, chen, at=monday(10, days=1), patient=PatientFactory()))
    if allowed:
        assert book(extra(service, chen, at=monday(10, days=1)), boss)


def test_one_that_was_cancelled_is_restored_only_while_the_day_has_room(service, chen, taken, boss, settings):
    settings.EXTRA_VISITS_PER_DAY = 1
    cancelled = book(extra(service, chen), boss)
    booking.cancel(cancelled.fhir_id, caller=boss, now=timezone.now())
    other = book(extra(service, chen), boss)
    with pytest.raises(RuleBroken, match="No more extra visits on that day"):
        booking.restore(cancelled.fhir_id, caller=boss, now=timezone.now())
    booking.cancel(other.fhir_id, caller=boss, now=timezone.now())
    restored = booking.restore(cancelled.fhir_id, caller=boss, now=timezone.now())
    assert restored.slots.get(deleted_at=None).seat == -1


def test_rules_blocks_and_the_patient_stay(service, chen, taken, boss):
    late = book(wish(service, chen, at=monday(16, 30), patient=PatientFactory()))
    SlotFactory(schedule=chen, status="busy-unavailable", lies_under=True, start=late.start, end=late.end)
    with pytest.raises(TimeTaken):
        book(extra(service, chen, at=monday(16, 30)), boss)
    with pytest.raises(TimeNotOffered):
        book(extra(service, chen, at=TEN + timedelta(minutes=10)), boss)
    with pytest.raises(PatientElsewhere):
        book(replace(wish(service, chen, at=TEN, patient=taken.patient), overbook=WHY), boss)


def test_only_what_is_taken_gets_an_extra_seat(boss):
    service = ServiceFactory(requires=["Practitioner", "Location"])
    person, room = ScheduleFactory(services=[service]), ScheduleFactory(services=[service], actor=RoomFactory())
    other = ServiceFactory()
    person.services.add(other)
    book(wish(other, person, at=TEN, patient=PatientFactory()))
    visit = book(extra(service, person, room), boss)
    assert dict(visit.slots.values_list("schedule", "seat")) == {person.pk: -1, room.pk: None}


def test_a_group_that_is_full_takes_one_more(boss):
    group = ServiceFactory(capacity=2)
    schedule = ScheduleFactory(services=[group])
    for _number in range(2):
        book(wish(group, schedule, at=TEN, patient=PatientFactory()))
    visit = book(extra(group, schedule), boss)
    assert visit.slots.get().seat == -1
    assert set(Slot.objects.values_list("seat", flat=True)) == {0, 1, -1}


def test_a_practitioner_does_not_overbook_another():
    service = ServiceFactory()
    own, other = ScheduleFactory(services=[service]), ScheduleFactory(services=[service])
    practitioner = own.bookable.practitioner
    practitioner.user = UserFactory()
    practitioner.save()
    caller = Caller(user=practitioner.user)
    allowed = [
        access.may_overbook(caller, bookables=[each.bookable_id for each in schedules], sites=[None])
        for schedules in ([own], [own, other], [other])
    ]
    assert allowed == [True, False, False]


def test_software_and_others_may_not(service, chen, taken, ada):
    for caller in (SOFTWARE, Caller(user=ada.user), Caller(user=UserFactory())):
        with pytest.raises(Forbidden):
            book(extra(service, chen), caller)
    assert Slot.objects.filter(seat__lt=0).count() == 0
