"""Decision services in Administration: registered with an address that can be called, and their failures shown."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertRedirects

from clinic.models import CdsService
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ADD = "admin:clinic_cdsservice_add"
LIST = "admin:clinic_cdsservice_changelist"


@pytest.fixture
def administrator():
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_a_service_is_registered(administrator):
    data = {"name": "Coverage", "url": "https://example.org/cds-services/coverage", "active": "on", "stops": "on"}
    assertRedirects(administrator.post(reverse(ADD), data), reverse(LIST))
    row = CdsService.objects.get()
    assert (row.url, row.active, row.stops, row.sends_records) == (data["url"], True, True, False)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/cds", "must begin with https://"),
        ("https://localhost/cds", "of a private network"),
        ("https://me:secret@example.org/cds", "no user and password"),
    ],
)
def test_an_address_that_is_never_called_is_refused(administrator, settings, url, words):
    settings.OUTGOING_ALLOWED_HOSTS = []
    assertContains(administrator.post(reverse(ADD), {"name": "Coverage", "url": url}), words)
    assert not CdsService.objects.exists()


def test_without_a_key_nothing_is_registered(administrator, settings):
    settings.OIDC_RSA_PRIVATE_KEY = ""
    page = administrator.post(reverse(ADD), {"name": "Coverage", "url": "https://example.org/cds"})
    assertContains(page, "Set OIDC_RSA_PRIVATE_KEY first")


def test_its_failures_are_shown(administrator):
    CdsService.objects.create(
        name="Coverage",
        url="https://example.org/cds",
        failures=3,
        last_error="No answer came in time.",
        last_failed=timezone.now(),
    )
    assertContains(administrator.get(reverse(LIST)), "No answer came in time.")
