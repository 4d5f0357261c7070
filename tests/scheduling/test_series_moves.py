"""Several visits of a series are moved at once: all or nothing, told once, also onto the times of their neighbours."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, Communication, Event, Slot
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.booking import Occurrences, RescheduleRequest, StatusRequest
from scheduling.errors import IllegalTransition, NotFound, PatientElsewhere, RuleBroken, TimeTaken
from tests.factories import AppointmentFactory, PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.notifications.messages import deliver
from tests.scheduling.series import book_series, series_wish, week
from tests.scheduling.situations import NEW_YORK, SOFTWARE, book, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(name="Physiotherapy", cancellation_notice=timedelta(hours=24))


@pytest.fixture
def schedule(service):
    return ScheduleFactory(services=[service])


@pytest.fixture
def patient():
    return PatientFactory(given="Ada", email="ada@example.com")


@pytest.fixture
def visits(service, schedule, patient):
    return book_series(series_wish(service, schedule, patient=patient))


def move(service, schedule, visits, starts, caller=SOFTWARE, **more):
    offerings = tuple(availability.offerings_of(service, [schedule.fhir_id]))
    moves = {
        visit.fhir_id: RescheduleRequest(offerings=offerings, start=start)
        for visit, start in zip(visits, starts, strict=True)
    }
    return booking.reschedule_series(visits[0].fhir_id, moves, caller=caller, now=timezone.now(), **more)


def starts():
    return list(Appointment.objects.filter(series__isnull=False).order_by("occurrence").values_list("start", flat=True))


def test_all_move_by_a_week_onto_the_times_of_their_neighbours(service, schedule, visits):
    moved = move(service, schedule, visits, [week(1), week(2), week(3)])
    assert starts() == [week(1), week(2), week(3)]
    assert [visit.sequence for visit in moved] == [1, 1, 1]
    taken = Slot.objects.filter(deleted_at=None, status="busy").order_by("start")
    assert list(taken.values_list("start", flat=True)) == starts()
    assert AuditEvent.objects.filter(subtype="reschedule").count() == 3


def test_two_swap(service, schedule, visits):
    move(service, schedule, visits[:2], [week(1), week(0)])
    assert starts() == [week(1), week(0), week(2)]


def test_the_patient_is_told_once_of_all_new_times(service, schedule, visits):
    deliver()
    mail.outbox.clear()
    move(service, schedule, visits[1:], [week(1, 14), week(2, 14)])
    assert Communication.objects.filter(event=Event.CHANGE).count() == 1
    deliver()
    [letter] = mail.outbox
    assert "and 1 more visit" in letter.subject
    days = [week(number).astimezone(NEW_YORK) for number in range(3)]
    assert [f"{day:%B} {day.day}, {day.year}" in letter.body for day in days] == [False, True, True]
    [calendar] = letter.attachments
    assert calendar.get_payload(decode=True).count(b"SEQUENCE:1") == 2
    planned = Communication.objects.filter(event=Event.REMINDER, status="preparation", appointment__in=visits[1:])
    expected = {(visit.pk, start - before) for visit, start in zip(visits[1:], starts()[1:], strict=True)
                for before in service.reminders}  # fmt: skip
    assert {(each.appointment_id, each.due) for each in planned} == expected


def test_a_time_that_is_taken_leaves_all_where_they_are(service, schedule, visits):
    book(wish(service, schedule, at=week(2, 14)))
    with pytest.raises(TimeTaken) as refused:
        move(service, schedule, visits, [week(0, 14), week(1, 14), week(2, 14)])
    assert refused.value.occurrence == 3
    assert starts() == [week(0), week(1), week(2)]
    assert not Communication.objects.filter(event=Event.CHANGE).exists()


def test_the_patient_s_other_visits_are_in_the_way(service, schedule, visits, patient):
    AppointmentFactory(patient=patient, start=week(1, 14), end=week(1, 15))
    with pytest.raises(PatientElsewhere):
        move(service, schedule, visits, [week(0, 14), week(1, 14), week(2, 14)])


def test_visits_may_not_end_up_at_one_time(service, schedule, visits):
    with pytest.raises(PatientElsewhere):
        move(service, schedule, visits, [week(0), week(0), week(2)])


def test_limits_count_the_new_times_of_all(service, schedule, visits):
    service.patient_week_limit = 1
    service.save()
    move(service, schedule, visits, [week(1), week(2), week(3)])
    with pytest.raises(RuleBroken, match="1 visit a week"):
        move(service, schedule, visits[:2], [week(5), week(5, 14)])


def by_link(visit):
    return Caller(visit=visit.fhir_id, visit_patient=visit.patient.reference, visit_series=visit.series)


def test_one_that_begins_too_soon_is_named(service, schedule, visits):
    service.cancellation_notice = week(1) - timezone.now()
    service.save()
    with pytest.raises(RuleBroken, match=r"^Appointment 1 of 3 .*could be moved until"):
        move(service, schedule, visits, [week(0, 14), week(1, 14), week(2, 14)], caller=by_link(visits[0]))


def test_by_a_manage_link_all_visits_of_its_patient_are_moved_and_cancelled(service, schedule, visits):
    move(service, schedule, visits, [week(0, 14), week(1, 14), week(2, 14)], caller=by_link(visits[1]))
    assert starts() == [week(0, 14), week(1, 14), week(2, 14)]
    link, now = by_link(visits[1]), timezone.now()
    request = StatusRequest(only=[visits[2].fhir_id])
    booking.cancel_series(visits[1].fhir_id, Occurrences.FOLLOWING, request, caller=link, now=now)
    assert [visit.status for visit in Appointment.objects.order_by("occurrence")] == ["booked", "booked", "cancelled"]


def test_a_manage_link_gives_no_access_to_a_visit_of_another_patient_in_the_series(service, schedule, visits):
    other = visits[2]
    Appointment.objects.filter(pk=other.pk).update(patient=PatientFactory())
    offerings = tuple(availability.offerings_of(service, [schedule.fhir_id]))
    moves = {other.fhir_id: RescheduleRequest(offerings=offerings, start=week(2, 14))}
    with pytest.raises(IllegalTransition):
        booking.reschedule_series(visits[0].fhir_id, moves, caller=by_link(visits[0]), now=timezone.now())
    with pytest.raises(NotFound):
        booking.cancel(other.fhir_id, caller=by_link(visits[0]), now=timezone.now())
