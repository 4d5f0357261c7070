"""Several visits of one coming are taken whole or not at all, whoever wants some of their times. With its control."""

from datetime import timedelta
from functools import partial

import pytest
from django.db.models import Count
from django.utils import timezone

from clinic.models import Appointment
from scheduling import booking
from scheduling.availability import CombinedQuery, arrangements_for, find_combined, ways_of
from scheduling.errors import TimeTaken
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.races.arena import ALWAYS_OPEN, kinds, overlaps, without_the_constraint
from tests.scheduling.series import week
from tests.scheduling.situations import SOFTWARE, at_once, book
from tests.scheduling.test_combined import requests_of

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS, ROUNDS = 6, 8


@pytest.fixture
def services():
    return [ServiceFactory(hours=ALWAYS_OPEN, interval=30, buffer_after=5) for _ in range(2)]


@pytest.fixture
def schedules(services):
    return [ScheduleFactory(services=[service]) for service in services]


def book_combined(requests):
    return booking.book_combined(requests, caller=SOFTWARE, now=timezone.now())


def race(services):
    """Run rounds in each of which all clients want the same two visits; half of them in the other order."""
    patients = PatientFactory.create_batch(CLIENTS)
    outcomes = []
    for number in range(ROUNDS):
        start = week(0) + timedelta(hours=2 * number)
        parts = [ways_of(service, arrangements_for(service)) for service in services]
        query = CombinedQuery(parts=parts, start=start, end=start + timedelta(minutes=1))
        [found] = find_combined(query, now=timezone.now())
        wanted = [requests_of(found, patient) for patient in patients]
        wanted = [requests[::-1] if n % 2 else requests for n, requests in enumerate(wanted)]
        outcomes.append(at_once([partial(book_combined, requests) for requests in wanted]))
    return outcomes


def test_one_gets_both_and_the_others_none(services, schedules):
    outcomes = race(services)
    assert all(kinds(each) == {tuple: 1, TimeTaken: CLIENTS - 1} for each in outcomes)
    together = Appointment.objects.order_by("series").values_list("series").annotate(visits=Count("pk"))
    assert [visits for _, visits in together] == [2] * ROUNDS
    assert overlaps() == 0


def test_without_the_constraint_and_the_locks_the_same_race_sells_times_twice(services, schedules, monkeypatch):
    """The control: each of the two guards is enough, so both are taken away."""
    monkeypatch.setattr("scheduling.booking.combined.own_bookables", lambda _bookables: None)
    with without_the_constraint():
        outcomes = race(services)
        assert sum(kinds(each)[tuple] for each in outcomes) > ROUNDS
        assert overlaps() > 0


def test_single_bookings_and_combined_ones_do_not_wait_for_each_other(services, schedules):
    """Some want both times, some the first, some the second: all times are taken once, and nobody is in a deadlock."""
    start = week(0)
    parts = [ways_of(service, arrangements_for(service)) for service in services]
    [found] = find_combined(
        CombinedQuery(parts=parts, start=start, end=start + timedelta(minutes=1)), now=timezone.now()
    )
    patients = PatientFactory.create_batch(CLIENTS)
    acts = [partial(book_combined, requests_of(found, patient)) for patient in patients[:2]]
    for n, patient in enumerate(patients[2:]):
        visit = requests_of(found, patient)[n % 2]
        acts.append(partial(book, visit))
    outcomes = at_once(acts)
    assert set(kinds(outcomes)) <= {tuple, Appointment, TimeTaken}
    assert overlaps() == 0
    assert Appointment.objects.count() == 2
