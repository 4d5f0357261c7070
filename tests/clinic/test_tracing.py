"""Requests, SQL statements and tasks are traced without anything about a patient, in a process of its own, since
OpenTelemetry patches Django, psycopg and Celery.
"""

import json
import os
import subprocess
import sys
import textwrap

import pytest
from django.db import connection

SCRIPT = """
    import json, os, sys
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.db import connections
    django.setup()
    connections.databases["default"]["NAME"] = sys.argv[1]
    from django.test import Client
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from clinic import request_id, tracing
    from clinic.celery import app
    from clinic.models import Patient

    @app.task
    def count(name):
        Patient.objects.filter(family=name).count()
        raise ValueError("Ada Quinn")

    exporter = InMemorySpanExporter()
    provider = tracing.start(exporter)
    client = Client(SERVER_NAME="localhost")
    headers = {"X-Request-ID": "an-id", "Authorization": "Bearer a-token"}
    client.get("/fhir/R4/Patient/a-1", {"name": "Quinn"}, headers=headers)
    client.get("/v/a-secret/")
    count.apply(["Ada Quinn"], task_id="a-task")
    provider.force_flush()
    print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))
"""
IMPORTED = """
    import os, sys
    os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"
    import clinic.wsgi
    import clinic.celery
    ours = ["clinic.tracing", "clinic.error_reports", "clinic.monitoring.counters"]
    print([name for name in [*ours, "sentry_sdk", "prometheus_client"] if name in sys.modules])
"""


def run(script: str, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.django_db
def test_spans_of_requests_statements_and_tasks_have_their_place_and_nobodys_name():
    written = run(SCRIPT, connection.settings_dict["NAME"])
    spans = json.loads(written)
    assert not any(word in written for word in ("Quinn", "name=", "a-token", "a-secret", "a-1", "127.0.0.1"))
    assert {name for span in spans for name in span["attributes"]} <= {
        *("clinic.request_id", "http.method", "http.route", "http.status_code"),
        *("db.system", "db.statement", "celery.action", "celery.state"),
    }
    assert not any(span["events"] for span in spans)

    api, page = (span for span in spans if span["kind"] == "SpanKind.SERVER")
    assert api["name"] == "GET fhir/R4/Patient/<fhir_id:fhir_id>"
    assert (api["attributes"]["clinic.request_id"], api["attributes"]["http.status_code"]) == ("an-id", 401)
    assert page["name"] == "GET v/<str:token>/"
    assert api["resource"]["attributes"]["service.name"] == "clinic-scheduling"

    statements = [span for span in spans if span["parent_id"] == api["context"]["span_id"]]
    assert "FROM oauth2_provider_accesstoken" in " ".join(each["attributes"]["db.statement"] for each in statements)
    assert {each["attributes"]["clinic.request_id"] for each in statements} == {"an-id"}

    [task] = [span for span in spans if span["attributes"].get("celery.action") == "run"]
    assert (task["name"], task["status"]) == ("run/clinic.count", {"status_code": "ERROR"})
    [counted] = [span for span in spans if span["parent_id"] == task["context"]["span_id"]]
    assert counted["attributes"]["db.statement"].startswith("SELECT COUNT(*)")
    assert counted["attributes"]["clinic.request_id"] == "a-task"


@pytest.mark.parametrize(
    ("environment", "imported"),
    [
        ({}, []),
        ({"TRACES_URL": "http://127.0.0.1:1/v1/traces"}, ["clinic.tracing"]),
        ({"SENTRY_DSN": "http://key@127.0.0.1:1/1"}, ["clinic.error_reports", "sentry_sdk"]),
    ],
    ids=["off", "traces", "errors"],
)
def test_only_what_is_set_is_imported(environment, imported):
    assert run(IMPORTED, **environment) == f"{imported}\n"
