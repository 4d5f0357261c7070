"""The authentication backend for signing in with email and password."""

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings

from clinic.models import User


class ClinicBackend(AuthenticationBackend):  # type: ignore[misc]
    """The backend for email and password. Demo accounts, whose password is public, can sign in only if DEMO is on."""

    def user_can_authenticate(self, user: User) -> bool:
        return bool(super().user_can_authenticate(user)) and (settings.DEMO or not user.is_demo)
