"""Concurrent operations for one patient, and of one holder, at overlapping times."""

from functools import partial

import pytest

from clinic.models import Appointment
from scheduling import booking
from scheduling.errors import PatientElsewhere, RuleBroken, TooManyHolds
from tests.factories import PatientFactory, QuestionnaireFactory, QuestionnaireResponseFactory, ScheduleFactory
from tests.scheduling.races.arena import GUEST, do, kinds, slow
from tests.scheduling.situations import at_once, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


def named_for_two_holds(service):
    """One patient is named for two holds of different people at overlapping times."""
    eve = PatientFactory()
    schedules = ScheduleFactory.create_batch(2, services=[service])
    holds = [hold(wish(service, each, at=monday(10, 15 * n)), GUEST) for n, each in enumerate(schedules)]
    with slow("clinic_appointment"):
        return kinds(at_once([do(booking.name_patient, each, eve, caller=GUEST) for each in holds]))


def test_a_patient_is_named_for_one_of_two_visits_at_one_time(service):
    assert named_for_two_holds(service) == {Appointment: 1, PatientElsewhere: 1}


def test_without_the_lock_of_the_patient_they_are(service, without):
    without("holds.lock_patients", "holds.lock_holder")
    assert named_for_two_holds(service) == {Appointment: 2}


def five_holds(service, schedule):
    requests = [wish(service, schedule, at=monday(hour)) for hour in range(9, 14)]
    with slow("clinic_appointment", "INSERT"):
        return kinds(at_once([partial(hold, each, GUEST) for each in requests]))


def test_a_guest_holds_two_times_however_many_they_ask_for_at_once(service, chen):
    assert five_holds(service, chen) == {Appointment: 2, TooManyHolds: 3}


def test_without_the_lock_of_the_holder_they_hold_more(service, chen, without):
    without("holds.lock_holder")
    assert five_holds(service, chen)[Appointment] > 2


def two_visits_with_one_set_of_answers(service, schedule, patient):
    form = QuestionnaireFactory()
    service.requires_questionnaires = True
    service.save()
    service.questionnaires.set([form])
    QuestionnaireResponseFactory(patient=patient, questionnaire=form)
    holds = [hold(wish(service, schedule, at=monday(hour), patient=patient)) for hour in (10, 14)]
    with slow("clinic_questionnaireresponse"):
        return kinds(at_once([do(booking.confirm, each) for each in holds]))


def test_answers_serve_one_visit(service, chen, ada):
    assert two_visits_with_one_set_of_answers(service, chen, ada) == {Appointment: 1, RuleBroken: 1}


def test_without_the_lock_of_the_patient_they_serve_two(service, chen, ada, without):
    without("holds.lock_patients", "holds.own_bookables")
    assert two_visits_with_one_set_of_answers(service, chen, ada) == {Appointment: 2}
