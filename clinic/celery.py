"""The Celery application and the schedule of its periodic tasks."""

import logging
import os
import signal
from contextlib import suppress
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from celery import Celery, Task
from celery.app.amqp import AMQP
from celery.exceptions import Ignore
from celery.signals import beat_init, setup_logging, task_postrun, task_prerun, worker_init
from django.conf import settings
from django.db import InterfaceError, OperationalError
from kombu import Connection

from clinic import database, request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
logger = logging.getLogger(__name__)

OUTLASTED = 30.0  # less than the time in which a worker that is told to stop must have ended


class RetriedTask(Task):  # type: ignore[type-arg]  # it is generic for type checkers only
    """A task that is tried again until PostgreSQL is there, for OUTLASTED seconds; then the clock orders it again.

    A worker can do nothing else meanwhile. A retry through the broker would need that, and could come late.
    """

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self.request.called_directly:
            return self.run(*args, **named)
        try:
            return database.outlast(lambda: self.run(*args, **named), OUTLASTED)
        except (OperationalError, InterfaceError) as error:
            if not database.is_away(error):
                raise
            database.drop_dead_connections()
            logger.warning("%s was broken off: PostgreSQL is away", self.name)
            raise Ignore from error


class BrokerConnection(Connection):
    """A connection to the broker that can be closed when it is lost.

    kombu's then fails if tasks wait in the worker, since it looks too late for the broker's address: the worker ends.
    Such tasks need not be given back: the clock orders them again.
    """

    def maybe_close_channel(self, channel: Any) -> None:
        with suppress(AttributeError):
            super().maybe_close_channel(channel)


class Broker(AMQP):
    Connection = BrokerConnection


app = Celery("clinic", amqp=Broker, task_cls=RetriedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["scheduling"])
app.conf.beat_schedule = {
    "release expired holds": {"task": "scheduling.tasks.release_expired_holds", "schedule": 30.0},
    # A task that is late expires, since the next one does the same work.
    "deliver messages": {
        "task": "scheduling.tasks.deliver_messages",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    "settle payments": {
        "task": "scheduling.tasks.settle_payments",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    # This task polls for changes, so that no booking has to wait for the broker.
    "notify subscribers": {
        "task": "scheduling.tasks.notify_subscribers",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    "tell receivers": {
        "task": "scheduling.tasks.tell_receivers",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    # This task is announced when a visit is cancelled or moved; it also finds other free time, and lapsed offers.
    "offer freed time": {
        "task": "scheduling.tasks.offer_freed_time",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    "note released time": {
        "task": "scheduling.tasks.note_released_time",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "tend absences": {
        "task": "scheduling.tasks.tend_absences",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "work on imports": {
        "task": "scheduling.tasks.work_on_imports",
        "schedule": 2.0,
        "options": {"expires": 2.0},
    },
    "make exports": {
        "task": "scheduling.tasks.make_exports",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "end waits that are over": {
        "task": "scheduling.tasks.end_waits_that_are_over",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "tell staff": {
        "task": "scheduling.tasks.tell_staff",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    "tend subscriptions": {
        "task": "scheduling.tasks.tend_subscriptions",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "renew names and addresses": {
        "task": "scheduling.tasks.renew_contacts",
        "schedule": 900.0,
        "options": {"expires": 900.0},
    },
    "tell of ended referrals": {
        "task": "scheduling.tasks.tell_of_ended_referrals",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "find duplicates": {
        "task": "scheduling.tasks.find_duplicates",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "tell of age": {"task": "scheduling.tasks.tell_of_age", "schedule": 3600.0, "options": {"expires": 3600.0}},
    "close next holidays": {
        "task": "scheduling.tasks.close_next_holidays",
        "schedule": 86_400.0,
        "options": {"expires": 86_400.0},
    },
    "tend recalls": {"task": "scheduling.tasks.tend_recalls", "schedule": 300.0, "options": {"expires": 300.0}},
    "count days": {"task": "scheduling.tasks.count_days", "schedule": 900.0, "options": {"expires": 900.0}},
    "forget what is old": {"task": "scheduling.tasks.forget", "schedule": 3600.0, "options": {"expires": 3600.0}},
}


@worker_init.connect
def yield_to_web_servers(**kwargs: object) -> None:
    """Lower the priority of a worker to WORKER_NICE before it starts its threads or processes, which inherit it."""
    now = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(now, settings.WORKER_NICE))


@beat_init.connect
def end_when_told(sender: Any, **kwargs: object) -> None:
    """Let the clock end at SIGTERM. Celery raises SystemExit, which is lost in the middle of a question to Redis."""

    def end(number: int, frame: FrameType | None) -> None:
        sender.sync()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)


@setup_logging.connect
def log_as_web_servers_do(**kwargs: object) -> None:
    """Keep the logging of the settings, which hides secrets. With a receiver, Celery does not set up its own."""


@task_prerun.connect
def name_in_logs(task: Any, task_id: str, **kwargs: object) -> None:
    """Let the log lines of a task have the id of the request that started it, or else the task's own."""
    request_id.current.set(getattr(task.request, request_id.TASK_HEADER, None) or task_id)


@task_postrun.connect
def record_end_of_task(task: Any, **kwargs: object) -> None:
    """Keep when a task ended, for the metrics and the checks of the installation."""
    request_id.current.set("")
    from clinic.monitoring.task_runs import record_end  # which needs Django's apps

    record_end(task.name, now=datetime.now(UTC))
