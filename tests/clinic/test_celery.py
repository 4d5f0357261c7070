"""Workers leave the processor to web servers on the same machine, and log as these do."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from django.db import OperationalError
from kombu import Exchange, Queue

from clinic import celery, database
from clinic.celery import app
from clinic.sockets import broker_url
from demo.embedded import Redis

WORKER = textwrap.dedent("""
    import os
    import sys
    from threading import Thread
    os.nice(int(sys.argv[1]))
    os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"  # those of the tests lower no priority
    from celery.signals import worker_init
    import clinic.celery

    def show():
        print(os.getpriority(os.PRIO_PROCESS, 0))

    worker_init.send(sender=None)
    thread = Thread(target=show)
    thread.start()
    thread.join()
""")


@pytest.mark.parametrize(("set_to", "before", "expected"), [(None, 0, 10), ("5", 0, 5), ("5", 15, 15)])
def test_a_worker_and_its_threads_have_a_lower_priority(set_to, before, expected):
    own = os.getpriority(os.PRIO_PROCESS, 0)
    environment = {name: value for name, value in os.environ.items() if name != "WORKER_NICE"}
    said = subprocess.run(
        [sys.executable, "-c", WORKER, str(max(before - own, 0))],
        env=environment | ({"WORKER_NICE": set_to} if set_to else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(said.stdout) == max(expected, own)


def test_a_worker_fetches_no_task_that_it_cannot_start():
    assert app.conf.worker_prefetch_multiplier == 1


def test_a_worker_logs_as_web_servers_do():
    script = """
        import django, logging, os
        os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"
        django.setup()
        from clinic.celery import app
        app.log.setup("DEBUG")
        [handler] = logging.root.handlers
        print(logging.root.level, [type(each).__name__ for each in handler.filters])
    """
    environment = os.environ | {"LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout == "40 ['OutagesInOneLine', 'HideSecrets']\n"


CLOCK = textwrap.dedent("""
    import os, signal
    os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"
    from celery.signals import beat_init
    import clinic.celery

    class Service:
        def sync(self):
            print("stored", flush=True)

    beat_init.send(sender=Service())
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        raise ValueError("as redis does with a broken answer")
""")


def test_the_clock_ends_when_it_is_told_to():
    """Whatever it is doing: Celery's SystemExit could be replaced by another error, and the clock went on."""
    said = subprocess.run([sys.executable, "-c", CLOCK], capture_output=True, text=True)
    assert (said.returncode, said.stdout, said.stderr) == (0, "stored\n", "")


@pytest.fixture
def outage(db, monkeypatch):
    """Return a function that runs a task while PostgreSQL is away for the first so many attempts."""
    monkeypatch.setattr(database, "PAUSE", 0)

    def run(attempts, is_bug=False):
        tried = []

        @app.task
        def work():
            tried.append(1)
            if len(tried) <= attempts:
                raise OperationalError("lost") from None if is_bug else psycopg.OperationalError("lost")

        with ThreadPoolExecutor(1) as elsewhere:  # without a transaction
            result = elsewhere.submit(work.apply).result()
        app.tasks.pop(work.name)
        return result.state, len(tried)

    return run


def test_a_task_goes_on_once_postgresql_is_there(outage):
    assert outage(2) == ("SUCCESS", 3)


def test_a_task_that_postgresql_was_away_from_for_long_is_broken_off_quietly(outage, monkeypatch, caplog):
    monkeypatch.setattr(celery, "OUTLASTED", -1)
    assert outage(9) == ("IGNORED", 1)
    [line] = [record for record in caplog.records if record.levelname != "INFO"]
    assert (line.levelname, line.exc_info) == ("WARNING", None)
    assert line.getMessage().endswith("work was broken off: PostgreSQL is away")


def test_a_task_with_a_bug_fails_at_once(outage):
    assert outage(9, is_bug=True) == ("FAILURE", 1)


def test_a_worker_that_keeps_tasks_outlives_the_loss_of_the_broker(tmp_path):
    """It lets go of the lost connection as Celery does, and goes on with a new one."""
    server = Redis(tmp_path)
    server.start()
    lost = app.connection_for_read(broker_url(server.url))
    queue = lost.SimpleQueue("tasks", no_ack=False)
    queue.put("a task")
    assert queue.get(timeout=20).payload == "a task"
    orders = Queue("orders", Exchange("orders", "fanout"), auto_delete=True)  # for all workers
    lost.Consumer(orders, accept=["json"]).consume()
    with suppress(TimeoutError):
        lost.drain_events(timeout=0.1)  # and waits for more
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    lost.collect()
    lost.close()
    server.stop()
