"""Failed messages are sent again: at least once, and by one worker at a time."""

import signal
import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.utils import timezone

from clinic import database
from clinic.models import Communication
from scheduling.notifications import delivery
from tests.factories import CommunicationFactory
from tests.scheduling.notifications.messages import deliver, seen
from tests.scheduling.situations import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("texts_are_recorded")]


def test_a_failed_message_is_retried_with_growing_waits_five_times(settings, visit):
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
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
    """A mail backend whose server is away."""

    def send_messages(self, email_messages):
        raise ConnectionRefusedError("nobody@example.com")


def test_nothing_of_a_patient_is_logged(settings, visit, caplog):
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
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


@pytest.fixture
def cut(monkeypatch):
    """Return a function after which the first update to a status loses its connection, and no later one."""
    monkeypatch.setattr(database, "PAUSE", 0)

    def begin(status):
        with connection.cursor() as cursor:
            cursor.execute("CREATE SEQUENCE cuts")  # what is taken from it stays taken when a transaction is lost
            cursor.execute(
                "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF nextval('cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
                " RETURN NEW; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER cut BEFORE UPDATE ON clinic_communication FOR EACH ROW"
                f" WHEN (NEW.status = '{status}') EXECUTE FUNCTION cut()"
            )

    yield begin
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS cut CASCADE")
        cursor.execute("DROP SEQUENCE IF EXISTS cuts")


def test_a_message_whose_outcome_was_lost_with_the_connection_is_not_sent_again(visit, cut):
    message = CommunicationFactory(appointment=visit)
    cut("completed")
    deliver()
    assert seen(message) == ("completed", "")
    deliver(timezone.now() + delivery.LEASE)
    assert len(mail.outbox) == 1


def test_a_message_whose_connection_was_lost_before_it_was_sent_waits_as_before(visit, monkeypatch):
    message = CommunicationFactory(appointment=visit)
    compose = delivery.letters.compose

    def lose(*given, **named):
        monkeypatch.setattr(delivery.letters, "compose", compose)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(delivery.letters, "compose", lose)
    deliver()
    assert seen(message) == ("completed", "")
    assert (message.attempts, len(mail.outbox)) == (1, 1)


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
    from scheduling.notifications import mail

    def hang(message, letter):
        print(mail._mail(message, letter).message()["Message-ID"], flush=True)
        time.sleep(60)

    mail.send = hang
    notifications.Batch(now=timezone.now()).deliver_next(now=timezone.now())
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
        assert delivery.Batch(now=now).claim(now=now) is not None
        now += delivery.LEASE
    deliver(now)
    assert seen(message) == ("not-done", "Sending it was broken off each time.")


def test_a_worker_that_was_too_slow_does_not_overrule_the_one_after_it(visit):
    message = CommunicationFactory(appointment=visit)
    now = timezone.now()
    slow = delivery.Batch(now=now).claim(now=now)
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
