"""Registering software in the administration."""

import re

import pytest
from django.test import Client
from jwcrypto.jwk import JWK
from oauth2_provider.models import Application

from clinic.models import AppRegistration
from tests.api.smart.apps import TOKEN
from tests.factories import UserFactory

ADD = "/admin/oauth2_provider/application/add/"
KEY = JWK.generate(kty="EC", crv="P-384", kid="1")
PATIENT_APP = {
    "name": "Visit Buddy",
    "kind": "public",
    "publisher": "Buddy Inc.",
    "homepage": "https://buddy.example.org",
    "scopes": "launch/patient  patient/*.rs openid",
    "redirect_uris": "https://app.example.org/back http://127.0.0.1/back",
    "jwks": "null",
}
BACKEND = {"name": "Lab", "kind": "backend", "scopes": "system/Slot.rs", "jwks": "null"}


@pytest.fixture
def client(db):
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def errors(response):
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def secret_of(response):
    found = re.search(r"<code>(\w+)</code>", response.content.decode())
    return found and found[1]


def test_a_patient_app_is_registered(client):
    response = client.post(ADD, PATIENT_APP, follow=True)
    app = Application.objects.get()
    assert (app.client_type, app.authorization_grant_type) == ("public", "authorization-code")
    assert app.redirect_uri_allowed("http://127.0.0.1:5173/back")
    assert app.registration.scopes == "launch/patient patient/*.rs openid"
    assert app.registration.publisher == "Buddy Inc."
    assert secret_of(response) is None


def test_a_native_app_is_registered_with_an_address_of_its_own(client):
    client.post(ADD, {**PATIENT_APP, "redirect_uris": "com.example.app:/callback"}, follow=True)
    assert Application.objects.get().redirect_uri_allowed("com.example.app:/callback")


def test_the_secret_of_software_is_shown_once(client):
    response = client.post(ADD, BACKEND, follow=True)
    secret, app = secret_of(response), Application.objects.get()
    sent = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": secret}
    assert Client().post(TOKEN, sent).json()["scope"] == "system/Slot.rs"
    page = client.get(f"/admin/oauth2_provider/application/{app.pk}/change/").content.decode()
    assert secret not in page
    assert app.client_secret not in page


def test_a_new_secret_takes_the_place_of_the_old(client):
    old = secret_of(client.post(ADD, BACKEND, follow=True))
    app = Application.objects.get()
    address = f"/admin/oauth2_provider/application/{app.pk}/change/"
    new = secret_of(client.post(address, {**BACKEND, "_new_secret": "1"}, follow=True))
    sent = {"grant_type": "client_credentials", "client_id": app.client_id}
    assert Client().post(TOKEN, {**sent, "client_secret": old}).status_code == 401
    assert Client().post(TOKEN, {**sent, "client_secret": new}).status_code == 200


def test_a_change_keeps_the_secret(client):
    secret = secret_of(client.post(ADD, BACKEND, follow=True))
    app = Application.objects.get()
    client.post(f"/admin/oauth2_provider/application/{app.pk}/change/", {**BACKEND, "scopes": "system/Slot.s"})
    sent = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": secret}
    assert Client().post(TOKEN, sent).json()["scope"] == "system/Slot.s"


def test_software_with_a_key_has_no_secret(client):
    response = client.post(ADD, {**BACKEND, "jwks": f'{{"keys": [{KEY.export_public()}]}}'}, follow=True)
    assert secret_of(response) is None
    assert AppRegistration.objects.get().has_keys


def test_a_secret_is_worth_nothing_once_there_is_a_key(client):
    secret = secret_of(client.post(ADD, BACKEND, follow=True))
    app = Application.objects.get()
    changed = {**BACKEND, "jwks": f'{{"keys": [{KEY.export_public()}]}}'}
    client.post(f"/admin/oauth2_provider/application/{app.pk}/change/", changed)
    sent = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": secret}
    assert Client().post(TOKEN, sent).status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"kind": ""}, "kind"),
        ({"scopes": "patient/Appointment.sr"}, "scopes"),
        ({"scopes": "everything"}, "scopes"),
        ({"scopes": "system/*.rs"}, "scopes"),
        ({"redirect_uris": ""}, "redirect_uris"),
        ({"redirect_uris": "http://app.example.org/back"}, "redirect_uris"),
        ({"redirect_uris": "https://*.example.org/back"}, "redirect_uris"),
        ({"redirect_uris": "https://app.example.org/back#here"}, "redirect_uris"),
        ({"redirect_uris": "javascript:alert(1)"}, "redirect_uris"),
        ({"redirect_uris": "javascript:/alert(1)"}, "redirect_uris"),
        ({"redirect_uris": "app:/callback"}, "redirect_uris"),
        ({"redirect_uris": "com.example.app://callback"}, "redirect_uris"),
        ({"redirect_uris": "com.example.app:callback"}, "redirect_uris"),
        ({"redirect_uris": "https://[::1/back"}, "redirect_uris"),
        ({"logo_url": "http://app.example.org/logo.png"}, "logo_url"),
        ({"homepage": "javascript:alert(1)"}, "homepage"),
        ({"jwks_url": "https://app.example.org/keys"}, "kind"),
        ({"kind": "confidential", "jwks_url": "https://10.0.0.1/keys"}, "jwks_url"),
        ({"kind": "confidential", "jwks_url": "http://app.example.org/keys"}, "jwks_url"),
        ({"kind": "confidential", "jwks": '["a key"]'}, "jwks"),
        ({"kind": "confidential", "jwks": '{"keys": []}'}, "jwks"),
        ({"kind": "confidential", "jwks": '{"keys": [{"kty": "nonsense"}]}'}, "jwks"),
        ({"kind": "confidential", "jwks": f'{{"keys": [{KEY.export_private()}]}}'}, "jwks"),
        ({"kind": "confidential", "jwks": '{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}]}'}, "jwks"),
    ],
)
def test_errors_are_shown_beside_their_fields(client, settings, changes, field):
    settings.OUTGOING_ALLOWED_HOSTS = []
    assert field in errors(client.post(ADD, {**PATIENT_APP, **changes}))
    assert not Application.objects.exists()


@pytest.mark.parametrize("scopes", ["patient/*.rs", "openid system/*.rs", "user/*.rs"])
def test_software_without_anybody_has_scopes_of_its_own_only(client, scopes):
    assert "scopes" in errors(client.post(ADD, {**BACKEND, "scopes": scopes}))


def test_the_list_is_shown(client):
    client.post(ADD, PATIENT_APP)
    page = client.get("/admin/oauth2_provider/application/?q=buddy").content.decode()
    assert "Visit Buddy" in page
    assert "Buddy Inc." in page
