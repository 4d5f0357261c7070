"""The sessions of an account in words, for its owner and for managers."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from clinic.country import clinic_zone
from portal.common.devices import device


@dataclass(frozen=True, slots=True)
class AccountSession:
    """A session of an account, as its owner and managers see it. `pk` is None for one that is older than the list."""

    pk: int | None
    device: str
    address: str
    last_seen: datetime
    is_this: bool


def sessions_of(user_id: int | None, *, this: str | None, now: datetime) -> list[AccountSession]:
    """Return the listed sessions of an account, the latest first. `this` is the key of the reader's own session."""
    live = Session.objects.filter(expire_date__gt=now).values("session_key")
    rows = UserSession.objects.filter(user=user_id, session_key__in=live).order_by("-last_seen_at", "-pk")
    zone = clinic_zone()
    return [_session(row, this, zone) for row in rows]


def _session(row: UserSession, this: str | None, zone: ZoneInfo) -> AccountSession:
    is_this = row.session_key == this
    return AccountSession(row.pk, device(row.user_agent), row.ip, row.last_seen_at.astimezone(zone), is_this)
