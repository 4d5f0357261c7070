"""Obstacles to a booking: every rule that refuses it is named, and a visit without one is booked."""

from datetime import date, timedelta
from random import Random

import pytest
from django.utils import timezone

from clinic.models import Appointment, AuditEvent, HealthcareService
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import Reason
from scheduling.booking import Rule
from scheduling.errors import SchedulingError
from tests.factories import (
    CareTeamFactory,
    CoverageFactory,
    LocationFactory,
    PatientFactory,
    QuestionnaireFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    SlotFactory,
)
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
WORLDS = 30


def obstacles(request, caller=SOFTWARE):
    return booking.obstacles_to(request, caller=caller, now=timezone.now())


def attempt(request):
    """Book the visit. Returns it, or the refusal."""
    try:
        return book(request)
    except SchedulingError as refusal:
        return refusal


def rules(request, caller=SOFTWARE):
    return {each.rule for each in obstacles(request, caller)}


def test_nothing_stands_against_a_free_time_and_nothing_is_written(service, chen, ada):
    assert obstacles(wish(service, chen, at=monday(10), patient=ada)) == []
    assert not Appointment.objects.exists()
    assert not AuditEvent.objects.exists()


def test_each_rule_of_time_is_named_with_its_schedule(service, chen):
    SlotFactory(schedule=chen, start=monday(10), end=monday(11))
    assert {(each.rule, each.offering.fhir_id) for each in obstacles(wish(service, chen, at=monday(10, 7)))} == {
        (Reason.OFF_GRID, chen.fhir_id),
        (Reason.TAKEN, chen.fhir_id),
    }
    assert rules(wish(service, chen, at=monday(6))) == {Reason.OUTSIDE_HOURS}


def _elsewhere(service, chen, ada):
    book(wish(service, ScheduleFactory(services=[service]), at=monday(10), patient=ada))


def _limited(service, chen, ada):
    service.patient_limit = 1
    book(wish(service, chen, at=monday(14), patient=ada))


def _covered(service, chen, ada):
    service.requires_coverage = True


def _asked(service, chen, ada):
    service.requires_questionnaires = True
    service.questionnaires.add(QuestionnaireFactory(status="active"))


def _known(service, chen, ada):
    service.requires_care_team = True
    CareTeamFactory(patient=ada)


def _old_enough(service, chen, ada):
    service.minimum_age = 90


def _with_a_room(service, chen, ada):
    service.requires = [HealthcareService.ActorType.PRACTITIONER, HealthcareService.ActorType.LOCATION]


@pytest.mark.parametrize(
    ("arrange", "rule"),
    [
        (_elsewhere, Rule.PATIENT_ELSEWHERE),
        (_limited, Rule.PATIENT_LIMIT),
        (_covered, Rule.REQUIREMENT),
        (_asked, Rule.REQUIREMENT),
        (_known, Rule.REQUIREMENT),
        (_old_enough, Rule.REQUIREMENT),
        (_with_a_room, Rule.INCOMPLETE),
    ],
)
def test_each_rule_of_visits_is_named_as_booking_names_it(service, chen, ada, arrange, rule):
    ada.birth_date = date(1990, 7, 4)
    ada.save()
    arrange(service, chen, ada)
    service.save()
    request = wish(service, chen, at=monday(10), patient=ada)
    found = obstacles(request)
    assert {each.rule for each in found} == {rule}
    with pytest.raises(SchedulingError) as refusal:
        book(request)
    assert [each.text for each in found] == [issue.text for issue in refusal.value.issues]


def test_what_a_patient_may_not_book_is_named(service, chen, ada):
    service.bookable_by = HealthcareService.BookableBy.STAFF
    service.save()
    assert rules(wish(service, chen, at=monday(10), patient=ada), Caller(user=ada.user)) == {Rule.PERMISSION}


def test_it_can_be_booked_exactly_when_nothing_stands_against_it():
    """In random worlds with rules of every kind, each time is explained and then booked."""
    random = Random(14)
    booked = refused = 0
    for _world in range(WORLDS):
        requires = random.choice([[], [], [], ["Practitioner", "Location"]])
        service = ServiceFactory(
            duration=random.choice([20, 30, 45]),
            interval=random.choice([10, 15, 30]),
            buffer_before=random.choice([0, 10]),
            buffer_after=random.choice([0, 5]),
            capacity=random.choice([1, 1, 2]),
            day_limit=random.choice([None, None, 2]),
            patient_limit=random.choice([None, 1, 2]),
            booking_horizon_days=random.choice([None, None, 15, 300]),
            minimum_notice=timedelta(days=random.choice([0, 0, 0, 14])),
            requires=requires,
            requires_coverage=random.random() < 0.2,
            minimum_age=random.choice([None, None, 18]),
        )
        patients = PatientFactory.create_batch(4)
        CoverageFactory(beneficiary=patients[0])
        site = LocationFactory()
        people = [ScheduleFactory(services=[service], site=site) for _ in range(2)]
        room = ScheduleFactory(services=[service], actor=RoomFactory(), site=site)
        SlotFactory(schedule=people[0], start=monday(11), end=monday(12))
        if random.random() < 0.3:
            people[0].planning_end = monday(13)
            people[0].save()
        for _attempt in range(8):
            schedules = random.sample(people, 1) + random.choice(
                [[room], [], [people[0]] if random.random() < 0.2 else []]
            )
            at = monday(random.randrange(8, 17), random.choice([0, 0, 15, 30]))
            request = wish(
                service, *{each.pk: each for each in schedules}.values(), at=at, patient=random.choice(patients)
            )
            found = obstacles(request)
            made = attempt(request)
            assert isinstance(made, Appointment) is (not found), (made, found)
            booked, refused = booked + (not found), refused + bool(found)
    assert min(booked, refused) >= WORLDS
