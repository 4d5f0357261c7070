"""The introspection endpoint: https://www.rfc-editor.org/rfc/rfc7662

The caller is software with its own credentials, or has a token of this server.
"""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views import View
from oauth2_provider.models import AccessToken
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.oauth2 import OAuth2Error

from api.authentication import caller_with, token_digest
from api.headers import base_of
from api.smart.endpoints import UNSTORED, JSONWhileAway
from api.smart.validator import launch_context
from scheduling.access import record_of


class IntrospectionView(JSONWhileAway, OAuthLibMixin, View):  # type: ignore[misc]
    def post(self, request: HttpRequest) -> JsonResponse:
        if not self._is_known(request):
            refused = JsonResponse({"error": "invalid_client"}, status=401, headers=UNSTORED)
            refused["WWW-Authenticate"] = 'Basic realm="clinic", Bearer'
            return refused
        if not (token := request.POST.get("token")):
            return JsonResponse({"error": "invalid_request"}, status=400, headers=UNSTORED)
        return JsonResponse(_claims(token, request), headers=UNSTORED)

    def _is_known(self, request: HttpRequest) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return caller_with(token.strip()) is not None
        try:
            return bool(self.get_oauthlib_core().authenticate_client(request))
        except OAuth2Error:
            return False


def _claims(text: str, request: HttpRequest) -> dict[str, Any]:
    if caller_with(text) is None:
        return {"active": False}
    related = ("application", "user", "launch__patient")
    token = AccessToken.objects.select_related(*related).get(token_checksum=token_digest(text))
    claims = {
        "active": True,
        "token_type": "Bearer",
        "scope": token.scope,
        "client_id": token.application.client_id,
        "exp": int(token.expires.timestamp()),
        "iat": int(token.created.timestamp()),
        "iss": base_of(request).removesuffix("/"),
        "sub": str(token.user_id or token.application.client_id),
    }
    if launch := getattr(token, "launch", None):
        claims |= launch_context(launch)
    if token.user is not None and "fhirUser" in token.scope.split() and (record := record_of(token.user)):
        claims["fhirUser"] = f"{base_of(request)}{record.reference}"
    return claims
