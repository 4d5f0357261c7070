"""Due messages are sent, but never once they are no longer true."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from clinic.models import Communication
from scheduling import availability, booking, notifications
from scheduling.notifications import delivery
from tests.factories import CommunicationFactory, MessagePreferencesFactory
from tests.scheduling.notifications.messages import SECOND, deliver, ids_of, reminder, seen
from tests.scheduling.situations import SOFTWARE, book, monday, wish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("texts_are_recorded")]


def test_an_email_is_sent_and_what_it_said_is_kept(visit):
    message = CommunicationFactory(appointment=visit)

    deliver()

    [sent] = mail.outbox
    assert sent.to == [visit.patient.email]
    assert sent.extra_headers["Message-ID"] == f"<{message.fhir_id}@example.com>"
    assert seen(message) == ("completed", "")
    assert message.subject == sent.subject
    assert message.body in sent.body
    assert message.sent is not None


def test_a_message_on_the_pages_has_arrived_at_once(visit):
    message = CommunicationFactory(appointment=visit, medium="in-app", address="")
    deliver()
    assert seen(message) == ("completed", "")
    assert message.received == message.sent
    assert not mail.outbox


def test_a_message_that_is_not_due_waits(visit):
    message = CommunicationFactory(appointment=visit, due=timezone.now() + timedelta(hours=1))
    deliver()
    assert seen(message) == ("preparation", "")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "cancelled"}, "The visit was cancelled."),
        ({"status": "entered-in-error"}, "The visit was entered in error."),
        ({"status": "arrived"}, "The visit had begun."),
        ({"start": timezone.now() - SECOND}, "The visit had begun."),
        ({"sequence": 1}, "The visit was moved."),
        ({"deleted_at": timezone.now()}, "The visit was deleted."),
    ],
)
def test_a_reminder_never_goes_out_for_a_visit_that_is_no_longer_so(visit, changes, why):
    message = reminder(visit)
    type(visit).objects.filter(pk=visit.pk).update(**changes)

    deliver()

    assert seen(message) == ("not-done", why)
    assert not mail.outbox


def test_a_reminder_that_was_planned_before_a_move_is_not_sent_although_it_was_claimed(service, chen, ada):
    booked = book(wish(service, chen, at=monday(10), patient=ada))
    due = monday(10) - timedelta(hours=2)
    claimed = delivery.Batch(ids_of(event="reminder", medium="email", due=due), now=due).claim(now=due)
    offerings = tuple(availability.offerings_of(service, [chen.fhir_id]))
    booking.reschedule(
        booked.fhir_id,
        booking.RescheduleRequest(offerings=offerings, start=monday(15)),
        caller=SOFTWARE,
        now=timezone.now(),
    )

    deliver(due + delivery.LEASE)

    claimed.refresh_from_db()
    assert (claimed.status, claimed.status_reason) == ("not-done", "The visit was moved.")


def test_a_task_sends_what_it_was_told_of_and_leaves_the_rest(visit, django_assert_num_queries):
    first, second, other = (CommunicationFactory(appointment=visit, occasion=str(number)) for number in range(3))
    now = timezone.now()
    batch = notifications.Batch([second.fhir_id, first.fhir_id], now=now)

    assert [batch.claim(now=now) for _ in range(2)] == [first, second]

    with django_assert_num_queries(0):
        assert batch.claim(now=now) is None
    assert seen(other)[0] == "preparation"


def test_a_message_is_claimed_with_one_statement(visit, django_assert_num_queries):
    message = CommunicationFactory(appointment=visit, before={"sequence": 0})
    now = timezone.now()
    batch = notifications.Batch(now=now)

    with django_assert_num_queries(3):  # BEGIN and COMMIT too
        claimed = batch.claim(now=now)

    message.refresh_from_db()
    for field in Communication._meta.concrete_fields:
        assert getattr(claimed, field.attname) == getattr(message, field.attname)
    assert (claimed.status, claimed.attempts, claimed.claimed_until) == ("in-progress", 1, now + delivery.LEASE)


def test_a_claimed_message_can_still_be_withdrawn_before_it_is_sent(service, chen, ada):
    visits = [book(wish(service, chen, at=monday(hour), patient=ada)) for hour in (10, 11)]
    ids, now = ids_of(event="confirmation", medium="email"), timezone.now()
    batch = notifications.Batch(ids, now=now)
    assert batch.deliver_next(now=now)
    booking.cancel(visits[1].fhir_id, caller=SOFTWARE, now=now)
    assert not batch.deliver_next(now=now)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("chosen", [{"reminders": False}, {"by_email": False}])
def test_a_reminder_that_is_no_longer_wanted_is_not_sent(visit, chosen):
    message = reminder(visit)
    MessagePreferencesFactory(patient=visit.patient, **chosen)
    deliver()
    assert seen(message) == ("not-done", "The patient does not want reminders this way.")


def test_it_goes_to_the_address_that_the_patient_has_now(visit):
    message = reminder(visit)
    type(visit.patient).objects.filter(pk=visit.patient.pk).update(email="new@example.com")
    deliver()
    assert mail.outbox[0].to == ["new@example.com"]
    message.refresh_from_db()
    assert message.address == "new@example.com"


def test_a_text_that_is_late_waits_for_the_morning(settings, visit):
    message = reminder(visit, medium="sms", address=visit.patient.phone)
    now = timezone.now()
    local = now.astimezone(delivery.audience_of(visit, now=now).zone)
    settings.QUIET_HOURS = (
        (local - timedelta(hours=1)).time().replace(tzinfo=None),
        (local + timedelta(hours=1)).time().replace(tzinfo=None),
    )

    deliver(now)

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("preparation", 0)
    assert timedelta(minutes=59) < message.due - now < timedelta(minutes=61)


def test_a_code_goes_by_mail_at_once_and_is_kept_nowhere():
    notifications.prove("eve@example.com", "482913", "en", now=timezone.now())

    deliver()

    [sent] = mail.outbox
    assert sent.to == ["eve@example.com"]
    assert "482913" in sent.subject
    assert "482913" in sent.body
    kept = Communication.objects.get()
    assert "482913" not in kept.body + kept.subject


def test_a_code_that_comes_too_late_does_not_come(settings):
    notifications.prove("eve@example.com", "482913", "en", now=timezone.now() - timedelta(hours=1))
    deliver()
    assert not mail.outbox
