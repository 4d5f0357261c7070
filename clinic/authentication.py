"""Who may sign in."""

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings

from clinic.models import User


class ClinicBackend(AuthenticationBackend):  # type: ignore[misc]
    """Email and password. The demo's accounts, whose password everybody knows, work only with DEMO on."""

    def user_can_authenticate(self, user: User) -> bool:
        return bool(super().user_can_authenticate(user)) and (settings.DEMO or not user.is_demo)
