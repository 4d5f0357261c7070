"""Refusals of the token endpoints, and of tokens by the API: https://www.rfc-editor.org/rfc/rfc6749#section-5.2"""

import base64

import pytest
from django.test import Client

from tests.api.conftest import Api, api_with, application
from tests.api.smart.apps import TOKEN

REVOKE = "/oauth/revoke_token/"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
WRONG = {"Authorization": f"Basic {base64.b64encode(b'system:wrong').decode()}"}


@pytest.mark.parametrize(
    ("address", "sent", "status", "error"),
    [
        (TOKEN, {}, 400, "unsupported_grant_type"),
        (TOKEN, {"grant_type": "nonsense"}, 400, "unsupported_grant_type"),
        (TOKEN, {"grant_type": DEVICE}, 400, "unsupported_grant_type"),
        (TOKEN, {"grant_type": DEVICE, "device_code": "guessed"}, 400, "unsupported_grant_type"),
        (f"{TOKEN}?client_id=system", {"grant_type": "client_credentials"}, 400, "invalid_request"),
        (
            TOKEN,
            {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"},
            401,
            "invalid_client",
        ),
        (REVOKE, {"token": "guessed"}, 401, "invalid_client"),
    ],
)
def test_errors_are_json_that_is_not_cached(db, address, sent, status, error):
    response = Client(enforce_csrf_checks=True).post(address, sent)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response["Content-Type"] == "application/json"
    assert (response["Cache-Control"], response["Pragma"]) == ("no-store", "no-cache")


@pytest.mark.parametrize("address", [TOKEN, REVOKE])
def test_a_wrong_password_is_401_with_a_challenge(db, address):
    application()
    response = Client().post(address, {"grant_type": "client_credentials", "token": "x"}, headers=WRONG)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Basic realm="clinic"'


@pytest.mark.parametrize("address", [TOKEN, REVOKE, "/oauth/introspect/"])
def test_only_a_post_is_answered(db, address):
    assert Client().get(address).status_code == 405


def test_the_api_says_why_it_refuses_a_token(db):
    """https://www.rfc-editor.org/rfc/rfc6750#section-3.1"""
    unknown, insufficient = Api("guessed").get("Patient"), api_with("system/Slot.rs").get("Patient")
    assert (unknown.status_code, unknown["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert (insufficient.status_code, insufficient["WWW-Authenticate"]) == (403, 'Bearer error="insufficient_scope"')


def test_a_missing_token_is_401_with_a_challenge(db):
    response = Client().get("/fhir/R4/Patient")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
