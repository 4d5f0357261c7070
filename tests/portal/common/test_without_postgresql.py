"""Pages while PostgreSQL is away."""

from io import StringIO

import pytest
from django.test import Client
from lxml import html
from pytest_django.asserts import assertContains

CLIENT = Client(raise_request_exception=False)


@pytest.fixture
def answer(without_postgresql, settings):
    """Return the response to a request while PostgreSQL cannot be reached."""
    settings.CLINIC_PHONE = "+1 212 555 0100"
    return lambda method, address, **given: without_postgresql(getattr(CLIENT, method), address, **given)


@pytest.mark.parametrize(("method", "address"), [("get", "/"), ("post", "/accounts/login/"), ("get", "/admin/login/")])
def test_a_page_says_that_one_can_try_again(answer, caplog, method, address):
    CLIENT.cookies["sessionid"] = "of-somebody-signed-in"
    given = {"data": {"login": "ada@example.com", "password": "clinic-demo"}} if method == "post" else {}
    response = answer(method, address, **given)
    assertContains(response, "We cannot reach our records right now", status_code=503)
    assertContains(response, "+1 212 555 0100", status_code=503)
    assert response["Retry-After"] == "5"
    assert [record.levelname for record in caplog.records if record.name == "django.request"] == ["ERROR"]


def test_what_was_typed_is_kept_and_can_be_sent_again(answer):
    """The same fields to the same address, so that the sent form is as if it had been sent for the first time."""
    typed = {"note": ['Of "old" & <new>'], "time": ["one", "two"], "csrfmiddlewaretoken": ["secret"]}
    response = answer("post", "/book/check-up/hold/?length=30", data=typed)
    assert (response.status_code, response["Cache-Control"]) == (503, "no-store")
    [form] = html.fromstring(response.content.decode()).xpath("//main//form")
    assert (form.method, form.action) == ("POST", "/book/check-up/hold/?length=30")
    assert form.form_values() == [(name, value) for name, values in typed.items() for value in values]
    assertContains(response, "What you entered is kept on this page.", status_code=503)


@pytest.mark.parametrize(
    "typed",
    [{"login": "ada@example.com", "password": "clinic-demo"}, {"file": StringIO("family,given")}, {}],
    ids=["password", "file", "nothing"],
)
def test_a_password_or_a_file_is_not_kept(answer, typed):
    response = answer("post", "/book/check-up/hold/", data=typed)
    assert not html.fromstring(response.content.decode()).xpath("//main//form")
    assert "What you entered is kept" not in response.content.decode()


def test_a_page_that_was_not_shown_can_be_asked_for_again(answer):
    response = answer("get", "/book/check-up/?week=2")
    [link] = html.fromstring(response.content.decode()).xpath("//main//a[normalize-space()='Try again']")
    assert link.get("href") == "/book/check-up/?week=2"


def test_the_token_endpoint_answers_in_json(answer):
    given = {"grant_type": "client_credentials", "client_id": "software", "client_secret": "secret"}
    response = answer("post", "/oauth/token/", data=given)
    assert (response.status_code, response.json()) == (503, {"error": "temporarily_unavailable"})
    assert response["Retry-After"] == "5"
