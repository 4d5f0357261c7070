"""Promise 1: no time is sold twice, and no free time is refused. Each race has its control."""

import threading
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, Slot
from scheduling import booking
from scheduling.errors import HoldExpired, SchedulingError, TimeTaken
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.races.arena import ALWAYS_OPEN, kinds, overlaps, ultrasound, without_the_constraint
from tests.scheduling.situations import SOFTWARE, at_once, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 100


def in_rounds(requests_of_a_round, clients=8, rounds=ROUNDS, act=book):
    """`clients` threads, each with one connection, meet at a barrier before every round."""
    barrier = threading.Barrier(clients, timeout=30)
    outcomes = [[] for _ in range(rounds)]
    bugs = []

    def client(number):
        try:
            for round_ in range(rounds):
                request = requests_of_a_round(round_, number)
                barrier.wait(timeout=60)
                try:
                    outcomes[round_].append(act(request))
                except SchedulingError as refusal:
                    outcomes[round_].append(refusal)
        except Exception as bug:
            bugs.append(bug)
            barrier.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=[number]) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bugs == []
    return outcomes


@pytest.mark.parametrize("resources", ["one practitioner", "practitioner, room and device"])
def test_a_hundred_times_eight_patients_want_one_time_and_one_gets_it(resources):
    if resources == "one practitioner":
        service = ServiceFactory(hours=ALWAYS_OPEN, interval=30)
        schedules = [ScheduleFactory(services=[service])]
    else:
        service, schedules = ultrasound()
    patients = PatientFactory.create_batch(8)

    def same_time(round_, client):
        start = monday(0) + timedelta(hours=round_)
        return wish(service, *schedules, at=start, patient=patients[client])

    outcomes = in_rounds(same_time)

    assert all(kinds(each) == {Appointment: 1, TimeTaken: 7} for each in outcomes)
    assert Slot.objects.filter(status="busy").count() == ROUNDS * len(schedules)
    assert overlaps() == 0


def test_without_the_constraint_the_same_race_sells_twice():
    """The control: without the constraint the race above sells times twice."""
    service = ServiceFactory(hours=ALWAYS_OPEN, interval=30)
    schedule = ScheduleFactory(services=[service])
    patients = PatientFactory.create_batch(8)
    with without_the_constraint():
        outcomes = in_rounds(
            lambda round_, client: wish(
                service, schedule, at=monday(0) + timedelta(hours=round_), patient=patients[client]
            ),
            rounds=30,
        )
        assert sum(kinds(each)[Appointment] for each in outcomes) > 30
        assert overlaps() > 0


def test_a_class_of_eight_takes_exactly_eight_of_twenty():
    service = ServiceFactory(capacity=8, duration=60, interval=60)
    schedule = ScheduleFactory(services=[service])
    requests = [wish(service, schedule, at=monday(10), patient=each) for each in PatientFactory.create_batch(20)]

    outcomes = at_once([partial(book, request) for request in requests])

    assert kinds(outcomes) == {Appointment: 8, TimeTaken: 12}
    assert set(Slot.objects.values_list("seat", flat=True)) == set(range(8))
    assert overlaps() == 0


@pytest.mark.parametrize("schedules", [1, 8])
def test_eight_clients_book_four_hundred_free_times_and_not_one_is_refused(schedules):
    service = ServiceFactory(hours=ALWAYS_OPEN, duration=15, interval=15)
    calendars = ScheduleFactory.create_batch(schedules, services=[service])
    patients = PatientFactory.create_batch(8)
    per_client = 50

    def a_free_time(round_, client):
        number = round_ * 8 + client
        calendar = calendars[client % schedules]
        start = monday(0) + timedelta(minutes=15 * number)
        return wish(service, calendar, at=start, patient=patients[client])

    outcomes = in_rounds(a_free_time, rounds=per_client)

    assert sum((kinds(each) for each in outcomes), Counter()) == {Appointment: 400}
    assert overlaps() == 0


