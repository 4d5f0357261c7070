"""A series is booked whole or not at all, whoever wants its weeks at the same moment. The race has its control."""

from functools import partial

import pytest
from django.db.models import Count

from clinic.models import Appointment, Slot
from scheduling.errors import SchedulingError, TimeTaken
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.races.arena import ALWAYS_OPEN, kinds, overlaps, without_the_constraint
from tests.scheduling.races.test_times import in_rounds
from tests.scheduling.series import book_series, series_wish, week
from tests.scheduling.situations import at_once

pytestmark = pytest.mark.django_db(transaction=True)
VISITS, CLIENTS, ROUNDS = 6, 8, 12


@pytest.fixture
def service():
    return ServiceFactory(hours=ALWAYS_OPEN, interval=30, buffer_after=5)


def visits_by_series():
    """The number of visits of each series."""
    rows = Appointment.objects.order_by("series").values_list("series").annotate(visits=Count("pk"))
    return {visits for _, visits in rows}


def race(service, schedule, rounds=ROUNDS):
    """Run rounds in each of which all clients want the same hour of the same weeks."""
    patients = PatientFactory.create_batch(CLIENTS)

    def same_weeks(round_, client):
        starts = [week(number, round_) for number in range(VISITS)]
        return series_wish(service, schedule, patient=patients[client], starts=starts)

    return in_rounds(same_weeks, CLIENTS, rounds, act=book_series)


def test_eight_want_the_same_six_weeks_and_one_gets_all_of_them(service):
    schedule = ScheduleFactory(services=[service])
    outcomes = race(service, schedule)
    assert all(kinds(each) == {tuple: 1, TimeTaken: CLIENTS - 1} for each in outcomes)
    assert visits_by_series() == {VISITS}
    assert Slot.objects.count() == ROUNDS * VISITS * 2
    assert overlaps() == 0


def test_without_the_constraint_the_same_race_sells_weeks_twice(service):
    """The control: without the constraint several get the same weeks."""
    schedule = ScheduleFactory(services=[service])
    with without_the_constraint():
        outcomes = race(service, schedule)
        assert sum(kinds(each)[tuple] for each in outcomes) > ROUNDS
        assert overlaps() > 0


def test_a_group_of_three_takes_exactly_three_series():
    service = ServiceFactory(capacity=3)
    schedule = ScheduleFactory(services=[service])
    patients = PatientFactory.create_batch(CLIENTS)
    requests = [series_wish(service, schedule, patient=each, count=VISITS) for each in patients]
    outcomes = at_once([partial(book_series, request) for request in requests])
    assert kinds(outcomes) == {tuple: 3, TimeTaken: CLIENTS - 3}
    assert visits_by_series() == {VISITS}
    assert overlaps() == 0


def test_series_that_share_some_weeks_are_whole_and_none_is_refused_that_had_room(service):
    """Each client begins a week after the one before, so that each is in the way of the five after it."""
    schedule = ScheduleFactory(services=[service])
    patients = PatientFactory.create_batch(CLIENTS)
    requests = [
        series_wish(service, schedule, patient=patient, starts=[week(client + number) for number in range(VISITS)])
        for client, patient in enumerate(patients)
    ]
    outcomes = at_once([partial(book_series, request) for request in requests])
    assert set(kinds(outcomes)) == {tuple, TimeTaken}
    assert visits_by_series() == {VISITS}
    assert overlaps() == 0
    for request, outcome in zip(requests, outcomes, strict=True):
        if isinstance(outcome, SchedulingError):  # its weeks are still taken: it was not refused for a loser's sake
            with pytest.raises(TimeTaken):
                book_series(request)
