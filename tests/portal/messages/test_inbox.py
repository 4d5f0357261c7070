"""A patient's messages on the pages."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Communication
from portal.messages.inbox import unread
from tests.factories import AppointmentFactory, CommunicationFactory

pytestmark = pytest.mark.django_db


def message_about_a_visit(patient, number=1, **fields):
    visit = AppointmentFactory(patient=patient, start=timezone.now() + timedelta(days=2))
    return CommunicationFactory(
        appointment=visit,
        medium="in-app",
        status="completed",
        sent=timezone.now() - timedelta(minutes=number),
        subject=f"Your visit {number} is booked",
        body="Come on Tuesday.",
        **fields,
    )


def test_a_patient_reads_their_messages(as_ada, ada, bo, kim):
    message_about_a_visit(ada)
    message_about_a_visit(kim, 2)
    message_about_a_visit(bo, 3)
    page = as_ada.get("/messages/")
    assertContains(page, "Your visit 1 is booked")
    assertContains(page, "Your visit 2 is booked")
    assertNotContains(page, "Your visit 3 is booked")


def test_an_empty_inbox_says_its_purpose(as_ada):
    assertContains(as_ada.get("/messages/"), "No messages yet")


def test_messages_are_for_who_has_signed_in(client):
    assertRedirects(client.get("/messages/"), "/accounts/login/?next=/messages/")


def test_the_number_of_messages_costs_no_queries(as_ada, ada, django_assert_num_queries, django_assert_max_num_queries):
    message_about_a_visit(ada)
    with django_assert_max_num_queries(12) as first:
        as_ada.get("/messages/")
    for number in range(2, 15):
        message_about_a_visit(ada, number)
    with django_assert_num_queries(len(first)):
        as_ada.get("/messages/")


def test_reading_takes_a_post(as_ada, ada, bo):
    mine, other, foreign = message_about_a_visit(ada), message_about_a_visit(ada, 2), message_about_a_visit(bo, 3)
    as_ada.get("/messages/")
    assert not Communication.objects.exclude(read=None).exists()

    assertRedirects(as_ada.post("/messages/read/", {"message": mine.fhir_id}), "/messages/")
    as_ada.post("/messages/read/", {"message": foreign.fhir_id})
    assert list(Communication.objects.exclude(read=None)) == [mine]

    as_ada.post("/messages/read/")
    assert set(Communication.objects.exclude(read=None)) == {mine, other}


def test_the_count_is_made_only_where_it_is_shown(as_ada, ada, rf, django_assert_num_queries):
    message_about_a_visit(ada)
    message_about_a_visit(ada, 2, read=timezone.now())
    request = rf.get("/")
    request.user = ada.user
    with django_assert_num_queries(0):
        context = unread(request)
    with django_assert_num_queries(3):  # the patients for whom the reader acts, once for the whole page; the count
        assert context["unread_messages"] == 1
