"""The link of a referral, sent to its patient by the referrer or by the front desk."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from clinic.models import (
    AuditEvent,
    Communication,
    HealthcareService,
    MessagePreferences,
    MessageTemplate,
    ServiceRequest,
)
from scheduling import booking
from scheduling.access import Caller
from scheduling.errors import NotFound, RuleBroken
from scheduling.notifications import Batch, links
from tests.factories import AppointmentFactory, PatientFactory, ReferralFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

BUTTON = "Send the link to the patient"
NUMBER = "+12125550199"


@pytest.fixture(autouse=True)
def texts(settings):
    settings.SMS_ENABLED, settings.SMS_URL, settings.QUIET_HOURS = True, "", None


@pytest.fixture
def noor(db):
    return UserFactory(email="noor@example.org", first_name="Noor", last_name="Grey", refers_for="Harbour Practice")


@pytest.fixture
def elena(db):
    return PatientFactory(given="Elena", family="Marquez", email="elena@example.com", phone=NUMBER, language="es")


@pytest.fixture
def ticket(checkup, elena, noor):
    HealthcareService.objects.filter(pk=checkup.pk).update(bookable_by=HealthcareService.BookableBy.REFERRED)
    return ReferralFactory(service=checkup, patient=elena, referred_by=noor, contact_media=["email", "sms"])


@pytest.fixture
def as_noor(client, noor):
    client.force_login(noor)
    return client


def page_of(ticket):
    return f"/referrals/{ticket.fhir_id}/"


def staff_page_of(ticket):
    return f"/staff/referrals/{ticket.fhir_id}/"


def sent():
    return list(Communication.objects.filter(event="ticket").order_by("pk"))


def deliver():
    now = timezone.now()
    batch = Batch(now=now)
    while batch.deliver_next(now=now):
        pass


def send(ticket, user, now=None):
    booking.send_ticket(ticket.fhir_id, caller=Caller(user=user), now=now or timezone.now())


def test_the_referrer_sends_the_link_and_sees_that_it_was_sent(as_noor, ticket, elena):
    assertContains(as_noor.get(page_of(ticket)), BUTTON)
    page = as_noor.post(f"{page_of(ticket)}send/", follow=True)
    assertRedirects(page, page_of(ticket))
    assertContains(page, "The link is being sent to the patient.")
    [message] = sent()
    assert (message.patient, message.medium, message.address, message.language) == (
        elena,
        "email",
        "elena@example.com",
        "es",
    )
    deliver()
    [letter] = mail.outbox
    assert letter.subject == "Elija una hora para su cita con Riverside Clinic"
    assert links.ticket_link(ticket) in letter.body
    page = as_noor.get(page_of(ticket))
    assertContains(page, "Sent to the patient")
    assertContains(page, "You can send it again an hour after the last time.")
    assertNotContains(page, "elena@example.com")
    assert AuditEvent.objects.filter(subtype="send", patient=elena).count() == 1


@pytest.mark.parametrize("language", ["en", "es", "de"])
def test_the_message_says_who_refers_and_neither_why_nor_to_what(ticket, elena, noor, language):
    elena.language = language
    elena.save()
    send(ticket, noor)
    [message] = sent()
    said = f"{message.subject} {message.body}"
    for words in ("Dr Noor Grey, Harbour Practice", "Elena", "Riverside Clinic", links.ticket_link(ticket)):
        assert words in said
    for secret in (ticket.reason, "Check-up", "Marquez"):
        assert secret not in said


def test_the_clinics_own_words_without_the_link_get_it(ticket, noor):
    MessageTemplate.objects.create(event="ticket", medium="email", language="es", body="Venga pronto.")
    send(ticket, noor)
    assert sent()[0].body == f"Venga pronto. {links.ticket_link(ticket)}"


def test_the_front_desk_sends_it_and_sees_why_it_failed(as_rana, rana, ticket):
    rana.is_superuser = True
    rana.save()
    assertContains(as_rana.get(staff_page_of(ticket)), BUTTON)
    assertRedirects(as_rana.post(f"{staff_page_of(ticket)}send/"), staff_page_of(ticket))
    Communication.objects.filter(event="ticket").update(
        status="not-done", attempts=1, status_reason="The mailbox does not exist."
    )
    page = as_rana.get(staff_page_of(ticket))
    assertContains(page, "The mailbox does not exist.")
    assertContains(page, "Send the link again")


@pytest.mark.parametrize(
    ("given", "texts", "expected"),
    [
        (["email"], True, "elena@example.com"),
        (["sms"], True, NUMBER),
        (["sms", "email"], True, "elena@example.com"),
        (["sms"], False, None),
        ([], True, None),
    ],
)
def test_a_referrer_sends_only_by_what_they_have_given(as_noor, ticket, settings, given, texts, expected):
    settings.SMS_ENABLED = texts
    ServiceRequest.objects.update(contact_media=given)
    page = as_noor.get(page_of(ticket)).content.decode()
    assert (BUTTON in page) is (expected is not None)
    as_noor.post(f"{page_of(ticket)}send/")
    assert [message.address for message in sent()] == ([expected] if expected else [])


def test_a_patient_who_wants_no_email_gets_a_text(ticket, elena, noor):
    MessagePreferences.objects.create(patient=elena, by_email=False)
    send(ticket, noor)
    assert [message.medium for message in sent()] == ["sms"]


def test_a_number_that_answered_stop_gets_nothing(ticket, elena, noor):
    MessagePreferences.objects.create(patient=elena, by_email=False, stopped_numbers=[NUMBER])
    with pytest.raises(RuleBroken, match="Give them the link"):
        send(ticket, noor)
    assert sent() == []


def test_it_is_sent_once_an_hour_and_at_once_after_a_failure(ticket, noor):
    now = timezone.now()
    send(ticket, noor, now)
    with pytest.raises(RuleBroken, match="a short while ago"):
        send(ticket, noor, now)
    Communication.objects.filter(event="ticket").update(status="completed", sent=now)
    with pytest.raises(RuleBroken, match="a short while ago"):
        send(ticket, noor, now + timedelta(minutes=59))
    send(ticket, noor, now + timedelta(hours=1))
    Communication.objects.filter(event="ticket", status="preparation").update(status="not-done", attempts=1)
    send(ticket, noor, now + timedelta(hours=1, seconds=1))
    assert len(sent()) == 3


def withdrawn(ticket):
    ServiceRequest.objects.update(status="revoked")


def expired(ticket):
    ServiceRequest.objects.update(valid_until=timezone.now() - timedelta(minutes=1))


def used(ticket):
    AppointmentFactory(patient=ticket.patient, service=ticket.service, referral=ticket)


@pytest.mark.parametrize("end", [withdrawn, expired, used])
def test_a_link_that_gives_no_visit_is_not_sent(as_noor, noor, ticket, end):
    end(ticket)
    assertNotContains(as_noor.get(page_of(ticket)), BUTTON)
    with pytest.raises(RuleBroken, match="No visit can be booked with this link"):
        send(ticket, noor)
    assert sent() == []


@pytest.mark.parametrize("end", [withdrawn, expired, used])
def test_a_message_that_waits_is_not_sent_for_a_link_that_has_ended(noor, ticket, end):
    send(ticket, noor)
    end(ticket)
    deliver()
    [message] = sent()
    assert (message.status, message.status_reason) == ("not-done", "The referral had been used, or had ended.")
    assert mail.outbox == []


def test_a_link_that_names_nobody_is_handed_over(as_noor, noor, ticket):
    ServiceRequest.objects.update(patient=None, contact_media=[])
    assertNotContains(as_noor.get(page_of(ticket)), BUTTON)
    with pytest.raises(RuleBroken):
        send(ticket, noor)


def test_others_send_nothing(client, ada, ticket):
    another = UserFactory(refers_for="Hill Practice")
    for user in (another, ada.user):
        client.force_login(user)
        assert client.post(f"{page_of(ticket)}send/").status_code in (403, 404)
        with pytest.raises(NotFound):
            send(ticket, user)
    assert sent() == []
