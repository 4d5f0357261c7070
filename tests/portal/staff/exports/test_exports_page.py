"""Owners have a file of everything made from a page, see how far it is, and download it."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from clinic.models import FhirExport, StaffRole
from scheduling import tasks
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/staff/setup/export/"


@pytest.fixture
def as_owner(client):
    user = UserFactory()
    StaffRole.objects.create(user=user, role="owner")
    client.force_login(user)
    return client


def test_a_file_is_made_shown_and_downloaded(as_owner, ada):
    assertContains(as_owner.get("/staff/setup/"), PAGE)
    assertContains(as_owner.get(PAGE), "No file is kept.")
    assertContains(as_owner.post(PAGE), "The file is being made.")
    page = as_owner.get(PAGE)
    assertContains(page, "It begins in a few seconds.")
    assertContains(page, 'data-reload-in="3"')
    assertNotContains(page, "Make the file")
    assertContains(as_owner.post(PAGE), "A file is being made already.")
    export = FhirExport.objects.get()
    cache.set(f"export-progress-{export.pk}", (500, 1200), 60)
    assertContains(as_owner.get(PAGE), "500 of 1200 records are written.")
    tasks.make_exports()
    page = as_owner.get(PAGE)
    assertContains(page, "Can be downloaded until")
    assertContains(page, "Make a new file")
    file = as_owner.get(f"{PAGE}{export.pk}/everything.json")
    assert file["Content-Type"] == "application/fhir+json"
    assert file["Content-Disposition"].startswith('attachment; filename="everything-')
    assert "Quinn" in json.dumps(json.loads(file.getvalue()))


def test_a_file_that_failed_says_what_to_do(as_owner):
    FhirExport.objects.create(status="failed", created=timezone.now(), expires=timezone.now() + timedelta(days=1))
    assertContains(as_owner.get(PAGE), "If that fails too, tell the person who runs the server.")


def test_a_file_that_has_ended_is_not_found(as_owner):
    ended = FhirExport.objects.create(status="done", created=timezone.now(), expires=timezone.now())
    assert as_owner.get(f"{PAGE}{ended.pk}/everything.json").status_code == 404
    assertContains(as_owner.get(PAGE), "No file is kept.")


def test_a_manager_sees_neither_the_link_nor_the_page(client):
    user = UserFactory()
    StaffRole.objects.create(user=user, role="manager")
    client.force_login(user)
    assertNotContains(client.get("/staff/setup/"), PAGE)
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE).status_code == 403
