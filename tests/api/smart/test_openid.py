"""Identity of the person for an app: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-identity-data"""

import json

import pytest
from django.test import Client
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from tests.api.smart.apps import BASE
from tests.factories import RelatedPersonFactory, UserFactory

SCOPE = "openid fhirUser profile user/Appointment.rs"
USER_INFO = "/oauth/userinfo/"


def claims(token):
    """Return the claims of an identity token after its signature is checked as the app would."""
    keys = JWKSet.from_json(Client().get("/oauth/jwks/").content.decode())
    jwt = JWT(jwt=token["id_token"], key=keys, expected_type="JWS", algs=["RS256"])
    return json.loads(jwt.claims)


def test_a_patient_is_a_patient(app, ada):
    identity = claims(app.token(ada.user, SCOPE, nonce="of-the-app"))
    assert identity["iss"] == BASE
    assert identity["aud"] == "app"
    assert identity["nonce"] == "of-the-app"
    assert identity["fhirUser"] == f"{BASE}/{ada.reference}"
    assert identity["profile"] == identity["fhirUser"]
    assert identity["exp"] > identity["iat"]


def test_a_practitioner_is_one(app, chen):
    assert claims(app.token(chen.user, SCOPE))["fhirUser"] == f"{BASE}/{chen.reference}"


def test_a_carer_without_a_record_is_a_related_person(app, ada):
    carer = RelatedPersonFactory(patient=ada, user=UserFactory())
    assert claims(app.token(carer.user, SCOPE))["fhirUser"] == f"{BASE}/{carer.reference}"


def test_a_user_without_a_record_has_no_fhir_user(app, rana):
    token = app.token(rana, SCOPE)
    assert token["scope"] == "openid profile user/Appointment.rs"
    assert not {"fhirUser", "profile"} & set(claims(token))


def test_identity_alone_opens_no_resource(app, ada):
    token = app.token(ada.user, "openid fhirUser")
    assert token["scope"] == "openid fhirUser"
    assert claims(token)["sub"] == str(ada.user.pk)


def ask(token):
    return Client().get(USER_INFO, headers={"Authorization": f"Bearer {token['access_token']}"})


def test_user_info_repeats_the_identity(app, ada):
    token = app.token(ada.user, SCOPE)
    user_info = ask(token)
    assert user_info["Content-Type"] == "application/json"
    identity = claims(token)
    assert user_info.json() == {name: identity[name] for name in ("sub", "fhirUser", "profile")}


def test_without_openid_there_is_no_identity(app, ada):
    response = ask(app.token(ada.user, "user/Appointment.rs"))
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response["WWW-Authenticate"]


def test_user_info_needs_a_token(app, ada):
    token = app.token(ada.user, SCOPE)
    ada.user.is_active = False
    ada.user.save()
    for refused in (ask({"access_token": "guessed"}), ask(token), Client().get(USER_INFO)):
        assert refused.status_code == 401
        assert refused["WWW-Authenticate"].startswith("Bearer")


def test_without_openid_there_is_no_identity_token(app, ada):
    assert "id_token" not in app.token(ada.user)


def test_a_renewed_token_says_it_again(app, ada):
    token = app.token(ada.user, f"{SCOPE} offline_access")
    assert claims(app.refresh(token["refresh_token"]).json())["fhirUser"] == f"{BASE}/{ada.reference}"


def test_the_keys_are_bare_and_public(db):
    [key] = Client().get("/oauth/jwks/").json()["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert "d" not in key


@pytest.mark.parametrize("scope", ["openid fhirUser user/Appointment.rs"])
def test_without_a_key_there_is_no_openid(app, ada, settings, scope):
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "OIDC_ENABLED": False, "OIDC_RSA_PRIVATE_KEY": ""}
    token = app.token(ada.user, scope)
    assert token["scope"] == "user/Appointment.rs"
    assert "id_token" not in token
