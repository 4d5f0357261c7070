"""The people whom a user cares for."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Patient, RelatedPerson
from tests.factories import PatientFactory, RelatedPersonFactory, UserFactory
from tests.portal.family.tim import TIM

pytestmark = pytest.mark.django_db


@pytest.fixture
def tim(ada):
    return RelatedPersonFactory(user=ada.user, patient=PatientFactory(given="Tim", family="Quinn"))


def test_an_empty_list_says_its_purpose(as_ada):
    assertContains(as_ada.get("/family/"), "Nobody yet")


def test_strangers_sign_in_first(client):
    assertRedirects(client.get("/family/"), "/accounts/login/?next=/family/")


def test_somebody_is_added(as_ada, ada):
    assertRedirects(as_ada.post("/family/add/", TIM), "/family/")
    page = as_ada.get("/family/")
    assertContains(page, "Tim Quinn")
    assertContains(page, "You are their parent.")
    assertContains(page, "Born February 1, 2020.")
    assert RelatedPerson.objects.get().user == ada.user


def test_adding_the_same_person_after_going_back_makes_one_record(as_ada):
    """Names are compared as people compare them; a twin has another name, and another child another birth date."""
    for again in ({}, {"given": "tim "}, {"given": "Tom"}, {"birth_date_year": "2021"}):
        assertRedirects(as_ada.post("/family/add/", {**TIM, **again}), "/family/")
    added = RelatedPerson.objects.order_by("pk").values_list("patient__given", "patient__birth_date__year")
    assert list(added) == [("Tim", 2020), ("Tom", 2020), ("Tim", 2021)]


@pytest.mark.parametrize(
    ("relationship", "is_added"), [("PRN", False), ("GUARD", False), ("CHILD", True), ("SPS", True)]
)
def test_nobody_is_added_as_a_child_who_is_of_age(as_ada, relationship, is_added):
    """A parent's access has ended by then, so that the person would not even be in the list."""
    page = as_ada.post("/family/add/", {**TIM, "birth_date_year": "1990", "relationship": relationship}, follow=True)
    assertContains(page, "Tim Quinn" if is_added else "They are of age. They can invite you")
    assert RelatedPerson.objects.exists() == is_added


def test_errors_are_shown(as_ada):
    assertContains(as_ada.post("/family/add/", {**TIM, "family": ""}), "Enter their family name.")
    assert not Patient.objects.filter(given="Tim").exists()


def test_somebody_is_changed(as_ada, tim):
    there = f"/family/{tim.fhir_id}/"
    assertContains(as_ada.get(there), 'value="Tim"')
    assertRedirects(as_ada.post(there, {**TIM, "given": "Timothy", "relationship": "GUARD"}), "/family/")
    tim.refresh_from_db()
    assert tim.patient.given == "Timothy"
    assert tim.relationship[0]["coding"][0]["code"] == "GUARD"


def test_the_name_of_someone_with_an_account_is_theirs_to_change(as_ada, tim):
    tim.patient.user = UserFactory()
    tim.patient.save()
    as_ada.post(f"/family/{tim.fhir_id}/", {**TIM, "given": "Thomas", "relationship": "GUARD"})
    tim.refresh_from_db()
    assert tim.patient.given == "Tim"
    assert tim.relationship[0]["coding"][0]["code"] == "GUARD"


def test_somebody_is_removed_and_their_record_stays(as_ada, tim):
    there = f"/family/{tim.fhir_id}/remove/"
    assertContains(as_ada.get(there), "Stop booking for Tim Quinn?")
    tim.refresh_from_db()
    assert tim.deleted_at is None
    assertRedirects(as_ada.post(there), "/family/")
    assertNotContains(as_ada.get("/family/"), "Tim Quinn")
    assert Patient.objects.filter(pk=tim.patient_id, deleted_at=None).exists()


@pytest.mark.parametrize("page", ["", "remove/"])
def test_other_peoples_family_does_not_exist(client, bo, tim, page):
    client.force_login(bo.user)
    assert client.get(f"/family/{tim.fhir_id}/{page}").status_code == 404
    assert client.post(f"/family/{tim.fhir_id}/{page}", TIM).status_code == 404


def test_the_page_takes_as_many_queries_however_many_there_are(as_ada, ada, tim, django_assert_num_queries):
    with CaptureQueriesContext(connection) as few:
        as_ada.get("/family/")
    RelatedPersonFactory.create_batch(4, user=ada.user)
    with django_assert_num_queries(len(few)):
        as_ada.get("/family/")


def test_somebody_of_one_name_whose_birthday_is_not_known_is_added_and_changed(as_ada):
    no_date = {"birth_date_day": "", "birth_date_month": ""}
    page = as_ada.get("/family/add/")
    assertContains(page, "They have only one name")
    as_ada.post("/family/add/", {**TIM, **no_date, "family": "", "one_name": "on", "birth_unknown": "on"})
    related = RelatedPerson.objects.get()
    assert (str(related.patient), related.patient.born) == ("Tim", "2020")
    assertContains(as_ada.get("/family/"), "Born 2020.")
    there = f"/family/{related.fhir_id}/"
    assertContains(as_ada.get(there), 'name="birth_date_year" value="2020"')
    Patient.objects.update(extra={"birthDate": "2020", "language": "es"})
    assertRedirects(as_ada.post(there, TIM), "/family/")
    related.refresh_from_db()
    assert (str(related.patient), related.patient.born) == ("Tim Quinn", "2020-02-01")
    assert related.patient.extra == {"language": "es"}
