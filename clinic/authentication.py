"""The authentication backends: email and password, and single sign-on of staff."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.db.models import DateTimeField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from clinic import second_factor
from clinic.models import User

AUTHENTICATOR_SECRET = "authenticator"  # the purpose for which secrets of authenticators are encrypted


class ClinicBackend(AuthenticationBackend):  # type: ignore[misc]
    """The backend for email and password. Demo accounts, whose password is public, can sign in only if DEMO is on."""

    def get_user(self, user_id: int) -> User | None:
        """Return the account of a session, with `second_factor_due`. One statement."""
        column = RawSQL(second_factor.due(User._meta.db_table), [], DateTimeField())
        rows = User.objects.annotate(second_factor_due=column)  # type: ignore[no-redef]  # the model declares it
        user = rows.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: User) -> bool:
        return bool(super().user_can_authenticate(user)) and (settings.DEMO or not user.is_demo)


class SingleSignOnBackend(ClinicBackend):
    """The backend of sessions that began at the clinic's OpenID Connect provider. It takes no password."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: int) -> User | None:
        """Return the account of a session. Where the provider asks for a second step, none is due here."""
        if settings.SINGLE_SIGN_ON is None:
            return None
        user = super().get_user(user_id)
        if user is not None and settings.SINGLE_SIGN_ON.is_second_step:
            user.second_factor_due = None
        return user
