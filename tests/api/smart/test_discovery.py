"""Discovery documents for software: https://hl7.org/fhir/smart-app-launch/conformance.html"""

import pytest
from django.test import Client

from tests.api.smart.apps import BASE

SMART = "/fhir/R4/.well-known/smart-configuration"
OPENID = "/fhir/R4/.well-known/openid-configuration"


def test_the_configuration_says_where_everything_is(db):
    response = Client().get(SMART).json()
    addresses = {name: value for name, value in response.items() if name.endswith(("_endpoint", "_uri"))}
    assert set(addresses) == {
        "authorization_endpoint",
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "management_endpoint",
        "jwks_uri",
    }
    for address in addresses.values():
        assert address.startswith("http://testserver/")
        assert Client().get(address).status_code != 404
    assert response["issuer"] == BASE
    assert response["code_challenge_methods_supported"] == ["S256"]
    assert {"authorization_code", "client_credentials"} <= set(response["grant_types_supported"])
    assert "private_key_jwt" in response["token_endpoint_auth_methods_supported"]
    assert response["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert {"launch-standalone", "client-public", "permission-patient", "sso-openid-connect"} <= set(
        response["capabilities"]
    )
    assert {"openid", "fhirUser", "launch/patient", "offline_access", "patient/*.cruds"} <= set(
        response["scopes_supported"]
    )


@pytest.mark.parametrize("accept", ["application/json", "application/fhir+xml", "text/html", "*/*"])
@pytest.mark.parametrize("address", [SMART, OPENID])
def test_it_is_json_whatever_is_asked_for(db, address, accept):
    assert Client().get(address, headers={"Accept": accept})["Content-Type"] == "application/json"


def test_the_capability_statement_says_the_same(db):
    [security] = [rest["security"] for rest in Client().get("/fhir/R4/metadata").json()["rest"]]
    body = {each["url"]: each["valueUri"] for each in security["extension"][0]["extension"]}
    configuration = Client().get(SMART).json()
    assert body == {
        "authorize": configuration["authorization_endpoint"],
        "token": configuration["token_endpoint"],
        "introspect": configuration["introspection_endpoint"],
        "revoke": configuration["revocation_endpoint"],
        "manage": configuration["management_endpoint"],
    }


def test_openid_is_found_below_the_issuer(db):
    response = Client().get(OPENID).json()
    assert response["issuer"] + "/.well-known/openid-configuration" == f"http://testserver{OPENID}"
    assert response["id_token_signing_alg_values_supported"] == ["RS256"]


def test_without_a_key_nothing_is_said_of_openid(db, settings):
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "OIDC_ENABLED": False, "OIDC_RSA_PRIVATE_KEY": ""}
    response = Client().get(SMART).json()
    assert not {"issuer", "jwks_uri"} & set(response)
    assert "sso-openid-connect" not in response["capabilities"]
    assert "openid" not in response["scopes_supported"]
    assert Client().get(OPENID).status_code == 404
