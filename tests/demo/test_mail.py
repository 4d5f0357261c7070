"""The demo's page of messages."""

from datetime import timedelta

import pytest
from django.core.mail.message import EmailMultiAlternatives
from django.utils import timezone
from pytest_django.asserts import assertContains

from scheduling.notifications import links
from tests.factories import AppointmentFactory, CommunicationFactory
from tests.scheduling.notifications.messages import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings, tmp_path):
    settings.EMBEDDED = settings.DEMO = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path


def test_the_demo_shows_what_it_would_send(client, demo, ada):
    visit = AppointmentFactory(patient=ada, start=timezone.now() + timedelta(days=2))
    CommunicationFactory(appointment=visit, occasion="0")
    CommunicationFactory(
        appointment=visit,
        medium="sms",
        address="+1 212 555 0123",
        status="completed",
        sent=timezone.now(),
        body="Come.",
    )
    deliver(timezone.now())
    EmailMultiAlternatives("Your code", "It is 123456.", to=["ada@example.com"]).send()

    page = client.get("/demo/messages/")

    assertContains(page, "is booked")
    assertContains(page, links.manage_link(visit))
    assertContains(page, "It is 123456.")
    assertContains(page, "To +1 212 555 0123")
    [name] = [each.name for each in page.context["kept"] if each.has_invitation]
    assertContains(client.get(f"/demo/messages/{name}/visit.ics"), "BEGIN:VEVENT")
    assert client.get("/demo/messages/nothing/visit.ics").status_code == 404


@pytest.mark.parametrize("off", ["EMBEDDED", "DEMO"])
def test_nowhere_else_is_there_such_a_page(client, settings, demo, off):
    setattr(settings, off, False)
    assert client.get("/demo/messages/").status_code == 404
    assert client.get("/demo/messages/x/visit.ics").status_code == 404
