"""Introspection of tokens: https://www.rfc-editor.org/rfc/rfc7662"""

import base64
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from tests.api.conftest import SECRET, application
from tests.api.smart.apps import BASE

ADDRESS = "/oauth/introspect/"
SCOPE = "launch/patient patient/Appointment.rs openid fhirUser"
BASIC = {"Authorization": f"Basic {base64.b64encode(f'system:{SECRET}'.encode()).decode()}"}


@pytest.fixture
def token(app, ada):
    application()
    return app.token(ada.user, SCOPE)["access_token"]


def introspect(token, **headers):
    return Client().post(ADDRESS, {"token": token}, headers=headers or BASIC)


def test_software_reads_all_claims_of_a_token(token, ada):
    response = introspect(token)
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert {**body, "exp": 0, "iat": 0} == {
        "active": True,
        "token_type": "Bearer",
        "scope": SCOPE,
        "client_id": "app",
        "exp": 0,
        "iat": 0,
        "iss": BASE,
        "sub": str(ada.user.pk),
        "patient": ada.fhir_id,
        "need_patient_banner": True,
        "fhirUser": f"{BASE}/{ada.reference}",
    }
    assert body["exp"] - body["iat"] == pytest.approx(3600, abs=2)


def test_a_bearer_of_a_token_may_introspect(token):
    assert introspect(token, Authorization=f"Bearer {token}").json()["active"] is True


def test_software_may_name_itself_in_the_body(token):
    body = {"token": token, "client_id": "system", "client_secret": SECRET}
    assert Client().post(ADDRESS, body).json()["active"] is True


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer nonsense"}, {"Authorization": "Basic bm9ib2R5OnNlY3JldA=="}, {"X-Nothing": "said"}],
)
def test_strangers_learn_nothing(token, headers):
    response = introspect(token, **headers)
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers


@pytest.mark.parametrize("unknown", ["guessed", "\x00", "ü"])
def test_an_invalid_token_is_not_active(token, unknown):
    assert introspect(unknown).json() == {"active": False}


def test_a_token_that_is_over_is_not_active(token):
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert introspect(token).json() == {"active": False}


def test_a_token_is_needed_to_ask_about(token):
    response = Client().post(ADDRESS, {}, headers=BASIC)
    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})


def test_while_postgresql_is_away_the_answer_is_json_too(without_postgresql):
    response = without_postgresql(introspect, "guessed")
    assert (response.status_code, response.json()) == (503, {"error": "temporarily_unavailable"})
    assert (response["Retry-After"], response["Cache-Control"]) == ("5", "no-store")
