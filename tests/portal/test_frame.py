"""What every page has: its frame, its headers, its errors."""

import re

import pytest
from django.test import Client
from pytest_django.asserts import assertContains

pytestmark = pytest.mark.django_db


def test_nothing_inline_is_allowed_or_needed(as_ada, checkup, schedule):
    for page in ("/", f"/book/{checkup.fhir_id}/", "/appointments/", "/accounts/password/change/"):
        answer = as_ada.get(page)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", answer.content.decode())


def test_what_is_a_patients_own_stays_in_no_cache(client, as_ada):
    assert as_ada.get("/appointments/").headers["Cache-Control"] == "private, no-store"
    assert "Cache-Control" not in Client().get("/").headers


def test_the_frame_has_landmarks_and_a_way_past_them(client):
    page = client.get("/")
    for part in (
        'href="#main"',
        '<main id="main"',
        "<header",
        "<footer",
        'role="status"',
        'lang="en"',
        "Riverside Clinic",
    ):
        assertContains(page, part)


def test_errors_look_like_the_clinic(client):
    page = client.get("/nothing/here/")
    assert page.status_code == 404
    assertContains(page, "This page does not exist", status_code=404)
    assertContains(page, "site-header", status_code=404)


def test_a_form_without_its_token_is_refused_kindly(ada):
    client = Client(enforce_csrf_checks=True)
    assertContains(client.post("/accounts/login/"), "This form was open for too long", status_code=403)


def test_a_failure_of_ours_says_so(client, monkeypatch):
    from portal.views import booking

    def broken():
        raise ZeroDivisionError

    monkeypatch.setattr(booking, "bookable", broken)
    client.raise_request_exception = False
    assertContains(client.get("/"), "Something went wrong on our side", status_code=500)


def test_a_page_that_is_not_for_patients_says_so(as_ada):
    assertContains(as_ada.get("/staff/"), "This page is not for your account", status_code=403)
