"""The page that tells administrators how the installation is."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from clinic import doctor
from clinic.monitoring.task_runs import record_end
from clinic.version import version
from tests.factories import CommunicationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_worker_is_asked(monkeypatch):
    """No worker runs in these tests, and none is waited for."""
    monkeypatch.setattr("clinic.doctor.servers.WORKER_ANSWERS", 0.01)


@pytest.fixture
def page(client, alex):
    client.force_login(alex)

    def get(**headers):
        response = client.get(reverse("admin:status"), headers=headers)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())

    return get


def test_it_has_the_parts_each_check_what_waits_and_the_last_run_of_each_task(page, settings):
    now = timezone.now()
    cache.clear()
    record_end("scheduling.tasks.deliver_messages", now=now - timedelta(hours=1))
    CommunicationFactory(medium="sms", status="preparation", due=now - timedelta(minutes=31), attempts=0)
    CommunicationFactory(medium="email", status="not-done", due=now - timedelta(hours=2), attempts=5)
    text = page()
    assert f"{version()} (Django " in text
    for check in doctor.CHECKS:
        assert f'<th scope="row">{check.name}</th>' in text
    assert "run <code>manage.py doctor</code>" in text
    assert "Messages that have been due for over ten minutes: 1." in text
    assert "The task “deliver messages” is late" in text
    assert '<th scope="row">sms</th> <td>1</td> <td>31</td> <td>0</td>' in text
    assert '<th scope="row">email</th> <td>0</td> <td>0</td> <td>1</td>' in text
    assert "No worker answers" in text
    assert "GiB are free" in text
    cache.clear()


def test_it_opens_without_redis_and_tells_in_the_readers_language(page, settings):
    settings.REDIS_URL = "redis://:a-secret@127.0.0.1:1/0"
    text = page(Accept_Language="es")
    assert "Redis no responde en REDIS_URL: ConnectionError." in text
    assert "a-secret" not in text


@pytest.mark.parametrize("is_staff", [False, True])
def test_nobody_else_reads_it(client, is_staff):
    client.force_login(UserFactory(is_staff=is_staff))
    assert client.get(reverse("admin:status")).status_code in (302, 403)


def test_the_first_page_of_administration_leads_to_it(client, alex):
    client.force_login(alex)
    assert reverse("admin:status") in client.get(reverse("admin:index")).content.decode()
