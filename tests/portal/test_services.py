"""The first page: which visits there are."""

import pytest
from pytest_django.asserts import assertContains, assertNotContains

from tests.factories import QuestionnaireFactory, ServiceFactory

pytestmark = pytest.mark.django_db


def test_it_says_what_a_visit_is_how_long_and_how(client):
    ServiceFactory(name="Check-up", comment="A first look.", questionnaires=[QuestionnaireFactory()])
    ServiceFactory(name="Advice", telehealth=True, duration=75)
    page = client.get("/")
    for words in ("Check-up", "A first look.", "30 minutes", "In person", "By video", "1 hour 15 minutes"):
        assertContains(page, words)
    assertContains(page, "With a few questions before the visit", count=1)


def test_it_hides_what_patients_cannot_book(client):
    ServiceFactory(name="Surgery", bookable_by="staff")
    ServiceFactory(name="Retired", active=False)
    page = client.get("/")
    assertNotContains(page, "Surgery")
    assertNotContains(page, "Retired")
    assertContains(page, "Nothing can be booked here at the moment")


def test_many_visits_can_be_searched(client):
    for name in ("Skin check", "Flu vaccination", "Travel", "Feet", "Eyes", "Ears", "Back pain"):
        ServiceFactory(name=name)
    page = client.get("/", {"q": "skin"})
    assertContains(page, "Skin check")
    assertNotContains(page, "Back pain")
    assertContains(client.get("/", {"q": "teeth"}), "No visit is called “teeth”")


def test_it_asks_as_much_for_many_visits_as_for_one(client, django_assert_num_queries):
    ServiceFactory.create_batch(9)
    with django_assert_num_queries(4):
        client.get("/")
