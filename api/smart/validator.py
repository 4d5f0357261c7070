"""Hooks of django-oauth-toolkit: clients, their scopes, and the people of their tokens.

https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import Application, Grant, RefreshToken
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from oauthlib.oauth2.rfc6749 import errors

from api.authentication import caller_with
from api.smart.assertions import TYPE, Refused, application_of
from clinic.models import AppRegistration, Launch
from scheduling import access
from scheduling.access import LASTING, code_digest, grantable

BACKEND_SECONDS = 300
CONTEXT = "clinic"  # the header with the parts of a request that oauthlib does not read


class OAuthCore(OAuthLibCore):  # type: ignore[misc]
    """Requests for oauthlib, with the addresses of this server and the person who is signed in."""

    def extract_headers(self, request: HttpRequest) -> dict[str, Any]:
        base = request.build_absolute_uri(f"/{settings.FHIR_BASE_PATH}")
        token_url = request.build_absolute_uri(reverse("oauth2_provider:token"))
        context = {"base": base, "token": token_url, "user": getattr(request, "user", None)}
        return {**super().extract_headers(request), CONTEXT: context}

    def extract_body(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Return the form without NUL, which PostgreSQL cannot store."""
        return [(name, value.replace("\x00", "\ufffd")) for name, value in super().extract_body(request)]


