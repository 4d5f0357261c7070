"""The health checks for load balancers and deployments."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from clinic import health
from clinic.monitoring.task_runs import record_end


@pytest.fixture(autouse=True)
def a_new_process():
    health.check_migrations.cache_clear()
    yield
    health.check_migrations.cache_clear()


def test_alive_needs_no_database(client):
    response = client.get("/healthz")  # no database is allowed in this test
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_where_all_is_there(client, db):
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"postgresql": "ok", "migrations": "ok", "redis": "ok"})
    assert "no-cache" in response["Cache-Control"]


def test_not_ready_while_tables_are_still_to_be_made(client, db):
    recorder = MigrationRecorder(connection)
    last = max(key for key in MigrationLoader(None).disk_migrations if key[0] == "clinic")
    recorder.record_unapplied(*last)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["migrations"] == "not all applied: run manage.py migrate"
    recorder.record_applied(*last)
    assert client.get("/readyz").status_code == 200


def test_once_they_are_made_one_statement_is_enough(client, db, django_assert_num_queries):
    client.get("/readyz")
    with django_assert_num_queries(1):
        assert client.get("/readyz").status_code == 200


def test_not_ready_without_redis(client, db, settings):
    settings.REDIS_URL = "redis://:a-secret@127.0.0.1:1/0"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"postgresql": "ok", "migrations": "ok", "redis": "does not answer"}


def test_not_ready_without_postgresql(client, without_postgresql):
    response = without_postgresql(client.get, "/readyz")
    assert response.status_code == 503
    assert response.json() == {"postgresql": "does not answer", "migrations": "not known", "redis": "ok"}


def test_workers_are_alive_while_tasks_run(client):
    cache.clear()
    response = client.get("/healthz?worker")
    assert response.status_code == 503
    assert response.json()["status"] == "tasks are late: are a worker and the clock (celery beat) running?"
    assert "deliver messages" in response.json()["late"]
    record_end("scheduling.tasks.deliver_messages", now=timezone.now())
    response = client.get("/healthz?worker")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "late": []})
    cache.clear()
