"""Staff override the rules of their calendars with a reason; taken time stays taken."""

from dataclasses import replace

import pytest
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import Forbidden, RuleBroken, TimeNotOffered, TimeTaken
from tests.factories import (
    LocationFactory,
    PatientFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "She travels tomorrow"


@pytest.fixture
def dr_chen(chen):
    """Dr Chen, signed in."""
    practitioner = chen.actor
    practitioner.user = UserFactory()
    practitioner.save()
    return Caller(user=practitioner.user)


def overriding(service, *schedules, at, caller, patient=None):
    return book(replace(wish(service, *schedules, at=at, patient=patient), override=WHY), caller)


def move(appointment, offerings, at, caller, override=WHY):
    return booking.reschedule(
        appointment.fhir_id,
        booking.RescheduleRequest(offerings=offerings, start=at, override=override),
        caller=caller,
        now=timezone.now(),
    )


@pytest.mark.parametrize("at", [monday(18), monday(10, 7), monday(10, days=5)], ids=["late", "off grid", "Saturday"])
def test_hours_and_grid_are_lifted_and_the_reason_is_kept(service, chen, ada, dr_chen, at):
    visit = overriding(service, chen, at=at, patient=ada, caller=dr_chen)
    assert (visit.status, visit.start) == ("booked", at)
    line = AuditEvent.objects.get(appointment=visit, subtype="book")
    assert (line.reason, line.user) == (WHY, dr_chen.user)


def test_without_a_reason_the_rules_bind_them_too(service, chen, dr_chen):
    with pytest.raises(TimeNotOffered):
        book(wish(service, chen, at=monday(18)), dr_chen)


def test_only_who_runs_the_calendar_overrides(service, chen, ada):
    another = PractitionerFactory(user=UserFactory())
    for caller in (
        SOFTWARE,
        Caller(user=ada.user),
        Caller(user=another.user),
        Caller(user=UserFactory(desk_locations=[LocationFactory()])),
    ):
        with pytest.raises(Forbidden):
            overriding(service, chen, at=monday(18), patient=ada, caller=caller)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(("at", "refusal"), [(monday(10), TimeTaken), (monday(10, 7), TimeNotOffered)])
def test_taken_time_cannot_be_overridden(service, chen, ada, bo, dr_chen, at, refusal):
    book(wish(service, chen, at=monday(10), patient=bo))
    with pytest.raises(refusal, match=r"no longer free|taken"):
        overriding(service, chen, at=at, patient=ada, caller=dr_chen)
    assert Slot.objects.count() == 1


def test_nor_is_time_that_is_blocked(service, chen, ada, dr_chen):
    start, end = (int(monday(hour).timestamp()) for hour in (18, 19))
    request = booking.BlockRequest(schedule=chen, occasions=((start, end),), comment="Leave")
    booking.block(request, caller=dr_chen, now=timezone.now())
    with pytest.raises(TimeNotOffered, match="That time is blocked"):
        overriding(service, chen, at=monday(18), patient=ada, caller=dr_chen)


def test_a_patient_is_not_in_two_places_for_any_reason(service, chen, ada, dr_chen):
    book(wish(service, ScheduleFactory(services=[service]), at=monday(10), patient=ada))
    with pytest.raises(RuleBroken, match="another visit"):
        overriding(service, chen, at=monday(10), patient=ada, caller=dr_chen)


def test_off_the_grid_a_class_takes_no_more_than_its_seats(chen, dr_chen):
    group = ServiceFactory(capacity=2)
    chen.services.add(group)

    def seat(*at):
        visit = overriding(group, chen, at=monday(*at), patient=PatientFactory(), caller=dr_chen)
        return visit.slots.get().seat

    assert [seat(10), seat(10, 7)] == [0, 1]
    with pytest.raises(TimeNotOffered, match="taken"):
        seat(10, 11)
    assert seat(10, 31) == 0  # the first of them has left, the second has not
    with pytest.raises(TimeNotOffered, match="taken"):
        seat(10, 34)


def test_a_move_is_overridden_likewise(service, chen, ada, bo, dr_chen):
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    book(wish(service, chen, at=monday(14), patient=bo))
    offerings = wish(service, chen, at=monday(10)).offerings
    with pytest.raises(Forbidden):
        move(visit, offerings, monday(18), SOFTWARE)
    with pytest.raises(TimeTaken):
        move(visit, offerings, monday(14), dr_chen)
    assert move(visit, offerings, monday(18), dr_chen).start == monday(18)
    assert AuditEvent.objects.get(appointment=visit, subtype="reschedule").reason == WHY
