"""Patients check in on the day: the step that the desk records on the board, taken by themselves."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from clinic.models import AuditEvent, Encounter
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import IllegalTransition, NotFound, RuleBroken
from scheduling.waiting import Wait, waits_of
from tests.factories import (
    NEW_YORK,
    AppointmentFactory,
    LocationFactory,
    PatientFactory,
    RelatedPersonFactory,
    UserFactory,
)
from tests.scheduling.situations import book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)
BORN = date(1990, 7, 4)


@pytest.fixture
def visit(service, chen, ada):
    return book(wish(service, chen, at=monday(10), patient=ada))


def check_in(visit, caller, at):
    return booking.check_in(visit.fhir_id, caller=caller, now=at)


def link_to(visit):
    return Caller(visit=visit.fhir_id)


def test_it_is_the_arrival_that_the_board_records(visit, ada):
    arrived = check_in(visit, Caller(user=ada.user), monday(10) - 20 * MINUTE)
    assert arrived.status == "arrived"
    encounter = Encounter.objects.get()
    assert (encounter.status, encounter.start) == ("arrived", monday(10) - 20 * MINUTE)
    assert AuditEvent.objects.get(subtype="check-in").user == ada.user


def test_said_again_nothing_changes(visit):
    first, second = (check_in(visit, link_to(visit), monday(10) + after * MINUTE) for after in (0, 14))
    assert (first.version, second.version, Encounter.objects.count()) == (2, 2, 1)


@pytest.mark.parametrize(
    ("minutes", "refusal"),
    [
        (-61, "You can check in from Mon, .* 9:00 AM"),
        (-60, ""),
        (15, ""),
        (16, "Online check-in closed at Mon, .* 10:15 AM .* Please go to the front desk"),
    ],
)
def test_it_is_open_from_an_hour_before_until_a_quarter_of_an_hour_after(visit, minutes, refusal):
    at = monday(10) + minutes * MINUTE
    if refusal:
        with pytest.raises(RuleBroken, match=refusal):
            check_in(visit, link_to(visit), at)
    else:
        assert check_in(visit, link_to(visit), at).status == "arrived"


def test_the_service_says_from_when_until_when(visit, service):
    service.check_in_before, service.check_in_after = 10 * MINUTE, 0 * MINUTE
    service.save()
    for minutes in (-11, 1):
        with pytest.raises(RuleBroken):
            check_in(visit, link_to(visit), monday(10) + minutes * MINUTE)
    assert check_in(visit, link_to(visit), monday(10)).status == "arrived"


@pytest.mark.parametrize("columns", [{"check_in_before": None}, {"telehealth": True}])
def test_a_service_without_check_in_and_a_visit_by_video_have_none(visit, service, columns):
    for name, value in columns.items():
        setattr(service, name, value)
    service.save()
    with pytest.raises(RuleBroken, match="Please tell the front desk that you are here"):
        check_in(visit, link_to(visit), monday(10))


def test_strangers_do_not_find_the_visit(visit, bo):
    for caller in (Caller(), Caller(user=bo.user), Caller(guest="secret"), Caller(visit="another")):
        with pytest.raises(NotFound):
            check_in(visit, caller, monday(10))


def test_what_is_not_booked_cannot_be_checked_in(visit, service, chen, bo, boss):
    held = hold(wish(service, chen, at=monday(14), patient=bo))
    booking.cancel(visit.fhir_id, caller=boss, now=timezone.now())
    for appointment in (held, visit):
        with pytest.raises(IllegalTransition):
            check_in(appointment, link_to(appointment), appointment.start)


def test_staff_take_it_back(visit, boss):
    check_in(visit, link_to(visit), monday(10))
    booking.correct_status(visit.fhir_id, "booked", caller=boss, now=monday(10) + MINUTE)
    assert Encounter.objects.get().status == "cancelled"
    assert check_in(visit, link_to(visit), monday(10) + 2 * MINUTE).status == "arrived"


def test_the_queue_is_in_the_order_of_the_visits_and_not_of_arrival(service, chen):
    visits = [book(wish(service, chen, at=monday(hour), patient=PatientFactory())) for hour in (9, 10, 11, 12)]
    for visit, status in zip(visits, ("checked-in", "arrived", "booked", "arrived"), strict=True):
        visit.status = status
        visit.save()
    waits = waits_of(visits, ZoneInfo(NEW_YORK), {}, now=monday(9))
    assert {visits.index(visit): waits.get(visit.pk) for visit in visits} == {0: None, 1: Wait(1), 2: None, 3: Wait(2)}
    assert waits_of(visits, ZoneInfo(NEW_YORK), {}, now=monday(9) + timedelta(days=1)) == {}


class TestFindingAVisit:
    """At the desk a visit is found by the birth date and one other thing."""

    @pytest.fixture
    def ada(self, ada):
        ada.birth_date, ada.phone, ada.email = BORN, "+12125550123", "ada@example.com"
        ada.save()
        return ada

    @pytest.fixture
    def visit(self, ada, site):
        return AppointmentFactory(patient=ada, site=site, start=monday(10), end=monday(11))

    def find(self, site, born=BORN, known="ada@example.com", at=None):
        return booking.find_arrivals(site, born, known, now=at or monday(9))

    @pytest.mark.parametrize(
        "known", ["ADA@example.com", "(212) 555-0123", "+1 212 555 0123", "reference", " Reference "]
    )
    def test_it_is_found_by_what_the_patient_knows(self, visit, site, known):
        reference = visit.fhir_id[:8]
        assert self.find(site, known=known.replace("reference", reference).replace("Reference", reference.upper())) == [
            visit
        ]

    @pytest.mark.parametrize(
        "wrong", [{"born": date(1990, 7, 5)}, {"known": "bo@example.com"}, {"known": "555"}, {"known": ""}]
    )
    def test_one_without_the_other_finds_nothing(self, visit, site, wrong):
        assert self.find(site, **wrong) == []

    def test_visits_of_other_days_and_sites_and_those_that_are_over_are_not_found(self, visit, site):
        assert self.find(LocationFactory()) == []
        for days in (-1, 1):
            assert self.find(site, at=monday(9) + timedelta(days=days)) == []
        visit.status = "fulfilled"
        visit.save()
        assert self.find(site) == []

    def test_a_child_is_found_by_the_address_of_the_carer(self, visit, ada, site):
        ada.phone = ada.email = ""
        ada.user = None
        ada.save()
        RelatedPersonFactory(patient=ada, user=UserFactory(email="carer@example.com"), keeps_access=True)
        assert self.find(site, known="carer@example.com") == [visit]
