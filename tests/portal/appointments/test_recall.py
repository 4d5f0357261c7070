"""The page of a recall: to the times of the visit, or no, thank you."""

import pytest
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import Task
from scheduling.notifications import links
from tests.factories import AppointmentFactory, PractitionerFactory, RecallFactory, ServiceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def recall(ada, site):
    visit = AppointmentFactory(patient=ada, service=ServiceFactory(name="Check-up"), site=site, status="fulfilled")
    return RecallFactory(patient=ada, appointment=visit, practitioner=PractitionerFactory(), due="2026-12-10")


def page_of(recall):
    return "/" + links.recall_link(recall).split("/", 3)[3]


def test_it_leads_to_the_times_of_the_service_with_the_practitioner(client, recall):
    page = client.get(page_of(recall))
    assertContains(page, "It is time to plan it: Check-up, in December 2026.")
    assertContains(page, f'"/?service={recall.service.fhir_id}&amp;practitioner={recall.practitioner.fhir_id}"')
    assertNotContains(page, "Quinn")
    assert Task.objects.get().is_open, "looking changes nothing"


def test_the_patient_declines(client, recall):
    page = client.post(page_of(recall) + "decline/", follow=True)
    assertContains(page, "We will not ask you again.")
    assertContains(page, "You have told us that you do not want it.")
    assert Task.objects.get().status == "rejected"


@pytest.mark.parametrize(
    ("status", "words"),
    [("completed", "You have booked it already."), ("cancelled", "The clinic has taken care of it")],
)
def test_one_that_has_ended_says_so(client, recall, status, words):
    Task.objects.update(status=status)
    assertContains(client.get(page_of(recall)), words)
    client.post(page_of(recall) + "decline/")
    assert Task.objects.get().status == status


def test_a_wrong_link_leads_nowhere(client, recall):
    wrong = page_of(recall)[:-2] + ("A/" if page_of(recall)[-2] != "A" else "B/")
    assert client.get(wrong).status_code == 404
    assert client.post(wrong + "decline/").status_code == 404
    assert Task.objects.get().is_open
