"""The health checks for load balancers and deployments."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from clinic import health


@pytest.fixture(autouse=True)
def a_new_process():
    health._check_migrations.cache_clear()
    yield
    health._check_migrations.cache_clear()


def test_alive_needs_no_database(client):
    response = client.get("/healthz")  # no database is allowed in this test
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_where_all_is_there(client, db):
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"postgresql": "ok", "migrations": "ok", "redis": "ok"})
    assert "no-cache" in response["Cache-Control"]


def test_not_ready_while_tables_are_still_to_be_made(client, db):
    recorder = MigrationRecorder(connection)
    [last] = MigrationLoader(connection).graph.leaf_nodes("clinic")
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


def test_not_ready_without_postgresql(client, db, monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "HOST", "/nowhere")
    with ThreadPoolExecutor(1) as elsewhere:  # connections are each thread's own
        response = elsewhere.submit(client.get, "/readyz").result()
    assert response.status_code == 503
    assert response.json() == {"postgresql": "does not answer", "migrations": "not known", "redis": "ok"}
