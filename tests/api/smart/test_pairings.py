"""Every way to sign in, with every grant and scope that discovery names: https://hl7.org/fhir/smart-app-launch/conformance.html"""

import base64
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from clinic.models import AppRegistration
from tests.api.conftest import SECRET, Api, application
from tests.api.smart.apps import BACK, TOKEN, VERIFIER, App
from tests.api.smart.test_backend_services import ASSERTION, KEYS, assertion, key_set
from tests.api.smart.test_discovery import OPENID, SMART
from tests.api.smart.test_openid import claims

# Each method by its name in discovery, with its algorithm, and the method of a public app.
METHODS = ("public", "client_secret_basic", "client_secret_post", "private_key_jwt ES384", "private_key_jwt RS384")
SCOPES = (
    "openid",
    "openid fhirUser",
    "openid profile",
    "openid fhirUser profile offline_access",
    "openid fhirUser online_access",
    "openid fhirUser launch/patient patient/*.cruds",
    "launch/patient patient/*.cruds",
    "user/*.cruds",
    "user/*.cruds offline_access",
    "openid fhirUser launch/patient offline_access online_access profile patient/*.cruds user/*.cruds",
)


def signed_in(client_id: str, method: str, **sent: str) -> Any:
    """Return the token endpoint's response to this software."""
    headers = {}
    match method.split():
        case ["public"]:
            sent["client_id"] = client_id
        case ["client_secret_basic"]:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{client_id}:{SECRET}".encode()).decode()
        case ["client_secret_post"]:
            sent |= {"client_id": client_id, "client_secret": SECRET}
        case ["private_key_jwt", algorithm]:
            signed = assertion(algorithm, iss=client_id, sub=client_id, jti=str(uuid4()))
            sent |= {"client_assertion_type": ASSERTION, "client_assertion": signed}
    return Client().post(TOKEN, sent, headers=headers)


@pytest.fixture
def apps(db):
    """One app for people for each method, registered for everything."""
    everything = " ".join(dict.fromkeys(" ".join(SCOPES).split()))
    apps = {}
    for method in METHODS:
        fields = {} if method == "public" else {"client_type": "confidential", "client_secret": SECRET}
        apps[method] = App(everything, client_id=method.replace(" ", "-").lower(), **fields)
    AppRegistration.objects.filter(application__client_id__startswith="private").update(jwks=key_set(*KEYS.values()))
    return apps


def test_an_app_gets_and_renews_tokens_by_every_method_for_every_scope(apps, ada):
    for (method, app), scope in product(apps.items(), SCOPES):
        client_id, pairing = app.application.client_id, f"{method}: {scope}"
        code = app.code(ada.user, scope)
        exchange = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": BACK}
        answer = signed_in(client_id, method, **exchange)
        assert answer.status_code == 200, (pairing, answer.content)
        _check_token(answer.json(), scope, client_id, ada, pairing)
        lasts = "offline_access" in scope or "online_access" in scope
        assert ("refresh_token" in answer.json()) == lasts, pairing
        if lasts:
            renewal = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
            renewed = signed_in(client_id, method, **renewal)
            assert renewed.status_code == 200, (pairing, renewed.content)
            _check_token(renewed.json(), scope, client_id, ada, pairing)


def _check_token(token: dict[str, Any], scope: str, client_id: str, ada: Any, pairing: str) -> None:
    assert token["scope"].split() == scope.split(), pairing
    assert ("id_token" in token) == ("openid" in scope), pairing
    if "openid" in scope:
        assert claims(token)["aud"] == client_id, pairing
        assert claims(token)["sub"] == str(ada.user.pk), pairing
        named = Client().get("/oauth/userinfo/", headers={"Authorization": f"Bearer {token['access_token']}"})
        assert (named.status_code, named.json()["sub"]) == (200, str(ada.user.pk)), pairing
    reads = Api(token["access_token"]).get(f"Patient/{ada.fhir_id}").status_code
    assert reads == (200 if "/*" in scope else 403), pairing


def test_software_gets_tokens_of_its_own_by_every_method_but_that_of_apps_without_secrets(db):
    for method in METHODS[1:]:
        client_id = f"backend-{method.replace(' ', '-').lower()}"
        application("system/*.cruds", client_id=client_id)
    AppRegistration.objects.filter(application__client_id__contains="private").update(jwks=key_set(*KEYS.values()))
    for method in METHODS[1:]:
        client_id = f"backend-{method.replace(' ', '-').lower()}"
        answer = signed_in(client_id, method, grant_type="client_credentials", scope="system/*.cruds")
        assert (answer.status_code, answer.json()["scope"]) == (200, "system/*.cruds"), method
        assert Api(answer.json()["access_token"]).get("Patient").status_code == 200
        refused = signed_in(client_id, method, grant_type="client_credentials", scope="openid")
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope"), method


def test_by_every_method_tokens_are_asked_about_and_given_back(apps, ada):
    for method, app in apps.items():
        client_id = app.application.client_id
        exchange = {"grant_type": "authorization_code", "code_verifier": VERIFIER, "redirect_uri": BACK}
        token = signed_in(client_id, method, code=app.code(ada.user, "openid user/*.cruds"), **exchange).json()
        access = token["access_token"]
        revoked = _revoked(client_id, method, access)
        assert revoked.status_code == 200, (method, revoked.content)
        assert Api(access).get(f"Patient/{ada.fhir_id}").status_code == 401, method


def _revoked(client_id: str, method: str, token: str) -> Any:
    sent, headers = {"token": token}, {}
    match method.split():
        case ["public"]:
            sent["client_id"] = client_id
        case ["client_secret_basic"]:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{client_id}:{SECRET}".encode()).decode()
        case ["client_secret_post"]:
            sent |= {"client_id": client_id, "client_secret": SECRET}
        case ["private_key_jwt", algorithm]:
            signed = assertion(algorithm, iss=client_id, sub=client_id, jti=str(uuid4()))
            sent |= {"client_assertion_type": ASSERTION, "client_assertion": signed}
    return Client().post("/oauth/revoke_token/", sent, headers=headers)


def test_nothing_else_is_advertised(db):
    """Both discovery documents list exactly what the tables above have."""
    for address in (SMART, OPENID):
        response = Client().get(address).json()
        methods = {method.split()[0] for method in METHODS} - {"public"}
        assert set(response["token_endpoint_auth_methods_supported"]) == methods
        algorithms = {method.split()[1] for method in METHODS if " " in method}
        assert set(response["token_endpoint_auth_signing_alg_values_supported"]) == algorithms
        assert set(response["grant_types_supported"]) == {"authorization_code", "client_credentials", "refresh_token"}
        assert set(response["scopes_supported"]) == {*" ".join(SCOPES).split(), "system/*.cruds"}
