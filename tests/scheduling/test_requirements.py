"""Requirements of a service, to be met before it is booked."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from clinic.models import Appointment, QuestionnaireResponse
from scheduling import availability, booking, requirements
from scheduling.access import Caller
from scheduling.errors import RuleBroken
from scheduling.requirements import Requirement
from tests.factories import (
    AppointmentFactory,
    CareTeamFactory,
    CoverageFactory,
    LocationFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    QuestionnaireResponseFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
VISIT_DAY = timedelta(0)


@pytest.fixture
def visit(service, chen, ada):
    """A hold for Ada with Dr Chen; the service requires nothing yet."""
    return hold(wish(service, chen, at=monday(10), patient=ada))


def requires(service, *what, questionnaires=()):
    for each in what:
        setattr(service, f"requires_{each}", True)
    service.save()
    service.questionnaires.set(questionnaires)


def lacking(visit):
    visit.refresh_from_db()
    return set(requirements.unmet_by_requirement(visit))


def confirm(visit):
    return booking.confirm(visit.fhir_id, caller=SOFTWARE, now=timezone.now())


def test_a_service_that_asks_for_nothing_lacks_nothing(visit):
    assert lacking(visit) == set()


def test_the_patient_is_the_first_requirement(service, chen):
    requires(service, "coverage", "care_team")
    held = hold(wish(service, chen, at=monday(10)))
    assert lacking(held) == {Requirement.PATIENT}


def test_all_that_is_lacking_is_said_at_once_and_nothing_is_booked(visit, service):
    requires(service, "coverage", "care_team", "questionnaires", questionnaires=[QuestionnaireFactory()])
    assert lacking(visit) == {Requirement.COVERAGE, Requirement.CARE_TEAM, Requirement.ANSWERS}
    with pytest.raises(RuleBroken) as refusal:
        confirm(visit)
    assert len(refusal.value.issues) == 3
    visit.refresh_from_db()
    assert visit.status == "pending"


def test_so_it_is_where_no_hold_came_before(service, chen, ada):
    requires(service, "coverage")
    request = wish(service, chen, at=monday(10), patient=ada)
    with pytest.raises(RuleBroken, match="coverage"):
        book(request)
    assert not Appointment.objects.exists()
    assert availability.is_offered(service, request.offerings, request.start, now=timezone.now())


def test_staff_who_run_the_calendar_may_book_without_and_say_why(service, chen, ada):
    requires(service, "coverage")
    chen.bookable.practitioner.user = UserFactory()
    chen.bookable.practitioner.save()
    request = replace(wish(service, chen, at=monday(10), patient=ada), override="An emergency")
    assert book(request, Caller(user=chen.bookable.practitioner.user)).status == "booked"


# Coverage


@pytest.mark.parametrize(
    ("coverage", "is_enough"),
    [
        ({}, True),
        ({"start": VISIT_DAY, "end": VISIT_DAY}, True),
        ({"end": -timedelta(days=1)}, False),
        ({"start": timedelta(days=1)}, False),
        ({"status": "cancelled"}, False),
        ({"status": "draft"}, False),
    ],
)
def test_coverage_is_active_on_the_day_of_the_visit(visit, service, ada, coverage, is_enough):
    requires(service, "coverage")
    day = visit.start.date()
    days = {name: day + value if isinstance(value, timedelta) else value for name, value in coverage.items()}
    CoverageFactory(beneficiary=ada, **days)
    assert (lacking(visit) == set()) is is_enough


def test_another_patients_coverage_is_none(visit, service, bo):
    requires(service, "coverage")
    CoverageFactory(beneficiary=bo)
    assert lacking(visit) == {Requirement.COVERAGE}


def test_the_day_is_that_of_the_site(service, ada):
    late = monday(22)  # the next day, by the clock of the server
    visit = AppointmentFactory(patient=ada, service=service, start=late, site=LocationFactory())
    local = late.astimezone(ZoneInfo("America/New_York")).date()
    assert requirements.day_of(visit) == local == late.date() - timedelta(days=1)
    requires(service, "coverage")
    CoverageFactory(beneficiary=ada, end=local)
    assert lacking(visit) == set()


# Answers


@pytest.fixture
def form(service):
    form = QuestionnaireFactory(title="Before we meet")
    requires(service, "questionnaires", questionnaires=[form])
    return form


@pytest.mark.parametrize(
    ("status", "is_enough"),
    [("completed", True), ("amended", True), ("in-progress", False), ("stopped", False), ("entered-in-error", False)],
)
def test_answers_are_complete(visit, form, status, is_enough):
    QuestionnaireResponseFactory(appointment=visit, questionnaire=form, status=status)
    assert (lacking(visit) == set()) is is_enough


def test_each_questionnaire_is_named(visit, service, form):
    service.questionnaires.add(QuestionnaireFactory(title="And this"))
    texts = [issue.text for issue in requirements.unmet(visit, now=timezone.now())]
    assert len(texts) == 2
    assert "Before we meet" in texts[1] + texts[0]


def test_answers_given_for_no_visit_yet_become_this_ones(visit, form, ada):
    QuestionnaireResponseFactory(patient=ada, questionnaire=form)
    confirm(visit)
    assert QuestionnaireResponse.objects.get().appointment == visit


def test_answers_that_have_been_begun_for_the_visit_count_and_not_earlier_ones(visit, form, ada):
    QuestionnaireResponseFactory(patient=ada, questionnaire=form)
    begun = QuestionnaireResponseFactory(appointment=visit, questionnaire=form, status="in-progress")
    with pytest.raises(RuleBroken, match="Before we meet"):
        confirm(visit)
    QuestionnaireResponse.objects.filter(pk=begun.pk).update(status="completed")
    assert confirm(visit).status == "booked"
    assert visit.questionnaire_responses.get() == begun


def test_answers_for_another_visit_are_not_for_this_one(visit, form, ada):
    QuestionnaireResponseFactory(appointment=AppointmentFactory(patient=ada), questionnaire=form)
    assert lacking(visit) == {Requirement.ANSWERS}


# Care team


def test_someone_of_the_care_team_gives_the_visit(visit, service, chen, ada):
    requires(service, "care_team")
    CareTeamFactory(patient=ada, members=[chen.bookable.practitioner])
    assert lacking(visit) == set()


@pytest.mark.parametrize("status", ["inactive", "suspended", "proposed"])
def test_a_team_that_is_not_active_does_not_count(visit, service, chen, ada, status):
    requires(service, "care_team")
    CareTeamFactory(patient=ada, members=[chen.bookable.practitioner], status=status)
    assert lacking(visit) == {Requirement.CARE_TEAM}


def test_a_team_of_others_does_not_count(visit, service, ada):
    requires(service, "care_team")
    CareTeamFactory(patient=ada, members=[PractitionerFactory()])
    assert lacking(visit) == {Requirement.CARE_TEAM}


def test_that_the_team_names_the_patient_as_well_does_not_count(visit, service, ada):
    requires(service, "care_team")
    CareTeamFactory(patient=ada, members=[ada, PractitionerFactory()])
    assert lacking(visit) == {Requirement.CARE_TEAM}
