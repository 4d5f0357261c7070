"""The sessions of an account. allauth.usersessions stores one when somebody signs in; here they are read and ended."""

import time
from datetime import datetime
from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set, user_logged_in
from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from clinic.models import User
from portal.common.account_sessions import AccountSession, sessions_of
from portal.common.devices import device
from scheduling import staff_accounts

_SEEN = "seen"
SEEN_EVERY = 10 * 60  # seconds: how exact the time is at which a session was last used


def sessions(request: HttpRequest, *, now: datetime) -> list[AccountSession]:
    """Return the sessions of the caller's account, this one first, then the latest."""
    found = sessions_of(request.user.pk, this=request.session.session_key, now=now)
    if not any(session.is_this for session in found):
        user_agent, address = request.headers.get("User-Agent", ""), request.META.get("REMOTE_ADDR", "")
        found.append(AccountSession(None, device(user_agent), address, now, is_this=True))
    return sorted(found, key=lambda session: not session.is_this)


def end(user: User, session_id: int) -> bool:
    """End one session of the account. False if it has ended already, or is not one of its own."""
    row = UserSession.objects.filter(user=user, pk=session_id).first()
    if row is not None:
        row.end()
    return row is not None


def end_others(request: HttpRequest, user: User) -> None:
    """End all sessions of the account but this one."""
    update_session_auth_hash(request, staff_accounts.end_own_sessions(user))
    UserSession.objects.create_from_request(request)


def note_use(request: HttpRequest) -> None:
    """Store that this session is used now, once in ten minutes. A session that is not in the list stays so."""
    seen = request.session.get(_SEEN)
    if seen is not None and time.time() - seen >= SEEN_EVERY and request.user.is_authenticated:
        request.session[_SEEN] = time.time()
        UserSession.objects.create_from_request(request)


@receiver(user_logged_in, dispatch_uid="session_begins")
def begin(request: HttpRequest, **_kwargs: Any) -> None:
    request.session[_SEEN] = time.time()


@receiver(user_logged_out, dispatch_uid="session_ends")
def forget(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    if user is not None:
        UserSession.objects.filter(session_key=request.session.session_key).delete()


@receiver([password_changed, password_reset, password_set], dispatch_uid="other_sessions_end")
def forget_others(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Delete what is known of the sessions that a new password has ended."""
    UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key or "").delete()
