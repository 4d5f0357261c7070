"""Authentication of API callers: software by its token, a person by their session, an app by its person's token.

Tokens are OAuth 2 bearer tokens with the scopes of SMART: api.smart gives them.
"""

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from api.smart.constraints import condition_of
from clinic import second_factor
from clinic.models import Launch, User
from scheduling import access
from scheduling.access import Caller
from scheduling.availability import STAMP


def caller_of(request: Request) -> Caller:
    """Return the caller of a request that a view has let in."""
    return cast(Caller, request.auth)


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>`: https://www.rfc-editor.org/rfc/rfc6750#section-2.1

    One query. An invalid token is refused, never treated as no token.
    """

    def authenticate(self, request: Request) -> tuple[User | None, Caller] | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        caller = caller_with(token.strip())
        if caller is None:
            raise AuthenticationFailed("The access token is not known, has expired or was revoked.")
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, with a reason after a token: https://www.rfc-editor.org/rfc/rfc6750#section-3.1"""
        came_with_one = request.headers.get("Authorization", "").lower().startswith("bearer")
        return 'Bearer error="invalid_token"' if came_with_one else "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """Authentication by the session of the pages. Unsafe methods need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        found = super().authenticate(request)
        if found and access.lacks_second_factor(found[0], timezone.now()):
            raise PermissionDenied(
                "The clinic requires a second step for this account. Sign in on its pages to add it."
            )
        return (found[0], Caller(user=found[0])) if found else None


def caller_with(token: str) -> Caller | None:
    """Return the caller with this token; None if it is unknown, revoked, expired, or its owner may not sign in."""
    found = _read(token)
    now = timezone.now()
    if found is None or not (found.owner_may and found.user_may) or found.expires <= now:
        return None
    user = User.from_db(DEFAULT_DB_ALIAS, USER, found.user) if found.user[0] is not None else None
    if user is not None:
        user.second_factor_due = found.second_factor_due
        if access.lacks_second_factor(user, now):
            return None
    return Caller(
        user=user,
        client=found.client,
        scopes=tuple(found.scope.split()),
        context_patient=found.patient,
        offerings_stamp=found.offerings_stamp,
        condition_of=condition_of,
    )


def token_digest(token: str) -> str:
    """Return the digest under which a token is stored: the token itself is not kept."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class _Token(NamedTuple):
    """The columns of a token that each request needs, and the stamp of the offerings."""

    scope: str
    expires: datetime
    client: str
    patient: int | None
    owner_may: bool
    user_may: bool
    offerings_stamp: str | None
    second_factor_due: datetime | None
    user: tuple[Any, ...]


# Columns of the person, in the order of `from_db`; the others are deferred.
KNOWN = {"id", "email", "is_active", "is_staff", "is_superuser"}
USER = [field.attname for field in User._meta.concrete_fields if field.attname in KNOWN]
_TOKEN = f"""
    SELECT token.scope, token.expires, application.client_id, launch.patient_id,
        owner.id IS NULL OR (owner.is_active AND (%s OR NOT owner.is_demo)),
        person.id IS NULL OR (person.is_active AND (%s OR NOT person.is_demo)),
        {STAMP},
        {second_factor.due("person")},
        {", ".join(f"person.{column}" for column in USER)}
    FROM {AccessToken._meta.db_table} token
    JOIN {Application._meta.db_table} application ON application.id = token.application_id
    LEFT JOIN {Launch._meta.db_table} launch ON launch.access_token_id = token.id
    LEFT JOIN {User._meta.db_table} owner ON owner.id = application.user_id
    LEFT JOIN {User._meta.db_table} person ON person.id = token.user_id
    WHERE token.token_checksum = %s
"""


def _read(text: str) -> _Token | None:
    with connection.cursor() as cursor:
        cursor.execute(_TOKEN, [settings.DEMO, settings.DEMO, token_digest(text)])
        row = cursor.fetchone()
    return _Token._make((*row[:8], row[8:])) if row else None
