"""The clinic answers a request with another time: the patient accepts or refuses it by page or by manage link."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import Appointment, Communication
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import RescheduleRequest
from scheduling.notifications import Batch
from tests.scheduling.situations import run_out, wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visit(checkup, schedule, ada, ten):
    """Ada's request for ten."""
    checkup.on_request = True
    checkup.save()
    return booking.book(wish(checkup, schedule, at=ten, patient=ada), caller=Caller(user=ada.user), now=timezone.now())


@pytest.fixture
def suggestion(visit, checkup, schedule, rana, ten):
    """Two o'clock instead, suggested by the front desk."""
    start = ten + timedelta(hours=4)
    request = RescheduleRequest(offerings=wish(checkup, schedule, at=start).offerings, start=start)
    return booking.suggest(visit.fhir_id, request, caller=Caller(user=rana), now=timezone.now())


@pytest.fixture
def pages(request, client, visit, link, ada):
    """The visit's page for its patient, or by its manage link."""
    if request.param == "link":
        return link
    client.force_login(ada.user)
    return f"/appointments/{visit.fhir_id}/"


both = pytest.mark.parametrize("pages", ["page", "link"], indirect=True)


@both
@pytest.mark.parametrize(
    ("answer", "status", "hours", "words"),
    [
        ("accepted", "booked", 4, "Your visit is booked."),
        ("declined", "pending", 0, "Your request stays as it was. The clinic will answer it."),
    ],
)
def test_the_patient_answers(client, pages, visit, suggestion, ten, answer, status, hours, words):
    page = client.get(pages)
    for text in ("The clinic suggests another time", "2:00 – 2:30 PM", "10:00 – 10:30 AM", "Take this time"):
        assertContains(page, text)
    assertNotContains(page, "Requested, not booked yet")
    said = client.post(f"{pages}suggestion/", {"answer": answer, "suggestion": suggestion.fhir_id}, follow=True)
    assertContains(said, words)
    assertNotContains(said, "The clinic suggests another time")
    visit.refresh_from_db()
    assert (visit.status, visit.start) == (status, ten + timedelta(hours=hours))


@both
def test_only_the_one_that_was_seen_is_accepted(client, pages, visit, suggestion, checkup, schedule, rana, ten):
    start = ten + timedelta(hours=5)
    request = RescheduleRequest(offerings=wish(checkup, schedule, at=start).offerings, start=start)
    booking.suggest(visit.fhir_id, request, caller=Caller(user=rana), now=timezone.now())
    sent = {"answer": "accepted", "suggestion": suggestion.fhir_id}
    said = client.post(f"{pages}suggestion/", sent, follow=True)
    assertContains(said, "The suggested time is no longer held.")
    assertContains(said, "3:00 – 3:30 PM")
    visit.refresh_from_db()
    assert visit.is_request


@both
def test_a_lapsed_suggestion_is_not_shown(client, pages, visit, suggestion):
    run_out(suggestion)
    page = client.get(pages)
    assertNotContains(page, "The clinic suggests another time")
    assertContains(page, "Requested, not booked yet")


@both
def test_anything_else_is_no_answer(client, pages, suggestion):
    for sent in ({}, {"answer": "perhaps", "suggestion": suggestion.fhir_id}, {"answer": "accepted"}):
        assert client.post(f"{pages}suggestion/", sent).status_code == 404
    assert client.get(f"{pages}suggestion/").status_code == 405


def test_it_is_part_of_its_request_everywhere(as_ada, visit, suggestion):
    page = as_ada.get("/appointments/")
    assert re.findall(r'href="/appointments/([^/"]+)/"', page.content.decode()).count(suggestion.fhir_id) == 0
    assertContains(page, "The clinic suggests another time")
    for address in (f"/appointments/{suggestion.fhir_id}/", reverse("portal:confirm", args=[suggestion.fhir_id])):
        assertRedirects(as_ada.get(address), f"/appointments/{visit.fhir_id}/")


def test_other_callers_cannot_answer(client, visit, suggestion, elena):
    sent = {"answer": "accepted", "suggestion": suggestion.fhir_id}
    assert client.post(f"/appointments/{visit.fhir_id}/suggestion/", sent).status_code in (302, 404)
    visit.refresh_from_db()
    assert visit.is_request


def test_the_patient_is_written_to_without_a_calendar_entry(visit, suggestion, mailoutbox, link):
    Communication.objects.exclude(event="suggestion").delete()
    Batch(now=timezone.now()).deliver_next(now=timezone.now())
    [mail] = mailoutbox
    assert "Would " in mail.subject
    for text in ("2:00 – 2:30 PM", "10:00 – 10:30 AM", "We are keeping the time for you until", f"{link}#suggestion"):
        assert text in mail.body
    assert [part for part in mail.attachments if "calendar" in str(part)] == []


def test_no_message_is_sent_about_an_ended_suggestion(visit, suggestion, mailoutbox):
    Communication.objects.exclude(event="suggestion").delete()
    run_out(suggestion)
    Batch(now=timezone.now()).deliver_next(now=timezone.now())
    assert mailoutbox == []
    assert Communication.objects.get(medium="email").status_reason == "The suggested time is no longer held."
    assert Appointment.objects.get(pk=visit.pk).is_request
