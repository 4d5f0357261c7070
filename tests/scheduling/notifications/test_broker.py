"""Messages are announced to the workers, and the sweep sends them if the broker is away."""

import socket
import time

import pytest
from django.core import mail

from clinic.celery import app
from scheduling import tasks
from tests.scheduling.notifications.sending import ids_of
from tests.scheduling.situations import book, monday, wish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("texts_are_recorded")]


def test_what_is_written_is_handed_to_the_worker_once_it_is_committed(service, chen, ada, monkeypatch):
    handed = []
    monkeypatch.setattr(app, "send_task", lambda name, args, **_: handed.append((name, args)))

    book(wish(service, chen, at=monday(10), patient=ada))

    [(name, [ids])] = handed
    assert name == tasks.deliver_messages.name
    assert set(ids) == set(ids_of(event="confirmation"))
    tasks.deliver_messages(ids)
    assert len(mail.outbox) == 1


@pytest.fixture
def no_broker():
    """Settings with the broker's port, on which nothing listens."""
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