class SmartScopes(BaseScopes):  # type: ignore[misc]
    """The scopes of each app, as it was registered."""

    def get_all_scopes(self) -> dict[str, str]:
        return {}

    def get_available_scopes(self, application: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return allowed_scopes(application)

    def get_default_scopes(self, application: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return allowed_scopes(application)


class SmartValidator(OAuth2Validator):  # type: ignore[misc]
    """The request validator. It refuses the demo's client, whose secret is known, where DEMO is off."""

    oidc_claim_scope = {**OAuth2Validator.oidc_claim_scope, "fhirUser": "fhirUser"}

    # Authentication of clients

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        if _client_assertion(request):
            return True
        return bool(super().client_authentication_required(request, *args, **kwargs))

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Authenticate by key (private_key_jwt), by Basic, or by a secret in the body."""
        if assertion := _client_assertion(request):
            return self._authenticate_by_key(request, assertion)
        return bool(super().authenticate_client(request, *args, **kwargs))

    def _authenticate_by_key(self, request: Any, assertion: str) -> bool:
        if getattr(request, "client_assertion_type", None) != TYPE:
            raise errors.InvalidClientError(description=f"client_assertion_type is {TYPE}.", request=request)
        try:
            found = application_of(assertion, request.headers[CONTEXT]["token"], timezone.now())
        except Refused as refusal:
            raise errors.InvalidClientError(description=str(refusal), request=request) from refusal
        if request.client_id not in (None, found.client_id) or not _may_be_used(found):
            raise errors.InvalidClientError(description="The assertion is another client's.", request=request)
        request.client, request.client_id = _signing(found), found.client_id
        return True

    def _load_application(self, client_id: str, request: Any) -> Any:
        """Load the application; None for a name with NUL, or for software that may not be used."""
        found = None if "\x00" in (client_id or "") else super()._load_application(client_id, request)
        if found is None or not _may_be_used(found):
            request.client = None
            return None
        return _signing(found)

    def _get_client_by_audience(self, audience: Any) -> Any:
        found = super()._get_client_by_audience(audience)
        return found and _signing(found)

    # Scopes

    def validate_scopes(
        self, client_id: str, scopes: Iterable[str], client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Check the scopes.

        Software must have all of them; an app gets those that are granted, and its person decides.
        """
        requested, granted = list(scopes), grantable(scopes, allowed_scopes(client))
        return bool(granted) and (request.grant_type != "client_credentials" or granted == requested)

    # Codes and tokens

    def save_authorization_code(self, client_id: str, code: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        super().save_authorization_code(client_id, code, request, *args, **kwargs)
        now = timezone.now()
        access.record_launch(request.client, request.user, request.patient, request.scopes, code=code["code"], now=now)

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Check the code. A code that is used twice was stolen: its tokens are revoked."""
        launch = Launch.objects.filter(code_digest=code_digest(code), application=client).first()
        if launch is None or not super().validate_code(client_id, code, client, request, *args, **kwargs):
            if launch is not None and not Grant.objects.filter(code=code).exists():
                launch.revoke()
            return False
        request.launch = launch
        return _may_still_be_used(launch)

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        if not super().validate_refresh_token(refresh_token, client, request, *args, **kwargs):
            return False
        request.launch = Launch.objects.filter(access_token=request.refresh_token_instance.access_token).first()
        return request.launch is not None and _may_still_be_used(request.launch)

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> str:
        return str(request.launch.scope)

    def is_within_original_scope(
        self, request_scopes: Iterable[str], refresh_token: str, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """True if no scope grants more than the original ones: `.r` of `.rs` and one type of `*` are allowed."""
        requested = list(request_scopes)
        return grantable(requested, request.launch.scope.split()) == requested

    def _save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """Save the token with the patient in context, and a refresh token only with a scope for one."""
        if request.grant_type == "client_credentials":
            if _client_assertion(request):
                token["expires_in"] = BACKEND_SECONDS
            super()._save_bearer_token(token, request, *args, **kwargs)
            return
        launch: Launch = request.launch
        _claim(launch, request)
        if not set(LASTING) & set(launch.scope.split()):
            token.pop("refresh_token", None)
        super()._save_bearer_token(token, request, *args, **kwargs)
        token.update(launch_context(launch))

    def _create_access_token(self, expires: Any, request: Any, token: Any, source_refresh_token: Any = None) -> Any:
        created = super()._create_access_token(expires, request, token, source_refresh_token)
        if launch := getattr(request, "launch", None):
            Launch.objects.filter(pk=launch.pk).update(access_token=created, last_used=timezone.now())
        return created

    def _check_and_set_request_resource(self, request: Any) -> None:
        """Accept no other resource than this server (RFC 8707)."""
        request.resource = []

    # OpenID Connect: https://openid.net/specs/openid-connect-core-1_0.html

    def validate_silent_login(self, request: Any) -> bool:
        """True if the person has signed in recently enough, so that only their consent is needed."""
        return bool(request.headers[CONTEXT]["user"].is_authenticated)

    def validate_silent_authorization(self, request: Any) -> bool:
        """Return False: people are asked each time."""
        return False

    def validate_bearer_token(self, token: str, scopes: Iterable[str], request: Any) -> bool:
        """Check the token as the API does, also that its person may sign in. The caller checks the scopes."""
        if caller_with(token or "") is None or not super().validate_bearer_token(token, (), request):
            return False
        request.scopes = request.access_token.scope.split()
        return True

    def get_oidc_issuer_endpoint(self, request: Any) -> str:
        return str(request.headers[CONTEXT]["base"]).removesuffix("/")

    def get_additional_claims(self, request: Any) -> dict[str, str]:
        record = access.record_of(request.user)
        address = f"{request.headers[CONTEXT]['base']}{record.reference}" if record else ""
        return {"fhirUser": address, "profile": address} if address else {}  # SMART 1 called it profile


def allowed_scopes(application: Any) -> list[str]:
    """Return the registered scopes of an application; none if nobody has set them."""
    registration = AppRegistration.objects.filter(application=application).first()
    return registration.scopes.split() if registration else []


def launch_context(launch: Launch) -> dict[str, Any]:
    """Return the further parameters of a token response:
    https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
    """
    return {"patient": launch.patient.fhir_id, "need_patient_banner": True} if launch.patient else {}


def _client_assertion(request: Any) -> str:
    return getattr(request, "client_assertion", None) or ""


def _signing(application: Any) -> Any:
    """Return the application, made to sign with the key of this server."""
    application.algorithm = Application.RS256_ALGORITHM
    return application


def _may_be_used(application: Any) -> bool:
    return application.user is None or _may_sign_in(application.user)


def _may_sign_in(user: Any) -> bool:
    return bool(user.is_active and (settings.DEMO or not user.is_demo))


def _may_still_be_used(launch: Launch) -> bool:
    return _may_sign_in(launch.user) and not access.is_launch_over(launch, now=timezone.now())


def _claim(launch: Launch, request: Any) -> None:
    """Lock the launch or the refresh token, so that only one of two simultaneous requests gets tokens."""
    if request.grant_type == "refresh_token":
        tokens = RefreshToken.objects.filter(pk=request.refresh_token_instance.pk, revoked=None)
        is_mine = tokens.select_for_update().exists()
    else:
        waiting = Launch.objects.select_for_update(of=("self",)).filter(pk=launch.pk, access_token=None)
        is_mine = waiting.exists()
    if not is_mine:
        raise errors.InvalidGrantError(request=request)
