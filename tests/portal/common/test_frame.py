"""The frame, the headers and the errors of every page."""

import re

import pytest
from django.test import Client, RequestFactory
from pytest_django.asserts import assertContains, assertNotContains

from portal.account.forms import LoginForm
from portal.common import navigation
from portal.common.error_pages import server_error
from scheduling.access import Caller
from tests.factories import LocationFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_nothing_inline_is_allowed_or_needed(as_ada, checkup, schedule):
    for page in ("/", f"/book/{checkup.fhir_id}/", "/appointments/", "/accounts/password/change/"):
        answer = as_ada.get(page)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", answer.content.decode())


def test_patients_pages_are_not_cached(client, as_ada):
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
        'If this is an emergency, call <a href="tel:911">911</a>.',
    ):
        assertContains(page, part)


def test_a_patients_header_leads_to_booking_and_visits_and_marks_where_one_is(as_ada):
    page = as_ada.get("/appointments/")
    assertContains(page, '<a href="/">Book</a>', html=True)
    assertContains(page, '<a href="/appointments/" aria-current="page">My visits</a>', html=True)


def test_a_guest_is_led_to_sign_in(client):
    page = client.get("/")
    assertContains(page, '<a class="site-header__link" href="/accounts/login/">Sign in</a>', html=True)
    assertNotContains(page, "My visits")


def test_staff_are_led_to_their_calendar(client, chen):
    client.force_login(chen.user)
    assert [str(link.word) for link in navigation.header_links(Caller(user=chen.user))][:2] != ["Book", "My visits"]
    assertContains(client.get("/"), ">Calendar</a>")


def test_an_error_leads_to_the_control_it_is_about(client):
    page = client.post("/accounts/signup/", {})
    assertContains(page, '<a href="#id_birth_date_1">Enter your date of birth.</a>', html=True)
    assertContains(page, 'id="id_birth_date_1"')


def test_errors_look_like_the_clinic(client):
    page = client.get("/nothing/here/")
    assert page.status_code == 404
    assertContains(page, "This page does not exist", status_code=404)
    assertContains(page, "site-header", status_code=404)
    assertContains(page, "See my visits", status_code=404)


def test_an_error_leads_staff_back_to_their_own_pages(client):
    client.force_login(UserFactory(desk_locations=[LocationFactory()]))
    page = client.get("/nothing/here/")
    assertContains(page, "Go to your pages", status_code=404)
    assertNotContains(page, "visits are not affected", status_code=404)
    assertNotContains(page, "See my visits", status_code=404)


def test_a_form_without_its_token_is_refused_kindly(ada):
    client = Client(enforce_csrf_checks=True)
    assertContains(client.post("/accounts/login/"), "This form was open for too long", status_code=403)


def test_a_failure_of_ours_says_so(client, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(LoginForm, "__init__", broken)
    client.raise_request_exception = False
    page = client.get("/accounts/login/", headers={"X-Request-ID": "an-id-of-ours"})
    assertContains(page, "Something went wrong on our side", status_code=500)
    assertContains(page, "give us this number: <code>an-id-of-ours</code>", status_code=500)


def test_where_even_the_session_fails_the_page_still_says_so(settings):
    settings.CLINIC_PHONE = "+1 212 555 0100"
    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assertContains(answer, "+1 212 555 0100", status_code=500)
    assertContains(answer, "Riverside Clinic", status_code=500)


def test_an_unreadable_request_is_explained(client):
    client.raise_request_exception = False
    answer = client.get("/", headers={"host": "elsewhere.example"})
    assertContains(answer, "We could not read that", status_code=400)
    assertContains(answer, "site-header", status_code=400)


def test_a_page_that_is_not_for_patients_says_so(as_ada):
    assertContains(as_ada.get("/staff/"), "This page is not for your account", status_code=403)
