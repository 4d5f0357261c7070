"""The patient of a visit, chosen by a signed-in user."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Patient, RelatedPerson
from tests.factories import AppointmentFactory, PatientFactory, QuestionnaireFactory, RelatedPersonFactory, UserFactory
from tests.portal.booking.steps import hold, page_of
from tests.portal.family.tim import TIM

pytestmark = pytest.mark.django_db


@pytest.fixture
def tim(ada):
    return RelatedPersonFactory(user=ada.user, patient=PatientFactory(given="Tim", family="Quinn")).patient


def test_somebody_i_care_for(as_ada, tim, checkup, button_value):
    held = hold(as_ada, checkup, button_value)
    page = as_ada.get(page_of(held, "about"))
    for words in ("Who is the visit for?", "Me, Ada Quinn", "Tim Quinn", "Someone else I care for"):
        assertContains(page, words)
    assertRedirects(as_ada.post(page_of(held, "about"), {"who": tim.fhir_id}), page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.patient == tim


def test_somebody_whom_i_do_not_care_for_is_no_choice(as_ada, tim, bo, checkup, button_value):
    held = hold(as_ada, checkup, button_value)
    assertContains(as_ada.post(page_of(held, "about"), {"who": bo.fhir_id}), "There is a problem")
    held.refresh_from_db()
    assert held.patient is None


def test_a_missing_choice_is_asked_again(as_ada, tim, checkup, button_value):
    held = hold(as_ada, checkup, button_value)
    assertContains(as_ada.post(page_of(held, "about")), "Choose who the visit is for.")


def test_somebody_new(as_ada, ada, checkup, button_value):
    held = hold(as_ada, checkup, button_value)
    there = f"{page_of(held, 'about')}someone/"
    assertRedirects(as_ada.post(page_of(held, "about"), {"who": "someone"}), there)
    assertRedirects(as_ada.post(there, TIM), page_of(held, "confirm"))
    held.refresh_from_db()
    related = RelatedPerson.objects.get()
    assert (held.patient, related.user) == (related.patient, ada.user)
    assert (held.patient.given, held.patient.birth_date, held.patient.user) == ("Tim", date(2020, 2, 1), None)
    assert held.patient.email == ""  # messages go to the carers
    assert related.relationship[0]["coding"][0]["code"] == "PRN"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"given": ""}, "Enter their given names."),
        ({"relationship": ""}, "Choose how you are related to them."),
        ({"birth_date_year": "2999"}, "The date of birth must be in the past."),
    ],
)
def test_errors_about_a_new_person_are_shown(as_ada, checkup, button_value, wrong, text):
    held = hold(as_ada, checkup, button_value)
    page = as_ada.post(f"{page_of(held, 'about')}someone/", {**TIM, **wrong})
    assertContains(page, text)
    assert not RelatedPerson.objects.exists()


def test_a_user_without_a_record_says_who_they_are(client, checkup, button_value):
    user = UserFactory()
    client.force_login(user)
    held = hold(client, checkup, button_value)
    assertContains(client.get(page_of(held, "about")), "Me")
    there = f"{page_of(held, 'about')}me/"
    assertRedirects(client.post(page_of(held, "about"), {"who": "me"}), there)
    assertRedirects(client.post(there, TIM), page_of(held, "confirm"))
    held.refresh_from_db()
    assert held.patient == Patient.objects.get(user=user)


def test_a_user_without_a_record_books_for_their_child_all_the_same(client, checkup, button_value):
    client.force_login(UserFactory())
    held = hold(client, checkup, button_value)
    assertRedirects(client.post(f"{page_of(held, 'about')}someone/", TIM), page_of(held, "confirm"))
    assert client.post(page_of(held, "confirm")).url == page_of(held, "booked")


def test_a_child_who_is_elsewhere_then_is_said(as_ada, tim, checkup, button_value, ten):
    AppointmentFactory(patient=tim, start=ten)
    held = hold(as_ada, checkup, button_value)
    page = as_ada.post(page_of(held, "about"), {"who": tim.fhir_id})
    assertContains(page, "The patient has another visit at that time.")


def test_where_two_people_are_cared_for_a_change_of_mind_is_one_post(as_ada, ada, tim, checkup, button_value):
    held = hold(as_ada, checkup, button_value)
    for who in (tim, ada):
        as_ada.post(page_of(held, "about"), {"who": who.fhir_id})
        held.refresh_from_db()
        assert held.patient == who


def test_how_far_one_has_come_is_said(as_ada, tim, checkup, button_value):
    held = hold(as_ada, checkup, button_value)
    assertContains(as_ada.get(page_of(held, "about")), "Step 2 of 3")
    as_ada.post(page_of(held, "about"), {"who": tim.fhir_id})
    assertContains(as_ada.get(page_of(held, "confirm")), "Step 3 of 3")


def test_a_step_with_nothing_to_ask_is_left_out(as_ada, checkup, button_value):
    held = hold(as_ada, checkup, button_value)
    page = as_ada.get(page_of(held, "confirm"))
    assertContains(page, "Step 2 of 2")
    assertNotContains(page, "Insurance")
    assertNotContains(page, "Questions")


def test_questions_come_after_who_and_can_be_changed_from_the_review(as_ada, ada, tim, checkup, button_value):
    checkup.questionnaires.add(QuestionnaireFactory())
    held = hold(as_ada, checkup, button_value)
    assertContains(as_ada.get(page_of(held, "about")), "Step 2 of 4")
    assert as_ada.post(page_of(held, "about"), {"who": tim.fhir_id}).url == page_of(held, "questions")
    assertContains(as_ada.get(page_of(held, "confirm")), "Not answered")


def test_the_page_takes_as_many_queries_however_many_there_are(
    as_ada, ada, tim, checkup, button_value, django_assert_num_queries
):
    held = hold(as_ada, checkup, button_value)
    with CaptureQueriesContext(connection) as few:
        as_ada.get(page_of(held, "about"))
    RelatedPersonFactory.create_batch(4, user=ada.user)
    with django_assert_num_queries(len(few)):
        as_ada.get(page_of(held, "about"))
