"""booking.record_all: many visits that were made elsewhere, in a few statements."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import RuleBroken, TimeTaken
from tests.factories import MONDAY_9, AppointmentFactory, PatientFactory, ScheduleFactory, SlotFactory

pytestmark = pytest.mark.django_db

SYSTEM = Caller(client="demo-system", scopes=("system/*.cruds",))
HALF_AN_HOUR = timedelta(minutes=30)


def visit(schedule, start=MONDAY_9, patient=None, status="booked"):
    end = start + HALF_AN_HOUR
    slot = Slot(schedule=schedule, status="busy", start=start, end=end, last_updated=start)
    return Appointment(status=status, start=start, end=end, patient=patient or PatientFactory()), [slot]


def record_all(visits):
    with booking.all_or_nothing():
        booking.record_all(visits, caller=SYSTEM, now=timezone.now())


def test_each_has_its_time_and_a_line_in_the_audit():
    schedule = ScheduleFactory()
    visits = [visit(schedule, MONDAY_9 + n * HALF_AN_HOUR) for n in range(3)]

    record_all(visits)

    assert [each.slots.get().start for each in Appointment.objects.all()] == [each.start for each, _ in visits]
    assert AuditEvent.objects.filter(subtype="record", client="demo-system").count() == 3


def test_ten_take_no_more_statements_than_two(django_assert_max_num_queries):
    schedule = ScheduleFactory()
    visits = [visit(schedule, MONDAY_9 + n * HALF_AN_HOUR) for n in range(10)]

    with django_assert_max_num_queries(12):
        record_all(visits)


def test_time_that_is_taken_refuses_them_all():
    taken = SlotFactory()

    with pytest.raises(TimeTaken):
        record_all([visit(ScheduleFactory()), visit(taken.schedule, taken.start)])

    assert not Appointment.objects.exists()


def test_a_patient_is_not_in_two_places_of_the_same_batch():
    patient = PatientFactory()

    with pytest.raises(RuleBroken, match="two appointments at one time"):
        record_all([visit(ScheduleFactory(), patient=patient), visit(ScheduleFactory(), patient=patient)])


def test_nor_where_they_were_booked_before():
    before = AppointmentFactory(start=MONDAY_9)

    with pytest.raises(RuleBroken):
        record_all([visit(ScheduleFactory(), patient=before.patient)])


def test_a_past_visit_blocks_nothing():
    patient = PatientFactory()
    visits = [visit(ScheduleFactory(), patient=patient, status=status) for status in ("cancelled", "fulfilled")]

    record_all(visits)

    assert patient.appointments.count() == 2


def test_a_visit_to_come_takes_time():
    appointment, _ = visit(ScheduleFactory())

    with pytest.raises(RuleBroken, match="names busy Slots"):
        record_all([(appointment, [])])
