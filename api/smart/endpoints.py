"""The token endpoints: django-oauth-toolkit's, with the limits and headers of this API:
https://www.rfc-editor.org/rfc/rfc6749#section-5
"""

from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.log import log_response
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider import views

from api import throttling
from clinic import database

# The grant that the toolkit checks first; nobody can use it here.
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
INSUFFICIENT = 'Bearer error="insufficient_scope"'
UNSTORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class JSONWhileAway:
    """Mixin with the limits of the API, and a JSON response while PostgreSQL is away."""

    @method_decorator(csrf_exempt)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            throttling.check_address(request)
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except OperationalError as error:
            if not database.is_away(error):
                raise
            response = _away(request, error)
        except throttling.TooManyRequests as error:
            response = _too_many(error)
        return response


class _TokenEndpoint(JSONWhileAway):
    """Base of the token endpoints: JSON that is never cached, and a challenge after a wrong Basic password."""

    @method_decorator(csrf_exempt)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        for name, value in {"Content-Type": "application/json", **UNSTORED}.items():
            response[name] = value
        if response.status_code == 401 and request.headers.get("Authorization", "").lower().startswith("basic "):
            response["WWW-Authenticate"] = 'Basic realm="clinic"'
        if response.status_code == 403:
            response["WWW-Authenticate"] = INSUFFICIENT
        return response


def _away(request: HttpRequest, error: Exception) -> HttpResponseBase:
    database.drop_dead_connections()
    response = JsonResponse({"error": "temporarily_unavailable"}, status=503, headers=UNSTORED)
    response["Retry-After"] = database.RETRY_AFTER
    log_response("%s: %s", type(error).__name__, request.path, response=response, request=request, exception=error)
    return response


def _too_many(error: throttling.TooManyRequests) -> HttpResponseBase:
    body = {"error": "temporarily_unavailable", "error_description": str(error.detail)}
    return JsonResponse(body, status=429, headers={**UNSTORED, "Retry-After": str(error.wait)})


class TokenView(_TokenEndpoint, views.TokenView):  # type: ignore[misc]
    """The token endpoint."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.POST.get("grant_type") == DEVICE:
            return JsonResponse({"error": "unsupported_grant_type"}, status=400)
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        return response


class RevokeTokenView(_TokenEndpoint, views.RevokeTokenView):  # type: ignore[misc]
    """The revocation endpoint: https://www.rfc-editor.org/rfc/rfc7009"""


class UserInfoView(_TokenEndpoint, views.UserInfoView):  # type: ignore[misc]
    """The endpoint for the person of a token: https://openid.net/specs/openid-connect-core-1_0.html#UserInfo"""
