"""Browser apps call the API from their own origin, without cookies: https://hl7.org/fhir/smart-app-launch/"""

import pytest
from django.test import Client

from tests.api.conftest import BASE
from tests.factories import PatientFactory

APP = "https://app.example.org"
OPEN = [f"{BASE}metadata", f"{BASE}.well-known/smart-configuration", f"{BASE}OperationDefinition/Appointment-find"]


def preflight(path, method, *headers):
    query = {"Origin": APP, "Access-Control-Request-Method": method}
    return Client().options(path, headers=query | {"Access-Control-Request-Headers": ", ".join(headers)})


@pytest.mark.parametrize("path", OPEN)
def test_open_documents_are_for_every_origin(db, path):
    response = Client().get(path, headers={"Origin": APP})
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "Patient/1", ["authorization", "if-none-match", "x-medplum"]),
        ("POST", "Appointment/$book", ["authorization", "content-type", "idempotency-key", "prefer"]),
        ("PUT", "Patient/1", ["authorization", "content-type", "if-match"]),
        ("POST", "Patient", ["authorization", "content-type", "if-none-exist"]),
        ("PATCH", "Appointment/1", ["authorization", "content-type", "if-match"]),
        ("DELETE", "Subscription/1", ["authorization"]),
    ],
)
def test_a_browser_may_ask_before_it_has_a_token(method, path, headers):
    response = preflight(BASE + path, method, *headers)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "*"
    assert method in response["Access-Control-Allow-Methods"]
    assert set(headers) <= set(response["Access-Control-Allow-Headers"].split(", "))


def test_an_app_may_ask_for_tokens():
    assert preflight("/oauth/token/", "POST", "authorization")["Access-Control-Allow-Origin"] == "*"


def test_exposed_headers_can_be_read(api):
    response = api.get(PatientFactory().reference, origin=APP)
    assert response["Access-Control-Allow-Origin"] == "*"
    headers = response["Access-Control-Expose-Headers"].split(", ")
    assert {"etag", "last-modified", "location", "expires", "retry-after", "idempotency-replayed"} <= set(headers)


def test_refusals_can_be_read_too(db):
    response = Client().get(f"{BASE}Patient", headers={"Origin": APP})
    assert response.status_code == 401
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", [f"{BASE}metadata", f"{BASE}Patient", "/oauth/token/"])
def test_cookies_never_go_along(db, path):
    assert "Access-Control-Allow-Credentials" not in Client().get(path, headers={"Origin": APP})
    assert "Access-Control-Allow-Credentials" not in preflight(path, "GET")


@pytest.mark.parametrize(
    "path", ["/", "/staff/", "/admin/login/", "/accounts/login/", "/oauth/authorize/", "/fhir/R4x", "/healthz"]
)
def test_pages_are_for_no_other_origin(db, path):
    assert "Access-Control-Allow-Origin" not in Client().get(path, headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in preflight(path, "GET")
