"""Software that signs in with a key: https://hl7.org/fhir/smart-app-launch/backend-services.html"""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time

import pytest
from django.test import Client
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from clinic.models import AppRegistration, UsedAssertion
from tests.api.conftest import Api, application
from tests.api.smart.apps import TOKEN, App
from tests.factories import UserFactory

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUDIENCE = f"http://testserver{TOKEN}"
KEYS = {
    "RS384": JWK.generate(kty="RSA", size=2048, kid="rsa"),
    "ES384": JWK.generate(kty="EC", crv="P-384", kid="ec"),
}
STRANGER = JWK.generate(kty="EC", crv="P-384", kid="ec")


def key_set(*keys):
    return {"keys": [key.export_public(as_dict=True) for key in keys]}


def assertion(alg="ES384", key=None, header=None, **changes):
    """Return the claims of the software's assertion; None leaves a claim out."""
    claims = {"iss": "backend", "sub": "backend", "aud": AUDIENCE, "exp": int(time()) + 240, "jti": "one", **changes}
    key = key or KEYS[alg]
    token = JWT(
        header={"alg": alg, "typ": "JWT", "kid": key["kid"], **(header or {})},
        claims={name: value for name, value in claims.items() if value is not None},
    )
    token.make_signed_token(key)
    return token.serialize()


def ask(signed, scope="system/Patient.rs", **changes):
    sent = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": ASSERTION,
        "client_assertion": signed,
        **changes,
    }
    return Client().post(TOKEN, sent)


@pytest.fixture
def backend(db):
    software = application("system/Patient.rs system/Slot.rs", client_id="backend")
    AppRegistration.objects.update(jwks=key_set(*KEYS.values()))
    return software


@pytest.mark.parametrize("alg", sorted(KEYS))
def test_software_signs_in_with_its_key(backend, alg):
    response = ask(assertion(alg))
    token = response.json()
    assert {**token, "access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "system/Patient.rs",
    }
    assert Api(token["access_token"]).get("Patient").status_code == 200
    assert Api(token["access_token"]).get("Slot").status_code == 403


def refused(response):
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    return response.json()["error_description"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": "https://elsewhere.example.org/token"}, "audience"),
        ({"aud": None}, "audience"),
        ({"iss": "system"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": 1}, "issuer"),
        ({"sub": "system"}, "subject"),
        ({"sub": None}, "subject"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "soon"}, "expired"),
        ({"exp": 10**20}, "expired"),
        ({"exp": int(time()) + 3600}, "five minutes"),
        ({"nbf": int(time()) + 3600}, "yet"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"header": {"alg": "HS256"}, "key": JWK.generate(kty="oct", size=256, kid="ec")}, "algorithm"),
        ({"header": {"typ": "JOSE"}}, "type"),
        ({"header": {"kid": "another"}}, "key of that name"),
        ({"header": {"kid": "rsa"}}, "key of that name"),
        ({"header": {"jku": "https://evil.example.org/keys"}}, "jku"),
        ({"key": STRANGER}, "has signed"),
    ],
)
def test_an_assertion_that_is_wrong_signs_nobody_in(backend, changes, why):
    header = changes.get("header") or {}
    alg = header.pop("alg", "ES384")
    assert why in refused(ask(assertion(alg, **{**changes, "header": header})))
    assert not UsedAssertion.objects.exists()


@pytest.mark.parametrize(
    "signed",
    [
        "nonsense",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJiYWNrZW5kIn0.",
        "[]",
        "{}",
        "x" * 10000,
        '{"payload": "", "signatures": []}',
    ],
)
def test_an_unsigned_assertion_is_refused(backend, signed):
    refused(ask(signed))


def test_a_client_with_keys_needs_an_assertion(backend):
    """Algorithm `none`: https://www.rfc-editor.org/rfc/rfc8725#section-2.1"""
    head, claims, _signature = assertion().split(".")
    none = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT", "kid": "ec"}).encode()).decode().rstrip("=")
    )
    refused(ask(f"{none}.{claims}."))
    refused(ask(f"{head}.{claims}."))


