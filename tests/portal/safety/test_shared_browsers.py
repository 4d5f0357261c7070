"""Browsers shared by several people."""

import pytest
from django.contrib.auth import SESSION_KEY
from pytest_django.asserts import assertNotContains

from tests.portal.booking.steps import book_as_guest, page_of, visit_page

pytestmark = pytest.mark.django_db


def test_nothing_of_a_session_is_left_after_signing_out(client, held, ada, bo):
    client.force_login(ada.user)
    client.post("/accounts/logout/")
    assert dict(client.session) == {}
    client.force_login(bo.user)
    assert client.get(visit_page(held)).status_code == 404


def test_signing_in_changes_the_session(client, held, ada):
    before = client.session.session_key
    client.post("/accounts/login/", {"login": ada.user.email, "password": "secret-password"})
    assert client.session[SESSION_KEY] == str(ada.user.pk)
    assert client.session.session_key != before


def test_a_user_does_not_see_a_guests_visits_in_the_same_browser(client, held, bo):
    book_as_guest(client, held)
    assert client.get(visit_page(held)).status_code == 200
    client.force_login(bo.user)
    assert client.get(visit_page(held)).status_code == 404
    assertNotContains(client.get("/appointments/"), "Check-up")


def test_a_hold_that_somebody_has_claimed_is_no_longer_the_browsers(client, held, ada):
    client.force_login(ada.user)
    client.post(page_of(held, "about"), {"who": ada.fhir_id})
    held.refresh_from_db()
    assert (held.patient, held.held_by, held.held_by_guest) == (ada, ada.user, "")
