"""Ends of background tasks, and which tasks are late."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from clinic.celery import app
from clinic.monitoring.task_runs import record_end, task_runs
from scheduling import tasks

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DELIVERY = "deliver messages"  # every ten seconds


@pytest.fixture(autouse=True)
def nothing_has_run():
    cache.clear()
    yield
    cache.clear()


def run_of(name):
    return next(run for run in task_runs(now=NOW) if run.name == name)


def test_every_task_of_the_schedule_is_there_and_late_until_one_has_run():
    runs = task_runs(now=NOW)
    assert [run.name for run in runs] == list(app.conf.beat_schedule)
    assert {(run.ended, run.is_late) for run in runs} == {(None, True)}
    record_end(app.conf.beat_schedule[DELIVERY]["task"], now=NOW)
    assert not any(run.is_late for run in task_runs(now=NOW))


@pytest.mark.parametrize(
    ("name", "ago", "is_late"),
    [
        (DELIVERY, timedelta(seconds=110), False),
        (DELIVERY, timedelta(seconds=130), True),
        ("forget what is old", timedelta(hours=4), False),
        ("forget what is old", timedelta(hours=6), True),
    ],
)
def test_a_task_is_late_after_some_of_its_intervals(name, ago, is_late):
    record_end(app.conf.beat_schedule[name]["task"], now=NOW - ago)
    run = run_of(name)
    assert (run.ended, run.is_late) == (NOW - ago, is_late)


@pytest.mark.django_db
def test_a_worker_keeps_when_a_task_ended():
    tasks.release_expired_holds.apply()
    run = next(run for run in task_runs(now=datetime.now(UTC)) if run.name == "release expired holds")
    assert not run.is_late


def test_without_redis_nothing_is_known_and_nothing_fails(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    record_end("scheduling.tasks.deliver_messages", now=NOW)
    assert run_of(DELIVERY).ended is None
