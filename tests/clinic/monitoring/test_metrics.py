"""The metrics of a web server: who may read them, what they count, and that its processes are added up."""

import os
import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from clinic.monitoring.gauges import ClinicCollector
from tests.factories import AppointmentFactory, CommunicationFactory

TOKEN = "a-token-of-the-tests"
SCRAPE = """
    import os
    import sys
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    django.setup()
    from django.test import Client

    client = Client(SERVER_NAME="localhost", headers={"Authorization": "Bearer a-token-of-the-tests"})
    for address in sys.argv[1:]:
        client.get(address)
    print(client.get("/metrics").content.decode())
"""


def sample(text, name, **labels):
    """The value of a metric, or None if it has none with these labels."""
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            if each.name == name and labels.items() <= each.labels.items():
                return each.value
    return None


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Basic a-token-of-the-tests"])
def test_nobody_reads_them_without_the_token(client, settings, header):
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


@pytest.mark.django_db
def test_there_are_none_without_a_token_in_the_settings(client):
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_the_processes_of_a_server_are_added_up(tmp_path):
    environment = os.environ | {"METRICS_TOKEN": TOKEN, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def scrape(*addresses):
        script = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(SCRAPE), *addresses]
        return subprocess.run(script, env=environment, capture_output=True, text=True, check=True).stdout

    scrape("/healthz", "/healthz", "/nowhere/at/all/")
    text = scrape("/healthz")
    assert sample(text, "clinic_requests_total", view="healthz", method="GET", status="200") == 3
    assert sample(text, "clinic_requests_total", view="unknown", status="404") == 1
    assert sample(text, "clinic_request_seconds_count", view="healthz") == 3
    assert "nowhere" not in text


@pytest.mark.django_db
def test_what_waits_and_what_failed_is_read_from_the_database(django_assert_max_num_queries):
    now = timezone.now()
    AppointmentFactory(status="pending", hold_expires_at=now + timedelta(minutes=5))
    AppointmentFactory(status="pending", start=now + timedelta(days=2))
    AppointmentFactory(status="waitlist", start=None)
    CommunicationFactory(medium="email", due=now - timedelta(minutes=3))
    CommunicationFactory(medium="email", due=now + timedelta(days=1))
    CommunicationFactory(medium="sms", due=now - timedelta(hours=3), status="not-done", attempts=4)
    with django_assert_max_num_queries(8):
        found = {
            (each.name, *each.labels.values()): each.value
            for family in ClinicCollector(now).collect()
            for each in family.samples
        }
    assert found["clinic_database_up",] == 1
    assert (found["clinic_holds",], found["clinic_visit_requests",], found["clinic_waiting_list",]) == (1, 1, 1)
    assert found["clinic_messages_due", "email"] == 1
    assert 180 <= found["clinic_messages_oldest_seconds", "email"] < 240
    assert found["clinic_messages_failed", "sms"] == 1
    assert found["clinic_task_late", "deliver messages"] in (0, 1)
