"""Messages are announced to the workers by a thread, and the sweep sends them if the broker is away."""

import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from celery.contrib.testing.worker import start_worker
from celery.signals import task_prerun
from django.core import mail
from django.db import connection

from clinic import request_id
from clinic.celery import app
from scheduling import tasks
from scheduling.notifications import announcements
from scheduling.notifications.announcements import Announcer
from tests.scheduling.notifications.messages import ids_of
from tests.scheduling.situations import book, monday, wish
from tests.settings import WORKER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("texts_are_recorded")]

NOW = timedelta(0)
SECONDS = 20  # of patience


@contextmanager
def broker_at(url: str) -> Iterator[None]:
    before = app.conf.broker_url
    app.conf.broker_url, app.amqp._producer_pool = url, None
    try:
        yield
    finally:
        app.conf.broker_url, app.amqp._producer_pool = before, None


@pytest.fixture
def broker():
    """The URL of a database in the real Redis that no other test uses."""
    url = re.sub(r"(?<=[=/])\d+$", str(15 - int(WORKER)), app.conf.broker_url)
    with broker_at(url):
        app.control.purge()
        yield url
        app.control.purge()


@pytest.fixture(params=["refuses", "hangs"])
def no_broker(request):
    """The settings name a port on which nothing listens, or on which nothing is ever answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            listener.listen()
        with broker_at(f"redis://127.0.0.1:{listener.getsockname()[1]}/0"):
            yield


def announced(ids: list[str]) -> list[list[str]]:
    """The messages of each task in the broker that has some of these, until all of them are there."""
    found: list[list[str]] = []
    with app.connection_for_read() as read:
        queue = read.SimpleQueue(app.conf.task_default_queue)
        while set(ids) - {each for messages in found for each in messages}:
            message = queue.get(timeout=SECONDS)
            message.ack()
            assert message.headers["task"] == tasks.deliver_messages.name
            [messages] = message.payload[0]
            found += [messages] if set(messages) & set(ids) else []  # others are of the test before
        queue.close()
    return found


def within_seconds(condition) -> bool:
    deadline = time.monotonic() + SECONDS
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(found)


def test_a_message_is_announced_to_workers_after_the_commit(broker, service, chen, ada):
    book(wish(service, chen, at=monday(10), patient=ada))
    ids = ids_of(event="confirmation")
    [messages] = announced(ids)
    assert sorted(messages) == sorted(ids)
    assert set(ids) < set(ids_of())  # reminders are not due yet

    tasks.deliver_messages(messages)
    tasks.deliver_messages(messages)
    assert len(mail.outbox) == 1


def test_a_worker_sends_what_was_announced(broker, service, chen, ada):
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=SECONDS):
        book(wish(service, chen, at=monday(10), patient=ada))
        assert within_seconds(lambda: mail.outbox)
    assert len(mail.outbox) == 1


def test_the_log_lines_of_a_task_have_the_ids_of_the_requests_that_started_it(broker, monkeypatch):
    monkeypatch.setattr(announcements, "GATHERED_FOR", 0.5)
    announcer = Announcer()
    for request in ("first", "second"):
        token = request_id.current.set(request)
        announcer.announce([f"message-of-{request}"], NOW)
        announcer.call_task(tasks.offer_freed_time.name, NOW)
        request_id.current.reset(token)
    seen = {}

    def see(task, task_id, **_):
        seen[task.name] = request_id.current.get().replace(task_id, "its own")

    task_prerun.connect(see)
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=SECONDS):
        app.send_task(tasks.end_waits_that_are_over.name)
        assert within_seconds(lambda: len(seen) == 3)
    assert seen == {
        tasks.deliver_messages.name: "first second",
        tasks.offer_freed_time.name: "first second",
        tasks.end_waits_that_are_over.name: "its own",
    }
    assert request_id.current.get() == ""


def test_messages_of_one_moment_are_announced_with_few_tasks(broker, monkeypatch):
    monkeypatch.setattr(announcements, "GATHERED_FOR", 0.5)
    announcer = Announcer()
    ids = [f"message-{number}" for number in range(130)]
    for each in ids:
        announcer.announce([each], NOW)
    assert announced(ids) == [ids[:100], ids[100:]]


def test_a_booking_neither_fails_nor_waits_without_the_broker_and_the_sweep_sends_its_messages(
    no_broker, service, chen, ada, caplog
):
    for start in (monday(10), monday(10) + timedelta(days=1)):  # each day has an email of its own
        book(wish(service, chen, at=start, patient=ada))
    tasks.deliver_messages()
    assert len(mail.outbox) == 2

    def warnings():
        return [each for each in caplog.records if "the broker was not told" in each.getMessage()]

    assert within_seconds(warnings)
    assert {each.threadName for each in warnings()} == {"announcements"}  # so no booking waited for it


def test_a_message_announced_after_an_outage_of_the_broker_arrives(broker, no_broker, caplog):
    announcer = Announcer()
    announcer.announce(["lost"], NOW)
    assert within_seconds(lambda: "the broker was not told" in caplog.text)
    with broker_at(broker):
        announcer.announce(["found"], NOW)
        assert announced(["found"]) == [["found"]]


def test_while_the_broker_hangs_no_more_than_a_limit_waits_for_it(broker, monkeypatch):
    monkeypatch.setattr(announcements, "GATHERED_FOR", 0.5)
    monkeypatch.setattr(announcements, "MOST_WAITING", 3)
    announcer = Announcer()
    announcer.announce(["1", "2"], NOW)
    announcer.announce(["3", "4"], NOW)
    announcer.announce(["5"], NOW)
    assert announced(["1", "2", "5"]) == [["1", "2", "5"]]


SCRIPT = """
    import os, sys, time
    from datetime import timedelta
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    django.setup()
    from django.db import connections
    from django.utils import timezone
    from clinic.celery import app
    from scheduling import notifications
    from scheduling.notifications import announcements

    database, broker = sys.argv[1:]
    connections.databases["default"]["NAME"] = database
    app.conf.broker_url = broker
"""
ENDED = """
    announcements.GATHERED_FOR = 60
    notifications.prove("eve@example.com", "482913", "en", now=timezone.now())
    print("written", flush=True)
    time.sleep(60)
"""
FORKED = """
    announcements.announce(["of-parent"], timedelta(0))
    child = os.fork()
    announcements.announce(["of-child" if child == 0 else "of-parent-too"], timedelta(0))
    time.sleep(3)
    os._exit(0)
"""


def run(script: str, broker: str) -> "subprocess.Popen[str]":
    code = textwrap.dedent(SCRIPT) + textwrap.dedent(script)
    arguments = [sys.executable, "-c", code, connection.settings_dict["NAME"], broker]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_the_sweep_sends_unannounced_messages_of_an_ended_process_once(broker):
    with run(ENDED, broker) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == -signal.SIGTERM  # at once, with nothing announced

    for _ in range(2):
        tasks.deliver_messages()
    assert [sent.to for sent in mail.outbox] == [["eve@example.com"]]


def test_a_forked_process_announces_its_own_messages_and_not_its_parents(broker):
    with run(FORKED, broker):
        found = announced(["of-parent", "of-parent-too", "of-child"])
    assert sorted(each for messages in found for each in messages) == ["of-child", "of-parent", "of-parent-too"]


def test_the_schedule_sweeps_every_ten_seconds():
    [entry] = [each for each in app.conf.beat_schedule.values() if each["task"] == tasks.deliver_messages.name]
    assert entry["schedule"] == 10