def test_two_who_want_the_time_of_an_expired_hold_one_gets_it_and_its_holder_is_late():
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service])
    for round_ in range(10):
        start = monday(9, days=round_ // 5) + timedelta(minutes=30 * (round_ % 5))
        held = run_out(hold(wish(service, schedule, at=start)))
        wishes = [wish(service, schedule, at=start, patient=each) for each in PatientFactory.create_batch(2)]

        def late_confirm(held=held):
            return booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())

        outcomes = at_once([*(partial(book, each) for each in wishes), late_confirm])

        assert kinds(outcomes) == {Appointment: 1, TimeTaken: 1, HoldExpired: 1}
    assert overlaps() == 0


def test_reschedules_that_chase_each_other_end_and_lose_no_booking():
    service, schedules = ultrasound()
    for round_ in range(25):
        ten, eleven = (monday(hour) + timedelta(days=round_) for hour in (10, 11))
        first, second = (book(wish(service, *schedules, at=start)) for start in (ten, eleven))
        offerings = wish(service, *schedules, at=ten).offerings

        def move(appointment, start, offerings=offerings):
            return booking.reschedule(
                appointment.fhir_id,
                booking.RescheduleRequest(offerings=offerings, start=start),
                caller=SOFTWARE,
                now=timezone.now(),
            )

        outcomes = at_once([partial(move, first, eleven), partial(move, second, ten)])

        assert set(kinds(outcomes)) == {TimeTaken}  # neither releases its time before it has the other's
        for appointment, start in ((first, ten), (second, eleven)):
            appointment.refresh_from_db()
            assert (appointment.status, appointment.start) == ("booked", start)
            assert appointment.slots.filter(deleted_at=None, status="busy").count() == 3


def test_moves_among_bookings_of_the_same_time_end_without_deadlock():
    """A move releases one time and takes another; moves and bookings at once must not deadlock."""
    service, schedules = ultrasound()
    appointments = [book(wish(service, *schedules, at=monday(8) + timedelta(hours=each))) for each in range(4)]
    offerings = wish(service, *schedules, at=monday(8)).offerings
    patients = PatientFactory.create_batch(4)

    def moves(number):
        done = []
        for step in range(15):
            start = monday(8) + timedelta(hours=(number + step) % 5, minutes=30 * (step % 2))
            try:
                done.append(
                    booking.reschedule(
                        appointments[number].fhir_id,
                        booking.RescheduleRequest(offerings=offerings, start=start),
                        caller=SOFTWARE,
                        now=timezone.now(),
                    )
                )
            except TimeTaken:
                done.append(None)
        return done

    def bookings(number):
        done = []
        for step in range(15):
            start = monday(8) + timedelta(hours=(number + step) % 5, minutes=30 * (step % 2))
            try:
                made = book(wish(service, *schedules, at=start, patient=patients[number]))
                booking.cancel(made.fhir_id, caller=SOFTWARE, now=timezone.now())
                done.append(made)
            except TimeTaken:
                done.append(None)
        return done

    outcomes = at_once([partial(act, number) for number in range(4) for act in (moves, bookings)])

    assert all(isinstance(each, list) for each in outcomes)
    for appointment in appointments:
        appointment.refresh_from_db()
        busy = appointment.slots.filter(deleted_at=None, status="busy")
        assert set(busy.values_list("start", flat=True)) == {appointment.start}
        assert busy.count() == 3
    assert overlaps() == 0


def test_one_patient_is_not_in_two_places_however_fast_they_ask():
    service = ServiceFactory()
    schedules = ScheduleFactory.create_batch(4, services=[service])
    ada = PatientFactory()
    requests = [wish(service, each, at=monday(10), patient=ada) for each in schedules]

    outcomes = at_once([partial(book, each) for each in requests])

    assert kinds(outcomes)[Appointment] == 1


def test_the_same_key_at_once_books_once_and_everybody_hears_the_same():
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service])
    request = wish(service, schedule, at=monday(10))

    def once():
        key = booking.Once(owner="software", key="one", fingerprint="same", answer=lambda made: {"id": made.fhir_id})
        try:
            return booking.book(request, caller=SOFTWARE, now=timezone.now(), once=key).fhir_id
        except booking.AlreadyAnswered as again:
            return again.answer["id"]

    assert len(set(at_once([once] * 8))) == 1
    assert Appointment.objects.count() == 1
