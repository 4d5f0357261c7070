"""Pages while PostgreSQL is away."""

import pytest
from django.test import Client
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


def test_the_token_endpoint_answers_in_json(answer):
    given = {"grant_type": "client_credentials", "client_id": "software", "client_secret": "secret"}
    response = answer("post", "/oauth/token/", data=given)
    assert (response.status_code, response.json()) == (503, {"error": "temporarily_unavailable"})
    assert response["Retry-After"] == "5"
