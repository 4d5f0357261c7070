"""Absences of which two say at once that times are offered, patients who book meanwhile, workers that are killed."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment, Communication, Rebooking
from clinic.parking import FIRST_PAUSE
from scheduling import absences, booking
from scheduling.absences.tending import LEASE
from scheduling.access import Caller
from scheduling.booking import AbsenceRequest
from scheduling.errors import SchedulingError, TimeTaken, VersionConflict
from tests.factories import LocationFactory, PatientFactory, ScheduleFactory, UserFactory
from tests.scheduling.races.arena import killed_worker, killer, kinds, later, overlaps, slow
from tests.scheduling.situations import at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
VISITS, KILLS, WORKERS = 30, 12, 2


@pytest.fixture(autouse=True)
def by_day(settings):
    settings.QUIET_HOURS = None


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service], site=LocationFactory())


@pytest.fixture
def desk(chen):
    return Caller(user=UserFactory(desk_locations=[chen.site]))


@pytest.fixture
def ill(chen, desk):
    def record(days=1):
        request = AbsenceRequest(bookable=chen.bookable_id, start=monday(0), end=monday(0, days=days), reason="Flu")
        return booking.record_absence(request, caller=desk, now=timezone.now())

    return record


def booked(service, schedule, visits):
    """Visits of two days, one after the other."""
    starts = [monday(9, days=day) + timedelta(minutes=30 * n) for day in (0, 1) for n in range(visits // 2)]
    return [
        book(wish(service, schedule, at=start, patient=PatientFactory(email=f"{number}@example.com")))
        for number, start in enumerate(starts)
    ]


def work(ahead=timedelta(0)):
    while absences.tend(now=timezone.now() + ahead):
        pass


def test_of_two_who_offer_times_at_once_the_second_changes_nothing(service, chen, ill, desk):
    booked(service, chen, 4)
    absence = ill(days=2)

    def offer():
        return booking.offer_times(absence.pk, 1, caller=desk, now=timezone.now())

    with slow("clinic_absence"):
        assert kinds(at_once([offer, offer]))[VersionConflict] == 1
    work()
    assert Rebooking.objects.count() == 4
    assert Appointment.objects.filter(suggested_for__isnull=False).count() == 12


def test_without_the_lock_both_would_offer_them(service, chen, ill, desk, without, without_row_locks):
    booked(service, chen, 4)
    absence = ill(days=2)
    without("absences.own_bookables")

    def offer():
        return booking.offer_times(absence.pk, 1, caller=desk, now=timezone.now())

    with slow("clinic_absence"):
        assert kinds(at_once([offer, offer]))[VersionConflict] == 0


def test_a_patient_who_books_while_the_absence_is_recorded_is_affected_or_refused(service, chen, ill):
    request = wish(service, chen, at=monday(10), patient=PatientFactory(email="late@example.com"))
    with slow("clinic_slot", "INSERT"):
        outcomes = at_once([ill, later(lambda: book(request))])
    assert kinds(outcomes)[TimeTaken] == 1
    assert overlaps() == 0


def test_two_patients_are_never_promised_the_same_time_though_workers_are_killed(service, chen, ill, desk):
    visits = booked(service, chen, VISITS)
    absence = ill(days=2)
    booking.offer_times(absence.pk, 1, caller=desk, now=timezone.now())
    done = threading.Event()

    def cut_connections():
        try:
            killer(done, KILLS)()
        finally:
            done.set()

    at_once([cut_connections, *[killed_worker(work, done)] * WORKERS])
    work(max(LEASE, FIRST_PAUSE))
    work(max(LEASE, FIRST_PAUSE) + booking.UNDO_FOR)
    assert overlaps() == 0
    assert set(Rebooking.objects.values_list("state", flat=True)) == {"offered"}
    holds = Appointment.objects.filter(suggested_for__in=visits, status="pending")
    assert holds.count() == VISITS * booking.MOST_TIMES
    sent = Communication.objects.filter(event="rebooking", medium="email")
    assert sorted(sent.values_list("appointment", flat=True)) == sorted(visit.pk for visit in visits)


def test_of_two_choices_at_once_one_moves_the_visit(service, chen, ill, desk):
    visit = booked(service, chen, 2)[0]
    booking.offer_times(ill().pk, 1, caller=desk, now=timezone.now())
    work()
    holds = booking.standing_alternatives(Appointment.objects.get(pk=visit.pk), now=timezone.now())

    def choose(hold):
        return lambda: booking.choose_alternative(visit.fhir_id, hold.fhir_id, caller=desk, now=timezone.now())

    outcomes = at_once([choose(hold) for hold in holds])
    assert len([each for each in outcomes if not isinstance(each, SchedulingError)]) == 1
    assert Appointment.objects.filter(suggested_for=visit, status="pending").count() == 0
    assert overlaps() == 0
