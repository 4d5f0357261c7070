"""SMART and OpenID discovery documents: https://hl7.org/fhir/smart-app-launch/conformance.html"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseNotFound, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from api.smart.assertions import ALGORITHMS
from scheduling.access import CONTEXT, IDENTITY

Json = dict[str, Any]

# The name of each endpoint in the CapabilityStatement's oauth-uris, and of its URL pattern.
ENDPOINTS = {
    "authorize": "portal:authorize",
    "token": "oauth2_provider:token",
    "introspect": "oauth2_provider:introspect",
    "revoke": "oauth2_provider:revoke-token",
    "manage": "portal:apps",
}
RESOURCE_SCOPES = ("patient/*.cruds", "user/*.cruds", "system/*.cruds")
CAPABILITIES = (
    *("launch-standalone", "context-standalone-patient", "authorize-post"),
    *("client-public", "client-confidential-symmetric", "client-confidential-asymmetric"),
    *("permission-patient", "permission-user", "permission-offline", "permission-online"),
    *("permission-v1", "permission-v2"),
)
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")


def endpoints(request: HttpRequest) -> dict[str, str]:
    """Return the full URL of each endpoint."""
    return {name: request.build_absolute_uri(reverse(view)) for name, view in ENDPOINTS.items()}


def scopes_supported() -> list[str]:
    identity = IDENTITY if _signs_identities() else ()
    return [*identity, *(each for each in CONTEXT if each not in IDENTITY), *RESOURCE_SCOPES]


@require_safe
def smart_configuration(request: HttpRequest) -> JsonResponse:
    """`GET [base]/.well-known/smart-configuration`: JSON, whatever the client accepts."""
    found = endpoints(request)
    identity = _identity(request) if _signs_identities() else {}
    return JsonResponse(
        {
            **identity,
            "authorization_endpoint": found["authorize"],
            "token_endpoint": found["token"],
            "introspection_endpoint": found["introspect"],
            "revocation_endpoint": found["revoke"],
            "management_endpoint": found["manage"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "response_types_supported": ["code"],
            "scopes_supported": scopes_supported(),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": AUTH_METHODS,
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "capabilities": [*CAPABILITIES, *(["sso-openid-connect"] if identity else [])],
        }
    )


@require_safe
def openid_configuration(request: HttpRequest) -> HttpResponseBase:
    """OpenID discovery; 404 without a signing key: https://openid.net/specs/openid-connect-discovery-1_0.html"""
    if not _signs_identities():
        return HttpResponseNotFound()
    found = endpoints(request)
    return JsonResponse(
        {
            **_identity(request),
            "authorization_endpoint": found["authorize"],
            "token_endpoint": found["token"],
            "userinfo_endpoint": request.build_absolute_uri(reverse("oauth2_provider:user-info")),
            "scopes_supported": scopes_supported(),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": AUTH_METHODS,
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser", "profile"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


def _identity(request: HttpRequest) -> Json:
    base = request.build_absolute_uri(f"/{settings.FHIR_BASE_PATH}").removesuffix("/")
    return {"issuer": base, "jwks_uri": request.build_absolute_uri(reverse("oauth2_provider:jwks"))}


def _signs_identities() -> bool:
    return bool(settings.OAUTH2_PROVIDER["OIDC_ENABLED"])
