"""The sessions of an account. allauth.usersessions stores one when somebody signs in; here they are read and ended."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.signals import password_changed, password_reset, password_set, user_logged_in
from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest

from clinic.country import clinic_zone
from clinic.models import User
from portal.account.devices import device
from scheduling import staff_accounts

_SEEN = "seen"
SEEN_EVERY = 10 * 60  # seconds: how exact the time is at which a session was last used


@dataclass(frozen=True, slots=True)
class AccountSession:
    """A session of an account, as its owner sees it. `pk` is None for one that is older than the list."""

    pk: int | None
    device: str
    address: str
    last_seen: datetime
    is_this: bool


def sessions(request: HttpRequest, *, now: datetime) -> list[AccountSession]:
    """Return the sessions of the caller's account, this one first, then the latest."""
    this = request.session.session_key
    live = Session.objects.filter(expire_date__gt=now).values("session_key")
    rows = UserSession.objects.filter(user=request.user.pk, session_key__in=live).order_by("-last_seen_at", "-pk")
    zone = clinic_zone()
    found = [_session(row, this, zone) for row in rows]
    if not any(session.is_this for session in found):
        user_agent, address = request.headers.get("User-Agent", ""), request.META.get("REMOTE_ADDR", "")
        found.append(AccountSession(None, device(user_agent), address, now, is_this=True))
    return sorted(found, key=lambda session: not session.is_this)


def _session(row: UserSession, this: str | None, zone: ZoneInfo) -> AccountSession:
    is_this = row.session_key == this
    return AccountSession(row.pk, device(row.user_agent), row.ip, row.last_seen_at.astimezone(zone), is_this)


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
