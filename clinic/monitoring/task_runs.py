"""Ends of background tasks: when each last ended, kept in Redis by the worker that ran it.

The clock (celery beat) orders each task of its schedule again and again. A task that has not ended for long shows that
the clock, the worker or the broker is away.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from celery import current_app
from django.core.cache import cache

KEPT = timedelta(days=30)
MISSED = 5  # times its interval, after which a task is late
LEAST = timedelta(minutes=2)  # and never sooner than after this


class TaskRun(NamedTuple):
    """A task of the schedule: when it last ended, None if that is not known, and whether it should have ended since.

    A task that has not run yet, as those of every hour after a start, is late only while no other task has run.
    """

    name: str
    every: timedelta
    ended: datetime | None
    is_late: bool


def record_end(task: str, *, now: datetime) -> None:
    """Keep when a task ended. Without Redis nothing is kept, and nothing fails."""
    cache.set(_key(task), now.timestamp(), KEPT.total_seconds())


def task_runs(*, now: datetime) -> list[TaskRun]:
    """Return the tasks of the schedule with their last runs, in the order of the schedule. One request to Redis."""
    entries = current_app.conf.beat_schedule.items()
    ends = cache.get_many([_key(entry["task"]) for _, entry in entries])
    runs = []
    for name, entry in entries:
        every = timedelta(seconds=entry["schedule"])
        ended = ends.get(_key(entry["task"]))
        last = None if ended is None else datetime.fromtimestamp(ended, now.tzinfo)
        is_late = not ends if last is None else now - last > max(MISSED * every, LEAST)
        runs.append(TaskRun(name, every, last, is_late))
    return runs


def _key(task: str) -> str:
    return f"task-ended:{task}"
