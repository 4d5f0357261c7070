"""Middleware that lets nobody past who must have a second step and has none."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from scheduling import access

# The pages on which the second step is added, what they lead to before that, signing out, and what reads no session.
OPEN = frozenset(
    {
        "mfa_required",
        "mfa_index",
        "mfa_list_webauthn",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_view_recovery_codes",
        "mfa_keep_recovery_codes",
        "account_reauthenticate",
        "account_email",
        "account_email_verification_sent",
        "account_confirm_email",
        "account_change_password",
        "account_set_password",
        "account_logout",
        "portal:set-language",
        "portal:sessions-end",
        "portal:theme",
        "healthz",
        "readyz",
        "metrics",
        "oauth2_provider:token",
        "oauth2_provider:introspect",
        "oauth2_provider:revoke-token",
    }
)


class SecondStepRequired:
    """Middleware that leads accounts whose second step is due to the page that says so, from every other page.

    The account of the session has been read with the moment from which it is due, so that it costs no statement. The
    API refuses such a session itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        assert match is not None  # there is a view
        is_elsewhere = request.path_info.startswith(f"/{settings.FHIR_BASE_PATH}") or match.view_name in OPEN
        if is_elsewhere or settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return None
        return redirect("mfa_required") if access.lacks_second_factor(request.user, timezone.now()) else None
