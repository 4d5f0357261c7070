"""Services for new or for returning patients: the definition, and every use case that asks for it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Appointment
from scheduling import booking, requirements
from scheduling.access import Caller
from scheduling.errors import RuleBroken
from scheduling.new_patients import is_new
from scheduling.requirements import Requirement
from tests.factories import AppointmentFactory, ServiceFactory, UserFactory, concept
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
A_YEAR = timedelta(days=365.25)
SKIN = [concept("394582007", "Dermatology", "http://snomed.info/sct")]
HEART = [concept("394579002", "Cardiology", "http://snomed.info/sct")]


def earlier(patient, status="fulfilled", *, ago=timedelta(days=100), **others):
    start = monday(9) - ago
    return AppointmentFactory(
        patient=patient, status=status, start=start, end=start + timedelta(minutes=30), schedules=[], **others
    )


@pytest.mark.parametrize(
    ("status", "new"),
    [
        ("fulfilled", False),
        ("checked-in", False),
        ("arrived", False),
        ("booked", True),
        ("noshow", True),
        ("cancelled", True),
        ("entered-in-error", True),
    ],
)
def test_a_visit_that_took_place_makes_a_returning_patient(service, ada, status, new):
    earlier(ada, status)
    assert is_new(ada, service, monday(10)) is new


def test_a_later_visit_and_that_of_another_patient_do_not_count(service, ada, bo):
    earlier(ada, ago=-timedelta(days=1))
    earlier(bo)
    assert is_new(ada, service, monday(10))


@pytest.mark.parametrize(("years", "ago", "new"), [(3, 2.9, False), (3, 3.1, True), (0, 30, False)])
def test_so_many_years_back_count(settings, service, ada, years, ago, new):
    settings.RETURNING_WITHIN = years * A_YEAR if years else None
    earlier(ada, ago=ago * A_YEAR)
    assert is_new(ada, service, monday(10)) is new


@pytest.mark.parametrize(
    ("by_specialty", "visited", "wanted", "new"),
    [
        (False, HEART, SKIN, False),
        (True, HEART, SKIN, True),
        (True, [*HEART, *SKIN], SKIN, False),
        (True, [], SKIN, True),
        (True, HEART, [], False),
    ],
)
def test_visits_of_the_same_specialty_count(settings, service, ada, by_specialty, visited, wanted, new):
    settings.RETURNING_BY_SPECIALTY = by_specialty
    service.specialty = wanted
    earlier(ada, service=ServiceFactory(specialty=visited))
    assert is_new(ada, service, monday(10)) is new


def test_the_clinic_can_say_that_a_patient_returns(service, ada, django_assert_num_queries):
    ada.returning = True
    with django_assert_num_queries(0):
        assert not is_new(ada, service, monday(10))


@pytest.mark.parametrize(
    ("eligibility", "returns", "words"),
    [
        ("new", True, "is for new patients, and the patient has been here before"),
        ("returning", False, "is for patients who have been here before"),
        ("new", False, ""),
        ("returning", True, ""),
        ("everyone", True, ""),
    ],
)
def test_a_service_is_booked_by_those_whom_it_is_for(service, chen, ada, eligibility, returns, words):
    service.eligibility = eligibility
    service.save()
    if returns:
        earlier(ada)
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    assert set(requirements.unmet_by_requirement(held)) == ({Requirement.ELIGIBILITY} if words else set())
    if not words:
        assert booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now()).status == "booked"
        return
    with pytest.raises(RuleBroken, match=words):
        booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    with pytest.raises(RuleBroken, match=words):
        book(wish(service, chen, at=monday(11), patient=ada))
    assert not Appointment.objects.filter(status="booked").exists()


def test_staff_book_it_all_the_same_with_a_reason(service, chen, ada):
    service.eligibility = "returning"
    service.save()
    practitioner = chen.bookable.practitioner
    practitioner.user = UserFactory()
    practitioner.save()
    request = replace(wish(service, chen, at=monday(10), patient=ada), override="Comes from our old clinic")
    assert book(request, Caller(user=practitioner.user)).status == "booked"


def test_its_requirement_is_described(service):
    service.eligibility = "new"
    assert requirements.describe(service) == f"{service.name} needs a new patient."


def test_nothing_is_asked_of_a_service_for_everyone(service, ada, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert requirements.eligibility_issues(service, ada, monday(10)) == []
