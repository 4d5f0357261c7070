"""Errors are reported to Sentry without anything about a patient, in a process of its own, since it patches Django."""

import json
import os
import re
import subprocess
import sys
import textwrap

import pytest
from django.db import connection

SCRIPT = """
    import json, logging, os, sys
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings
    from django.db import connections
    django.setup()
    connections.databases["default"]["NAME"] = sys.argv[1]
    from sentry_sdk.transport import Transport
    from clinic import error_reports, health
    from clinic.celery import app
    from django.core.wsgi import get_wsgi_application
    from wsgiref.util import setup_testing_defaults

    class Printer(Transport):
        def capture_envelope(self, envelope):
            for item in envelope.items:
                if item.type == "event":
                    print(json.dumps(item.payload.json))

    def fail():
        secret = "Ada Quinn"
        raise ValueError(f"{secret} is no number")

    settings.SENTRY_DSN = "https://key@sentry.example/1"
    error_reports.start(Printer)
    health.check_migrations = fail
    environ = {"PATH_INFO": "/readyz", "QUERY_STRING": "name=Quinn", "HTTP_HOST": "localhost"}
    environ |= {"HTTP_X_REQUEST_ID": "an-id", "HTTP_AUTHORIZATION": "Bearer a-token"}
    environ |= {"HTTP_COOKIE": "sessionid=a-session"}
    setup_testing_defaults(environ)
    for _ in get_wsgi_application()(environ, lambda status, headers: None):
        pass
    logging.getLogger("scheduling").error("The visit of %s failed", "Ada Quinn", extra={"patient": "Quinn"})

    @app.task
    def greet(name):
        fail()

    greet.apply(["Ada Quinn"])
"""


@pytest.mark.django_db
def test_a_report_has_the_error_its_place_and_its_request_and_nobodys_name():
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(SCRIPT), connection.settings_dict["NAME"]]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
    fault, logged, task = map(json.loads, done.stdout.splitlines())

    for report in (fault, logged, task):
        text = json.dumps(report)
        assert not any(
            word in text for word in ('"Ada Quinn"', "Quinn failed", "Quinn is", "name=", "a-session", "a-token")
        )
        assert not {"breadcrumbs", "user", "extra", "modules", "contexts"} & set(report)

    [error] = fault["exception"]["values"]
    assert (error["type"], "value" in error) == ("ValueError", False)
    frame = error["stacktrace"]["frames"][-1]
    assert (frame["function"], "vars" in frame) == ("fail", False)
    assert (fault["transaction"], fault["tags"]) == ("/readyz", {"request_id": "an-id"})
    assert fault["request"] == {"method": "GET", "url": "http://localhost/readyz"}
    assert logged["logger"] == "scheduling"
    assert re.fullmatch(r"<string>\.py, line \d+", logged["logentry"]["message"])
    assert [error["type"] for error in task["exception"]["values"]] == ["ValueError"]
    assert task["transaction"].endswith("greet")
