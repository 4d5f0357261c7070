"""Apps whose access ends when the user signs out: `online_access`.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-a-refresh-token
"""

from typing import Any

from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.base import SessionBase
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from clinic.models import User
from scheduling import access

_KEY = "online_apps"


def remember(session: SessionBase, code: str) -> None:
    """Note in the session the access that was given with this code, to end it with the session."""
    session[_KEY] = [*session.get(_KEY, []), access.code_digest(code)]


@receiver(user_logged_out, dispatch_uid="online_apps_of_session")
def leave(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    """End the session's online access when the user signs out."""
    if user is not None and (let_in := request.session.get(_KEY)):
        access.end_online_launches(user, let_in, now=timezone.now())


@receiver([password_changed, password_reset], dispatch_uid="online_apps_of_user")
def leave_everywhere(user: User, **_kwargs: Any) -> None:
    """End all online access of a user whose password changes, as it ends all sessions."""
    access.end_online_launches(user, now=timezone.now())
