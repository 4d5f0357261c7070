"""API requests with a bearer token take a short way past the middleware of pages, and are answered as before."""

import pytest

from tests.api.conftest import Api, api_with
from tests.factories import UserFactory

PAGE_ATTRIBUTES = ("session", "htmx", "allauth", "_messages")


def attributes(response):
    """The attributes that the middleware of pages has set on the request."""
    return {name for name in PAGE_ATTRIBUTES if hasattr(response.wsgi_request, name)}


def varies_by(response):
    """The request headers on which the response depends."""
    return set(response["Vary"].split(", "))


@pytest.fixture
def person(db):
    return UserFactory(is_superuser=True)


@pytest.mark.parametrize("path", ["Patient", "Patient/nobody", "metadata", "Nothing", "Appointment/$find"])
def test_a_request_with_a_token_has_the_headers_of_one_with_a_session(api, person, path):
    by_token, by_session = api.get(path), Api(user=person).get(path)
    assert by_token.status_code == by_session.status_code
    assert attributes(by_token) == set()
    assert attributes(by_session) == set(PAGE_ATTRIBUTES)
    assert by_token.headers.keys() == by_session.headers.keys()
    assert varies_by(by_token) == varies_by(by_session) - {"Cookie"}
    assert "Accept-Language" in varies_by(by_token)
    for name in ("Content-Type", "X-Frame-Options", "X-Content-Type-Options", "Content-Security-Policy"):
        assert by_token[name] == by_session[name]
    assert by_token["Content-Length"] == str(len(by_token.content))
    assert not by_token.cookies


def test_the_scheme_is_bearer_in_any_case_and_the_place_is_the_api(api):
    token = api.headers["Authorization"].partition(" ")[2]
    for scheme in ("bearer", "BEARER"):
        response = Api().request("GET", "Patient", authorization=f"{scheme} {token}")
        assert (response.status_code, attributes(response)) == (200, set())
    assert attributes(api.get("/accounts/login/")) == set(PAGE_ATTRIBUTES)


def test_a_refused_token_does_not_fall_back_to_the_session(person):
    both = Api(user=person)
    assert both.get("Patient").status_code == 200
    both.headers = {"Authorization": "Bearer nonsense"}
    assert both.get("Patient").status_code == 401


def test_a_session_needs_the_csrf_token_and_a_token_does_not(person):
    patient = {"resourceType": "Patient", "name": [{"family": "Quinn", "given": ["Ada"]}]}
    by_token = api_with()
    by_token.client.handler.enforce_csrf_checks = True
    assert by_token.post("Patient", patient).status_code == 201
    assert Api(user=person, enforce_csrf_checks=True).post("Patient", patient).status_code == 403


def test_the_language_is_that_of_the_request_and_of_no_request_before(api):
    for headers, language in (({}, "en"), ({"accept_language": "es-MX,es;q=0.9"}, "es"), ({}, "en")):
        assert api.get("Patient", **headers)["Content-Language"] == language


def test_other_hosts_are_refused_as_before(api):
    assert api.get("Patient", host="elsewhere.example").status_code == 400
