"""Time that a calendar keeps for one service, and releases to all: what is found can be booked, at that moment too."""

from datetime import datetime, timedelta

import pytest

from clinic.models import Appointment, HealthcareService
from scheduling import availability, booking
from scheduling.availability import Reason, TimeQuery, ways_of
from scheduling.errors import TimeNotOffered
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import NEW_YORK, SOFTWARE, wish

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Kept on Mondays from 9 to 11 in New York, until two days before.
MONDAY = datetime(2027, 3, 1, 9, tzinfo=NEW_YORK)
RELEASED = MONDAY - 2 * DAY
AVAILABLE = {"daysOfWeek": ["mon"], "availableStartTime": "09:00:00", "availableEndTime": "11:00:00"}


@pytest.fixture
def urgent():
    return ServiceFactory(name="Urgent visit", duration=30, interval=30)


@pytest.fixture
def checkup():
    return ServiceFactory(name="Check-up", duration=30, interval=30)


@pytest.fixture
def schedule(urgent, checkup):
    schedule = ScheduleFactory(services=[urgent, checkup])
    kept = [{"availableTime": AVAILABLE, "releasedBefore": 2 * 24 * 60}]
    schedule.scheduling_parameters.create(service=urgent, kept=kept)
    return schedule


def query_of(service, schedule):
    offerings = availability.offerings_of(service, [schedule.fhir_id])
    return TimeQuery(ways=ways_of(service, [(tuple(offerings),)]), start=MONDAY, end=MONDAY + 3 * HOUR)


def found(service, schedule, now):
    times = availability.find_times(query_of(service, schedule), now=now)
    return [datetime.fromtimestamp(each.start, NEW_YORK) for each in times]


def book(service, schedule, start, now):
    return booking.book(wish(service, schedule, at=start, patient=PatientFactory()), caller=SOFTWARE, now=now)


def test_other_visits_are_found_and_booked_in_it_from_its_release_on(schedule, urgent, checkup):
    before = RELEASED - timedelta(seconds=1)
    halves = [MONDAY + n * 30 * MINUTE for n in range(6)]
    assert found(urgent, schedule, before) == halves
    assert found(checkup, schedule, before) == halves[4:]
    for start in halves[:4]:
        with pytest.raises(TimeNotOffered, match="That time is kept for other visits"):
            book(checkup, schedule, start, before)
    assert found(checkup, schedule, RELEASED) == halves
    for start in found(checkup, schedule, RELEASED):
        assert book(checkup, schedule, start, RELEASED).status == Appointment.Status.BOOKED
    assert found(urgent, schedule, RELEASED) == []


def test_the_services_that_keep_the_same_time_share_it(schedule, checkup):
    schedule.scheduling_parameters.create(service=checkup, kept=[{"availableTime": AVAILABLE}])
    third = ServiceFactory(duration=30, interval=30)
    schedule.services.add(third)
    assert len(found(checkup, schedule, RELEASED)) == 6
    assert len(found(third, schedule, RELEASED)) == 2


def test_a_service_keeps_time_on_all_calendars_that_offer_it(urgent, checkup):
    kept = [{"availableTime": AVAILABLE, "releasedBefore": 2 * 24 * 60}]
    urgent.scheduling_parameters.filter(schedule=None).update(kept=kept)
    every_service = ScheduleFactory(offers_all_services=True, services=[])
    for schedule in (ScheduleFactory(services=[urgent, checkup]), every_service):
        assert len(found(urgent, schedule, RELEASED - DAY)) == 6
        assert len(found(checkup, schedule, RELEASED - DAY)) == 2
        [offering] = availability.offerings_of(checkup, [schedule.fhir_id])
        assert availability.explain(checkup, [offering], MONDAY, now=RELEASED - DAY) == {offering: [Reason.KEPT]}
        with pytest.raises(TimeNotOffered, match="That time is kept for other visits"):
            book(checkup, schedule, MONDAY, RELEASED - DAY)
        assert len(found(checkup, schedule, RELEASED)) == 6
        assert book(checkup, schedule, MONDAY, RELEASED).status == Appointment.Status.BOOKED
    without = ScheduleFactory(services=[checkup])
    assert len(found(checkup, without, RELEASED - DAY)) == 6


def test_a_calendar_keeps_its_own_time_beside_the_services(schedule, urgent, checkup):
    later = AVAILABLE | {"availableStartTime": "11:00:00", "availableEndTime": "11:30:00"}
    urgent.scheduling_parameters.filter(schedule=None).update(kept=[{"availableTime": later}])
    assert len(found(urgent, schedule, RELEASED - DAY)) == 6
    assert found(checkup, schedule, RELEASED - DAY) == [MONDAY + 5 * 30 * MINUTE]


def test_it_is_explained(schedule, checkup):
    [offering] = availability.offerings_of(checkup, [schedule.fhir_id])
    assert availability.explain(checkup, [offering], MONDAY, now=RELEASED - DAY) == {offering: [Reason.KEPT]}
    assert availability.explain(checkup, [offering], MONDAY, now=RELEASED) == {offering: []}


def test_a_service_that_is_not_offered_any_more_keeps_no_time(schedule, urgent, checkup):
    HealthcareService.objects.filter(pk=urgent.pk).update(active=False)
    assert len(found(checkup, schedule, RELEASED - DAY)) == 6


def test_no_statement_is_added(schedule, checkup, django_assert_num_queries):
    with django_assert_num_queries(1):
        query = query_of(checkup, schedule)
    with django_assert_num_queries(1):
        availability.find_times(query, now=RELEASED - DAY)
