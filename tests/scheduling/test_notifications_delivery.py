"""What is due is sent: at least once, by one worker at a time, and never about what is no longer so."""

import signal
import socket
import subprocess
import sys
import textwrap
import time
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.utils import timezone

from clinic.celery import app
from clinic.models import Communication
from scheduling import availability, booking, notifications, tasks
from scheduling.notifications import delivery
from tests.factories import (
    AppointmentFactory,
    CommunicationFactory,
    LocationFactory,
    MessagePreferencesFactory,
    PatientFactory,
    UserFactory,
)
from tests.scheduling.situations import SOFTWARE, at_once, book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def texts_are_recorded(settings):
    settings.SMS_ENABLED, settings.SMS_URL, settings.QUIET_HOURS = True, "", None


@pytest.fixture
def ada(db):
    return PatientFactory(given="Ada", phone="+1 212 555 0123", user=UserFactory(email="ada@example.com"))


@pytest.fixture
def visit(ada):
    """Tomorrow."""
    site = LocationFactory(name="Main Street")
    return AppointmentFactory(patient=ada, site=site, start=timezone.now() + timedelta(days=1))


def reminder(visit, **fields):
    return CommunicationFactory(appointment=visit, event="reminder", occasion=f"{visit.sequence}-7200", **fields)


def deliver(now: datetime | None = None) -> None:
    while notifications.deliver_next(now=now or timezone.now()):
        pass


def seen(message: Communication) -> tuple[str, str]:
    message.refresh_from_db()
    return message.status, message.status_reason


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


def test_what_is_not_due_waits(visit):
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
    claimed = delivery.claim(now=due, among=_ids(event="reminder", medium="email", due=due))
    offerings = tuple(availability.offerings_of(service, [chen.fhir_id]))
    booking.reschedule(booked.fhir_id, offerings=offerings, start=monday(15), caller=SOFTWARE, now=timezone.now())

    deliver(due + delivery.LEASE)

    claimed.refresh_from_db()
    assert (claimed.status, claimed.status_reason) == ("not-done", "The visit was moved.")


def _ids(**conditions):
    return list(Communication.objects.filter(**conditions).values_list("fhir_id", flat=True))


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
    local = now.astimezone(delivery.audience_of(visit).zone)
    settings.QUIET_HOURS = (
        (local - timedelta(hours=1)).time().replace(tzinfo=None),
        (local + timedelta(hours=1)).time().replace(tzinfo=None),
    )

    deliver(now)

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("preparation", 0)
    assert timedelta(minutes=59) < message.due - now < timedelta(minutes=61)


def test_what_fails_is_tried_again_later_and_later_and_given_up_after_five_times(settings, visit):
    settings.EMAIL_BACKEND = "tests.scheduling.test_notifications_delivery.BrokenBackend"
    message = CommunicationFactory(appointment=visit)
    now, pauses = timezone.now(), []
    for _ in range(4):
        deliver(now)
        message.refresh_from_db()
        assert message.status == "preparation"
        pauses.append(round((message.due - now).total_seconds()))
        now = message.due

    deliver(now)

    assert pauses == [30, 120, 480, 1920]
    assert seen(message) == ("not-done", "It could not be handed over (ConnectionRefusedError).")
    assert message.attempts == 5


class BrokenBackend(BaseEmailBackend):
    """A mail server that is away."""

    def send_messages(self, email_messages):
        raise ConnectionRefusedError("nobody@example.com")


def test_nothing_of_a_patient_is_logged(settings, visit, caplog):
    settings.EMAIL_BACKEND = "tests.scheduling.test_notifications_delivery.BrokenBackend"
    CommunicationFactory(appointment=visit)
    deliver()
    assert "was not sent (ConnectionRefusedError)" in caplog.text
    assert "example.com" not in caplog.text


def test_one_message_that_cannot_be_sent_stops_no_other(settings, visit):
    broken = CommunicationFactory(appointment=visit, language="tlh/../..", due=timezone.now() - timedelta(hours=1))
    broken_too = CommunicationFactory(appointment=None, patient=None, event="confirmation", occasion="1")
    message = CommunicationFactory(appointment=visit, occasion="2")
    deliver()
    assert seen(message)[0] == "completed"
    assert seen(broken)[0] in ("completed", "preparation")
    assert seen(broken_too)[0] in ("completed", "preparation")


MAILBOX = """
    import os, sys, time
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    django.setup()
    from django.conf import settings
    from django.db import connections
    connections.databases["default"]["NAME"] = sys.argv[1]
    from django.core.mail.backends.base import BaseEmailBackend
    from django.utils import timezone
    from scheduling import notifications
    from scheduling.notifications import mailing

    def hang(message, letter):
        print(mailing._mail(message, letter).message()["Message-ID"], flush=True)
        time.sleep(60)

    mailing.send = hang
    notifications.deliver_next(now=timezone.now())
"""


