"""Eight clients at once, and a day with room for three: exactly three visits are booked."""

from collections import Counter
from functools import partial

import pytest
from django.utils import timezone

from clinic.models import Appointment
from scheduling import booking
from scheduling.errors import RuleBroken, TimeNotOffered
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.races.arena import kinds, slow
from tests.scheduling.situations import SOFTWARE, at_once, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 8


def eight_at_different_times(service, schedules):
    return [
        partial(
            book, wish(service, schedules[n % len(schedules)], at=monday(9 + n // 2, 30 * (n % 2)), patient=patient)
        )
        for n, patient in enumerate(PatientFactory.create_batch(CLIENTS))
    ]


def on_one_schedule():
    service = ServiceFactory(day_limit=3)
    return service, [ScheduleFactory(services=[service])]


def in_one_session():
    service = ServiceFactory(session_limit=3)
    return service, [ScheduleFactory(services=[service])]


def on_two_schedules():
    service = ServiceFactory(total_day_limit=3)
    return service, [ScheduleFactory(services=[service]) for _ in range(2)]


def of_new_patients():
    service = ServiceFactory(new_patient_limit=3)
    return service, [ScheduleFactory(services=[service]) for _ in range(2)]


def of_new_patients_in_one_session():
    service = ServiceFactory(new_patient_session_limit=3)
    return service, [ScheduleFactory(services=[service])]


@pytest.mark.parametrize(
    ("situation", "refusal"),
    [
        (on_one_schedule, TimeNotOffered),
        (in_one_session, TimeNotOffered),
        (of_new_patients_in_one_session, TimeNotOffered),
        (on_two_schedules, TimeNotOffered),
        (of_new_patients, RuleBroken),
    ],
)
def test_three_of_eight_are_booked(situation, refusal):
    outcomes = at_once(eight_at_different_times(*situation()))
    assert kinds(outcomes) == {Appointment: 3, refusal: 5}
    assert Appointment.objects.filter(status="booked").count() == 3


@pytest.mark.parametrize(
    ("situation", "lock"),
    [
        (on_one_schedule, "visits.own_bookables"),
        (in_one_session, "visits.own_bookables"),
        (of_new_patients_in_one_session, "visits.own_bookables"),
        (on_two_schedules, "visits.lock_counted"),
    ],
)
def test_without_the_lock_more_are_booked(situation, lock, without):
    """The control: who counts without the lock does not see those who are about to book."""
    without(lock)
    acts = eight_at_different_times(*situation())
    with slow("clinic_slot", "INSERT"):
        outcomes = at_once(acts)
    assert kinds(outcomes)[Appointment] > 3


def holds_of_a_returning_patient_for_two_new_ones():
    """Two acts, each of which gives a held time of one session to a new patient: there is room for one."""
    service = ServiceFactory(new_patient_session_limit=1)
    chen = ScheduleFactory(services=[service])
    known = PatientFactory(returning=True)
    held = [hold(wish(service, chen, at=monday(9 + n), patient=known)) for n in range(2)]
    return [
        partial(booking.name_patient, each.fhir_id, PatientFactory(), caller=SOFTWARE, now=timezone.now())
        for each in held
    ]


def test_one_of_two_holds_becomes_that_of_a_new_patient():
    outcomes = at_once(holds_of_a_returning_patient_for_two_new_ones())
    assert kinds(outcomes) == {Appointment: 1, RuleBroken: 1}


def test_without_the_lock_both_become_that_of_a_new_patient(without):
    """The control."""
    without("holds.own_bookables")
    acts = holds_of_a_returning_patient_for_two_new_ones()
    with slow("clinic_appointment", "UPDATE"):
        outcomes = at_once(acts)
    assert kinds(outcomes) == {Appointment: 2}


def test_a_patient_who_confirms_two_holds_at_once_has_one_visit():
    service = ServiceFactory(patient_limit=1)
    schedules = [ScheduleFactory(services=[service]) for _ in range(2)]
    patient = PatientFactory()
    held = [hold(wish(service, each, at=monday(9 + n))) for n, each in enumerate(schedules)]

    def confirm(appointment):
        request = booking.ConfirmRequest(patient=patient)
        return booking.confirm(appointment.fhir_id, request, caller=SOFTWARE, now=timezone.now())

    outcomes = at_once([partial(confirm, each) for each in held])
    assert kinds(outcomes) == {Appointment: 1, RuleBroken: 1}
    assert Counter(Appointment.objects.values_list("status", flat=True)) == {"booked": 1, "pending": 1}
