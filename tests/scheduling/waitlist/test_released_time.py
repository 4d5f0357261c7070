"""Kept time that is released: offered to the waiting list and told to subscribers once, and no row stops the others."""

from datetime import datetime, timedelta

import pytest

from clinic.fhir.waitlist import WaitlistPreferences
from clinic.models import FreedTime, KeptTimeCheck, ParkedRow, ScheduleChange, SchedulingParameters
from scheduling import booking, opening
from scheduling.booking import WaitlistRequest
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory, SubscriptionFactory
from tests.scheduling.situations import NEW_YORK, SOFTWARE
from tests.scheduling.waitlist.acts import offers, work

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
# Kept on Mondays from 9 to 11 in New York, until two days before.
MONDAY = datetime(2099, 3, 2, 9, tzinfo=NEW_YORK)
RELEASED = MONDAY - 2 * DAY
AVAILABLE = {"daysOfWeek": ["mon"], "availableStartTime": "09:00:00", "availableEndTime": "11:00:00"}
KEPT = [{"availableTime": AVAILABLE, "releasedBefore": 2 * 24 * 60}]


@pytest.fixture
def checkup():
    return ServiceFactory(duration=30, interval=30)


@pytest.fixture
def schedule(checkup):
    """A calendar of nine to five that keeps time for another service."""
    return keeping(checkup)


def keeping(checkup, kept=KEPT):
    urgent = ServiceFactory(duration=30, interval=30)
    schedule = ScheduleFactory(services=[urgent, checkup])
    schedule.scheduling_parameters.create(service=urgent, kept=kept)
    return schedule


def wait_for(service, now):
    preferences = WaitlistPreferences(weekdays=frozenset({"mon"}), parts=frozenset({"morning"}))
    patient = PatientFactory(email="somebody@example.com")
    request = WaitlistRequest(service=service, patient=patient, preferences=preferences)
    return booking.join_waitlist(request, caller=SOFTWARE, now=now)


def freed():
    return list(FreedTime.objects.order_by("pk").values_list("schedule", "start", "end"))


def changed():
    return list(ScheduleChange.objects.order_by("pk").values_list("schedule", "start", "end"))


def test_what_is_released_is_offered_to_those_who_wait(schedule, checkup):
    entry = wait_for(checkup, RELEASED - DAY)
    opening.note_released_time(now=RELEASED - DAY)
    opening.note_released_time(now=RELEASED - timedelta(seconds=1))
    assert freed() == []
    opening.note_released_time(now=RELEASED)
    assert freed() == [(schedule.pk, MONDAY, MONDAY + 2 * HOUR)]
    work(RELEASED)
    assert offers() == [(entry, MONDAY, "open")]


def test_what_a_service_keeps_on_all_calendars_is_released_on_each(checkup):
    urgent = ServiceFactory(duration=30, interval=30)
    urgent.scheduling_parameters.filter(schedule=None).update(kept=KEPT)
    first, all_services = ScheduleFactory(services=[urgent, checkup]), ScheduleFactory(offers_all_services=True)
    ScheduleFactory(services=[checkup])
    wait_for(checkup, RELEASED - DAY)
    for now in (RELEASED - DAY, RELEASED, RELEASED + HOUR):
        opening.note_released_time(now=now)
    assert freed() == [(each.pk, MONDAY, MONDAY + 2 * HOUR) for each in (first, all_services)]


def test_subscribers_are_told_of_it(schedule):
    opening.note_released_time(now=RELEASED - DAY)
    SubscriptionFactory()
    ScheduleChange.objects.all().delete()
    opening.note_released_time(now=RELEASED + HOUR)
    assert changed() == [(schedule.pk, MONDAY, MONDAY + 2 * HOUR)]
    assert freed() == []  # nobody waits


def test_each_release_is_noted_once(schedule, checkup):
    wait_for(checkup, RELEASED - DAY)
    SubscriptionFactory()
    ScheduleChange.objects.all().delete()
    times = (RELEASED - DAY, RELEASED, RELEASED, RELEASED + HOUR, RELEASED + WEEK, RELEASED + WEEK + HOUR)
    for now in times:
        opening.note_released_time(now=now)
    spans = [(schedule.pk, start, start + 2 * HOUR) for start in (MONDAY, MONDAY + WEEK)]
    assert freed() == spans
    assert changed() == spans


def test_what_was_released_while_no_worker_ran_is_noted_as_far_as_it_is_to_come(schedule, checkup):
    wait_for(checkup, RELEASED - DAY)
    opening.note_released_time(now=RELEASED - DAY)
    opening.note_released_time(now=MONDAY + 6 * DAY)
    assert freed() == [(schedule.pk, MONDAY + WEEK, MONDAY + WEEK + 2 * HOUR)]


def test_time_that_is_not_kept_any_more_is_offered_too(schedule, checkup):
    wait_for(checkup, RELEASED - DAY)
    opening.note_released_time(now=RELEASED - DAY)
    SchedulingParameters.objects.filter(schedule=schedule).update(kept=[])
    SubscriptionFactory()
    ScheduleChange.objects.all().delete()
    opening.note_released_time(now=RELEASED - HOUR)
    assert freed()[0] == (schedule.pk, MONDAY, MONDAY + 2 * HOUR)
    assert changed() == []  # the change of the setting has told them
    assert not KeptTimeCheck.objects.exists()


def test_a_row_that_cannot_be_read_stops_no_other(schedule, checkup):
    broken, after = keeping(checkup), keeping(checkup)
    wait_for(checkup, RELEASED - DAY)
    opening.note_released_time(now=RELEASED - DAY)
    KeptTimeCheck.objects.filter(schedule=broken).update(kept=[{"availableTime": AVAILABLE, "releasedBefore": "soon"}])
    opening.note_released_time(now=RELEASED)
    assert {each for each, _start, _end in freed()} == {schedule.pk, after.pk}
    parked = ParkedRow.objects.get()
    assert (parked.task, parked.key) == ("note released time", str(broken.pk))


def test_there_are_three_statements_while_nothing_is_released(schedule, checkup, django_assert_num_queries):
    for _ in range(3):
        keeping(checkup)
    opening.note_released_time(now=RELEASED - DAY)
    checkup.scheduling_parameters.filter(schedule=None).update(kept=KEPT)
    opening.note_released_time(now=RELEASED - DAY)
    with django_assert_num_queries(3):
        opening.note_released_time(now=RELEASED - HOUR)