def test_a_worker_killed_in_mid_send_leaves_a_message_that_is_sent_again_under_the_same_id(visit):
    message = CommunicationFactory(appointment=visit)
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(MAILBOX), connection.settings_dict["NAME"]],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    first_id = worker.stdout.readline().strip()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    assert seen(message)[0] == "in-progress"

    deliver()
    assert not mail.outbox, "its lease still runs"
    deliver(timezone.now() + delivery.LEASE)

    [sent] = mail.outbox
    assert sent.message()["Message-ID"] == first_id
    assert seen(message) == ("completed", "")


def test_a_message_that_kills_every_worker_is_given_up(visit):
    message = CommunicationFactory(appointment=visit)
    now = timezone.now()
    for _ in range(delivery.ATTEMPTS):
        assert delivery.claim(now=now) is not None
        now += delivery.LEASE
    deliver(now)
    assert seen(message) == ("not-done", "Sending it was broken off each time.")


def test_a_worker_that_was_too_slow_does_not_overrule_the_one_after_it(visit):
    message = CommunicationFactory(appointment=visit)
    now = timezone.now()
    slow = delivery.claim(now=now)
    deliver(now + delivery.LEASE)

    delivery._close(slow, Communication.Status.NOT_DONE, now, status_reason="too slow")

    assert seen(message) == ("completed", "")


def test_workers_at_once_send_each_message_once(visit):
    for number in range(40):
        CommunicationFactory(appointment=visit, occasion=str(number))
    now = timezone.now()

    at_once([lambda: deliver(now)] * 4)

    ids = [sent.extra_headers["Message-ID"] for sent in mail.outbox]
    assert len(ids) == len(set(ids)) == 40


def test_what_is_written_is_handed_to_the_worker_once_it_is_committed(service, chen, ada, monkeypatch):
    handed = []
    monkeypatch.setattr(app, "send_task", lambda name, args, **_: handed.append((name, args)))

    book(wish(service, chen, at=monday(10), patient=ada))

    [(name, [ids])] = handed
    assert name == tasks.deliver_messages.name
    assert set(ids) == set(_ids(event="confirmation"))
    tasks.deliver_messages(ids)
    assert len(mail.outbox) == 1


@pytest.fixture
def no_broker():
    """The broker's port, and nobody behind it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    before = app.conf.broker_url
    app.conf.broker_url = f"redis://127.0.0.1:{port}/0"
    app.amqp._producer_pool = None
    yield
    app.conf.broker_url = before
    app.amqp._producer_pool = None


def test_without_the_broker_bookings_succeed_at_once_and_the_sweep_sends_their_messages(
    no_broker, service, chen, ada, caplog
):
    book(wish(service, chen, at=monday(11), patient=ada))
    began = time.monotonic()
    book(wish(service, chen, at=monday(10), patient=ada))
    assert time.monotonic() - began < 1

    assert "the broker was not told" in caplog.text
    tasks.deliver_messages()
    assert len(mail.outbox) == 2


def test_the_schedule_sweeps_every_ten_seconds():
    [entry] = [each for each in app.conf.beat_schedule.values() if each["task"] == tasks.deliver_messages.name]
    assert entry["schedule"] == 10


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


def test_sending_again_writes_a_message_of_its_own_once(visit):
    message = CommunicationFactory(appointment=visit, occasion="0")
    deliver()
    again = notifications.send_again(message, now=timezone.now())
    assert notifications.send_again(message, now=timezone.now()) == again

    deliver()

    assert len(mail.outbox) == 2
    assert again.occasion.startswith("again-")
    assert again.pk != message.pk


def test_the_alert_counts_what_failed_for_visits_to_come_at_these_sites(visit):
    now = timezone.now()
    failed = CommunicationFactory(appointment=visit, status="not-done", attempts=5, occasion="0")
    reminder(visit, status="not-done", attempts=0)
    past = AppointmentFactory(site=visit.site, start=now - timedelta(days=1))
    CommunicationFactory(appointment=past, status="not-done", attempts=5)

    assert notifications.failed(None, now=now) == notifications.failed({visit.site_id}, now=now) == 1
    assert notifications.failed({visit.site_id + 1}, now=now) == 0
    notifications.send_again(failed, now=now)
    assert notifications.failed(None, now=now) == 0


def test_the_timeline_tells_what_became_of_each(visit, django_assert_num_queries):
    now = timezone.now()
    CommunicationFactory(appointment=visit, status="completed", sent=now, received=now, occasion="0")
    CommunicationFactory(
        appointment=visit, medium="sms", status="not-done", attempts=5, status_reason="No such number.", occasion="0"
    )
    reminder(visit, due=now + timedelta(hours=5))

    with django_assert_num_queries(1):
        told = [(str(each.word), each.why, each.can_go_again) for each in notifications.timeline(visit)]

    assert sorted(told) == [
        ("Delivered", "", True),
        ("Failed", "No such number.", True),
        ("Planned", "", False),
    ]
