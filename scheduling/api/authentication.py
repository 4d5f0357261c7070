"""Who is calling: software by its token, a person by their session.

Tokens are OAuth 2 bearer tokens, given for client credentials with the scopes of SMART:
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db import connection
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from clinic.models import User
from scheduling.access import SCOPE, Caller

EVERYTHING = "system/*.cruds"


def caller_of(request: Request) -> Caller:
    """Whoever asks. Only for requests that a view has let in."""
    return cast(Caller, request.auth)


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>`: https://www.rfc-editor.org/rfc/rfc6750#section-2.1

    One query. A token that does not hold is refused and never taken for none.
    """

    def authenticate(self, request: Request) -> tuple[User | None, Caller] | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        found = _token(token.strip())
        if found is None or not _stands(found):
            raise AuthenticationFailed("The access token is not known, has expired or was revoked.")
        caller = _caller(found)
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """A person who has signed in on the pages. What is not safe needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        found = super().authenticate(request)
        return (found[0], Caller(user=found[0])) if found else None


class SmartScopes(BaseScopes):  # type: ignore[misc]
    """Scopes are open-ended: `ClientValidator` reads them. Who registers software trusts it with every type."""

    def get_all_scopes(self) -> dict[str, str]:
        return {EVERYTHING: "Create, read, update, delete and search everything"}

    def get_available_scopes(self, *args: Any, **kwargs: Any) -> list[str]:
        return [EVERYTHING]

    def get_default_scopes(self, *args: Any, **kwargs: Any) -> list[str]:
        return [EVERYTHING]


class ClientValidator(OAuth2Validator):  # type: ignore[misc]
    """Client credentials, by Basic or in the body. The demo's client, whose secret is known, needs DEBUG."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(super().authenticate_client(request, *args, **kwargs)) and _may_be_used(request.client)

    def _load_application(self, client_id: str, request: Any) -> Application | None:
        """None for a name that PostgreSQL could not even look for."""
        return None if "\x00" in (client_id or "") else super()._load_application(client_id, request)

    def validate_scopes(
        self, client_id: str, scopes: Iterable[str], client: Application, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        asked = [SCOPE.fullmatch(scope) for scope in scopes]
        return all(scope and scope["may"] for scope in asked)


class _Token(NamedTuple):
    """What has to be known of a token: it is asked with every request, so nothing else is read."""

    scope: str
    expires: datetime
    client: str | None
    user: int | None
    owner_may: bool
    user_may: bool


_TOKEN = f"""
    SELECT token.scope, token.expires, application.client_id, token.user_id,
        owner.id IS NULL OR (owner.is_active AND (%s OR NOT owner.is_demo)),
        person.id IS NULL OR (person.is_active AND (%s OR NOT person.is_demo))
    FROM {AccessToken._meta.db_table} token
    LEFT JOIN {Application._meta.db_table} application ON application.id = token.application_id
    LEFT JOIN {User._meta.db_table} owner ON owner.id = application.user_id
    LEFT JOIN {User._meta.db_table} person ON person.id = token.user_id
    WHERE token.token_checksum = %s
"""


def _token(text: str) -> _Token | None:
    checksum = sha256(text.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_TOKEN, [settings.DEBUG, settings.DEBUG, checksum])
        row = cursor.fetchone()
    return _Token(*row) if row else None


def _stands(token: _Token) -> bool:
    return token.user_may and token.owner_may and token.client is not None and token.expires > timezone.now()


def _may_be_used(application: Application) -> bool:
    owner = application.user
    return owner is None or (owner.is_active and (settings.DEBUG or not owner.is_demo))


def _caller(token: _Token) -> Caller:
    """A token that was given to a person acts as that person; any other as the software."""
    if token.user is not None:
        return Caller(user=User.objects.get(pk=token.user))
    return Caller(client=token.client or "", scopes=tuple(token.scope.split()))
