"""Many cancellations at once, many who wait, and workers that are killed: each time goes to one person after another,
in order, and none is lost.
"""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.fhir.waitlist import WaitlistPreferences
from clinic.models import Appointment, FreedTime, WaitlistOffer
from clinic.parking import FIRST_PAUSE
from scheduling import booking, waitlist
from scheduling.booking import WaitlistRequest
from scheduling.errors import SchedulingError
from scheduling.waitlist.matching import LEASE
from tests.factories import PatientFactory, ScheduleFactory
from tests.scheduling.races.arena import killed_worker, killer, overlaps, slow
from tests.scheduling.situations import SOFTWARE, at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
WAITING, FREED, WORKERS, KILLS = 50, 30, 2, 12


@pytest.fixture(autouse=True)
def by_day(settings):
    settings.QUIET_HOURS = None


def join(service):
    request = WaitlistRequest(service=service, patient=PatientFactory(), preferences=WaitlistPreferences())
    return booking.join_waitlist(request, caller=SOFTWARE, now=timezone.now())


def full_days(service, schedule):
    """Thirty booked visits on two days, one after the other, so that each frees a time of its own."""
    starts = [monday(9, days=day) + timedelta(minutes=30 * n) for day in (0, 1) for n in range(FREED // 2)]
    return [book(wish(service, schedule, at=start, patient=PatientFactory())) for start in starts]


def work(ahead=timedelta(0)):
    """Do what a worker does, until nothing is due."""
    booking.release_lapsed_offers(now=timezone.now() + ahead)
    while waitlist.offer_freed_time(now=timezone.now() + ahead):
        pass


def cancelled(visits):
    """A function that cancels these visits, one after the other."""

    def act():
        for visit in visits:
            booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())

    return act


def swarm(visits):
    """Cancel all the visits from several threads while two workers run and are killed; then let a worker finish."""
    done = threading.Event()

    def crowd():
        try:
            shares = [cancelled(visits[n::5]) for n in range(5)]
            at_once([*shares, killer(done, KILLS)])
        finally:
            done.set()

    at_once([crowd, *[killed_worker(work, done)] * WORKERS])
    work(max(LEASE, FIRST_PAUSE))


def answer(offer, act):
    """Take the offer or let it pass, as its patient; False if it could not be had any more."""
    try:
        act(offer.entry.fhir_id, offer.hold.fhir_id, caller=SOFTWARE, now=timezone.now())
    except SchedulingError:
        return False
    return True


def test_thirty_cancellations_for_fifty_people_with_workers_that_are_killed(service, chen):
    entries = [join(service) for _ in range(WAITING)]
    visits = full_days(service, chen)
    service.refresh_from_db()
    swarm(visits)
    first = list(WaitlistOffer.objects.filter(outcome="open").select_related("entry", "hold").order_by("pk"))
    assert {offer.entry_id for offer in first} == {entry.pk for entry in entries[:FREED]}, "the first thirty, each once"
    assert {offer.start for offer in first} == {visit.start for visit in visits}, "no time is lost"
    assert WaitlistOffer.objects.exclude(outcome="gone").count() == FREED

    declined, taken = first[:10], first[10:]
    both = [lambda offer=offer: answer(offer, booking.take_offer) for offer in taken for _ in "ab"]
    assert sum(filter(None, (each for each in at_once(both)))) == len(taken), "each is taken once"
    for offer in declined:
        assert answer(offer, booking.decline_offer)
        booking.leave_waitlist(offer.entry.fhir_id, caller=SOFTWARE, now=timezone.now())
    work()
    rest = list(WaitlistOffer.objects.filter(outcome="open").select_related("entry", "hold"))
    assert {offer.entry_id for offer in rest} == {entry.pk for entry in entries[FREED : FREED + 10]}, (
        "then the next ten"
    )
    assert all(answer(offer, booking.take_offer) for offer in rest)
    work()
    booked = Appointment.objects.filter(status="booked")
    assert sorted(booked.values_list("start", flat=True)) == sorted(visit.start for visit in visits)
    assert overlaps() == 0
    assert not FreedTime.objects.filter(closed=None).exists()
    figure = waitlist.fill_figure(timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1))
    assert (figure.freed, figure.offered, figure.taken, figure.share) == (FREED, FREED, FREED, 1.0)


def asked_by_two_workers(service, schedule, second_worker):
    """The number of offers that one person has when two workers look at two times at once."""
    join(service)
    for visit in [book(wish(service, schedule, at=monday(hour), patient=PatientFactory())) for hour in (10, 12)]:
        booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    with slow("clinic_appointment", "INSERT"):
        at_once([work, second_worker])
    return WaitlistOffer.objects.filter(outcome="open").count()


@pytest.fixture
def second_worker(monkeypatch):
    """The work of a second worker. It starts when the first has chosen whom to ask; neither asks before both have."""
    place_offer, first_chose, both_chose = booking.place_offer, threading.Event(), threading.Barrier(2)
    asked_before = threading.local()

    def place_offer_together(*args, **named):
        if not hasattr(asked_before, "answer"):
            asked_before.answer = True
            first_chose.set()
            both_chose.wait(timeout=30)
        return place_offer(*args, **named)

    def second():
        assert first_chose.wait(timeout=30)
        work()

    monkeypatch.setattr(booking, "place_offer", place_offer_together)
    return second


def test_two_workers_ask_one_person_for_one_time(service, chen, second_worker):
    assert asked_by_two_workers(service, chen, second_worker) == 1


def test_without_the_lock_and_the_constraint_they_ask_for_two(service, chen, second_worker, without_row_locks, without):
    without("offers.lock_patients", "visits.own_bookables")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX waitlist_offer_one_at_a_time")
    try:
        assert asked_by_two_workers(service, chen, second_worker) == 2
    finally:
        WaitlistOffer.objects.all().delete()
        constraint = next(
            each for each in WaitlistOffer._meta.constraints if each.name == "waitlist_offer_one_at_a_time"
        )
        with connection.schema_editor() as editor:
            editor.add_constraint(WaitlistOffer, constraint)


def taken_twice(service, schedule):
    """Two people take one time at once: the one to whom it is offered, and one who books it."""
    entry = join(service)
    visit = book(wish(service, schedule, at=monday(10), patient=PatientFactory()))
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    work()
    offer = WaitlistOffer.objects.get(entry=entry)
    request = wish(service, schedule, at=monday(10), patient=PatientFactory())
    return at_once([lambda: answer(offer, booking.take_offer), lambda: book(request)])


def test_nobody_books_a_time_that_is_offered(service, chen):
    taken_twice(service, chen)
    assert Appointment.objects.filter(status="booked", start=monday(10)).count() == 1
    assert overlaps() == 0


def test_two_practitioners_who_are_free_at_once_are_offered_to_two_people(service, chen):
    entries = [join(service) for _ in range(3)]
    for schedule in (chen, ScheduleFactory(services=[service])):
        visit = book(wish(service, schedule, at=monday(10), patient=PatientFactory()))
        booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    work()
    assert [offer.entry for offer in WaitlistOffer.objects.order_by("pk")] == entries[:2]
