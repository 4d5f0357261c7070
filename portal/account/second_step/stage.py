"""The second step in signing in: for whom allauth asks for it."""

from typing import Any

from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.utils import timezone

from clinic.models import User
from portal.account.single_sign_on import records
from scheduling import second_factors


class SecondStep(AuthenticateStage):  # type: ignore[misc]
    """The stage of signing in that asks for a code or a passkey. A passkey in place of the password is both steps."""

    def handle(self) -> tuple[Any, bool]:
        user = self.login.user
        if user is None or self._is_done(user) or not second_factors.is_asked_of(user, now=timezone.now()):
            return None, True
        return super().handle()  # type: ignore[no-any-return]

    def _is_done(self, user: User) -> bool:
        """True if the provider of single sign-on has asked for it already."""
        provider = settings.SINGLE_SIGN_ON
        return provider is not None and provider.is_second_step and records.is_noted(self.request, user)