def test_the_kind_of_assertion_is_named(backend):
    refused(ask(assertion(), client_assertion_type="urn:something-else"))


def test_no_assertion_counts_twice(backend):
    signed = assertion()
    assert ask(signed).status_code == 200
    assert "before" in refused(ask(signed))
    assert "before" in refused(ask(assertion(exp=int(time()) + 200)))
    assert ask(assertion(jti="two")).status_code == 200


def test_assertions_that_are_over_are_forgotten(backend):
    ask(assertion())
    UsedAssertion.objects.update(expires="2020-01-01T00:00:00Z")
    ask(assertion(jti="two"))
    assert UsedAssertion.objects.count() == 1


def test_an_assertion_is_for_the_client_that_is_named(backend):
    application(client_id="system")
    refused(ask(assertion(), client_id="system"))


def test_software_gets_no_more_than_it_was_registered_for(backend):
    response = ask(assertion(), scope="system/*.cruds")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")


def test_software_whose_owner_may_not_come_in_does_not_either(backend):
    backend.user = UserFactory(is_active=False)
    backend.save()
    refused(ask(assertion()))


def test_an_unknown_grant_is_a_bad_request(backend):
    response = ask(assertion(), grant_type="nonsense")
    assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")


def test_an_app_on_a_server_exchanges_its_code_with_a_key(ada):
    app = App(client_type="confidential")
    AppRegistration.objects.update(jwks=key_set(KEYS["ES384"]))
    response = app.exchange(
        app.code(ada.user),
        client_id=None,
        client_assertion_type=ASSERTION,
        client_assertion=assertion(iss="app", sub="app"),
    )
    assert response.status_code == 200, response.content
    assert response.json()["patient"] == ada.fhir_id


@contextmanager
def served(keys, cache_control=""):
    """A key set at an address, and the number of requests for it."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            body = json.dumps(keys).encode()
            self.send_response(200)
            if cache_control:
                self.send_header("Cache-Control", cache_control)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/keys", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def trusted(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


@pytest.mark.parametrize(("cache_control", "times"), [("", 1), ("max-age=60", 1), ("no-store", 2), ("max-age=0", 2)])
def test_keys_at_an_address_are_kept_as_long_as_they_say(backend, trusted, cache_control, times):
    with served(key_set(KEYS["ES384"]), cache_control) as (url, requests):
        AppRegistration.objects.update(jwks=None, jwks_url=url)
        for jti in ("one", "two"):
            assert ask(assertion(jti=jti)).status_code == 200
        assert len(requests) == times


def test_a_key_that_is_new_at_its_address_is_found(backend, trusted):
    keys = key_set(KEYS["ES384"])
    with served(keys) as (url, _asked):
        AppRegistration.objects.update(jwks=None, jwks_url=url)
        assert ask(assertion()).status_code == 200
        keys.update(key_set(KEYS["RS384"]))
        assert ask(assertion("RS384", jti="two")).status_code == 200


def test_keys_are_not_fetched_from_the_network_we_stand_in(backend, settings):
    settings.OUTGOING_ALLOWED_HOSTS = []
    with served(key_set(KEYS["ES384"])) as (url, requests):
        AppRegistration.objects.update(jwks=None, jwks_url=url)
        assert "fetched" in refused(ask(assertion()))
        assert requests == []


@pytest.mark.parametrize("keys", ["nonsense", [], {"keys": "none"}, {"keys": [{"kty": "none"}]}])
def test_a_key_set_that_cannot_be_read_signs_nobody_in(backend, trusted, keys):
    with served(keys) as (url, _asked):
        AppRegistration.objects.update(jwks=None, jwks_url=url)
        refused(ask(assertion()))
