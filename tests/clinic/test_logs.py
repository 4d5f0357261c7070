"""Logs as lines of JSON, with an id of each request that its response and its tasks have too, and without secrets."""

import json
import logging
import re
import sys

import pytest
from django.test import Client
from django.urls import reverse

from clinic import request_id
from clinic.logs import HideSecrets, JSONFormatter

NEW = re.compile(r"[0-9a-f]{32}")
BASE = "/fhir/R4/"


@pytest.fixture
def lines():
    """The lines of JSON that are logged from now on."""
    written: list[dict[str, object]] = []

    class Handler(logging.Handler):
        def emit(self, record):
            written.append(json.loads(self.format(record)))

    handler = Handler()
    handler.addFilter(HideSecrets())
    handler.setFormatter(JSONFormatter())
    logging.root.addHandler(handler)
    yield written
    logging.root.removeHandler(handler)


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", True),
        ("a.b_c-1", True),
        ("", False),
        ("two words", False),
        ("x" * 65, False),
        ('a"b', False),
        ("línea", False),
    ],
)
def test_the_id_of_a_proxy_is_kept_if_it_is_sane(client, given, is_kept):
    found = client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert found == given if is_kept else NEW.fullmatch(found)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 200),
        ("/nowhere/", 404),
        (f"{BASE}metadata", 200),
        (f"{BASE}Patient/1", 401),
        ("/static/nothing.css", 404),
        (reverse("admin:index"), 302),
    ],
)
def test_every_answer_has_an_id_of_its_own(client, address, status):
    answers = [client.get(address) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    first, second = (answer["X-Request-ID"] for answer in answers)
    assert NEW.fullmatch(first)
    assert first != second
    assert request_id.current.get() == ""


def test_a_browser_app_of_another_origin_may_send_and_read_it(client):
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    asked = client.options(f"{BASE}metadata", headers=headers)
    assert "x-request-id" in asked["Access-Control-Allow-Headers"]
    assert "x-request-id" in client.get(f"{BASE}metadata", headers=headers)["Access-Control-Expose-Headers"]


@pytest.mark.django_db
def test_a_fault_is_logged_with_the_id_of_its_answer(lines, monkeypatch):
    monkeypatch.setattr("clinic.health.check_migrations", lambda: 1 / 0)
    response = Client(raise_request_exception=False).get("/readyz")
    assert response.status_code == 500
    [line] = lines
    assert line["request_id"] == response["X-Request-ID"]
    assert (line["level"], line["logger"]) == ("ERROR", "django.request")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])


def test_no_secret_is_in_a_line_or_in_its_traceback(lines):
    try:
        raise ValueError("/v/a-secret/ is wrong")
    except ValueError:
        logging.getLogger("clinic").error("Not Found: %s", '/calendars/a-secret.ics "x"', exc_info=sys.exc_info())
    [line] = lines
    assert line["message"] == 'Not Found: /calendars/... "x"'
    assert line["exception"].endswith("ValueError: /v/.../ is wrong")
    assert "a-secret" not in json.dumps(line)
    assert "request_id" not in line


@pytest.mark.django_db
def test_the_access_log_has_each_request_without_its_query(settings, lines):
    settings.MIDDLEWARE = [settings.MIDDLEWARE[0], "clinic.access_log.AccessLog", *settings.MIDDLEWARE[1:]]
    response = Client().get("/v/a-secret/", {"name": "Quinn"})
    [line] = [line for line in lines if line["logger"] == "clinic.access_log"]
    assert re.fullmatch(rf"GET /v/\.\.\./ {response.status_code}, \d+ ms", line["message"])
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v/.../", response.status_code)
    assert line["view"] == response.resolver_match.view_name
    assert isinstance(line["milliseconds"], int)
    assert line["request_id"] == response["X-Request-ID"]
    assert not any("Quinn" in json.dumps(each) for each in lines)


def test_there_is_no_access_log_unless_it_is_asked_for(settings):
    assert settings.MIDDLEWARE[0] == "clinic.request_id.RequestId"
    assert "clinic.access_log.AccessLog" not in settings.MIDDLEWARE
