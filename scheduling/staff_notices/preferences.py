"""The notices that a member of staff wants."""

from dataclasses import dataclass
from datetime import time

from django.db import transaction

from clinic.models import NoticeSettings, StaffNotice, User
from clinic.models.staff_notices import DEFAULT_EMAIL
from scheduling import events
from scheduling.access import Caller
from scheduling.errors import Forbidden, VersionConflict

CONSUMER = "staff notices"
Kind = StaffNotice.Kind
OF_FEED = frozenset({Kind.BOOKED, Kind.MOVED, Kind.CANCELLED})


@dataclass(frozen=True, slots=True)
class Preferences:
    """The kinds of notice that are wanted by email and on the open pages, and the hour of the digest, if one is wanted.

    `version` is 0 for those who have chosen nothing yet.
    """

    email: frozenset[StaffNotice.Kind] = frozenset(DEFAULT_EMAIL)
    pages: frozenset[StaffNotice.Kind] = frozenset()
    digest_at: time | None = None
    version: int = 0


def preferences_of(user: User) -> Preferences:
    """Return the notice preferences of a member of staff. One statement."""
    row = NoticeSettings.objects.filter(user=user).first()
    if row is None:
        return Preferences()
    email, pages = (frozenset(map(Kind, kinds)) for kinds in (row.email, row.pages))
    return Preferences(email, pages, row.digest_at, row.version)


@transaction.atomic(durable=True)
def save_preferences(preferences: Preferences, *, caller: Caller) -> None:
    """Store the caller's preferences. Raises VersionConflict if they have changed them elsewhere meanwhile."""
    if caller.user is None or caller.client or not caller.is_staff:
        raise Forbidden
    user = User.objects.select_for_update(no_key=True).get(pk=caller.user.pk)
    row = NoticeSettings.objects.filter(user=caller.user).first() or NoticeSettings(user=caller.user, version=0)
    if row.version != preferences.version:
        raise VersionConflict
    row.email, row.pages = sorted(preferences.email), sorted(preferences.pages)
    row.digest_at, row.version = preferences.digest_at, row.version + 1
    row.save()
    user.told_on_pages = bool(preferences.pages)  # with the account, so that pages need no statement for it
    user.save(update_fields=["told_on_pages"])
    _follow_feed()


def _follow_feed() -> None:
    """Read the feed of visits while any member of staff wants notices."""
    wanted = sorted(OF_FEED)
    rows = NoticeSettings.objects.filter(user__is_active=True)
    if rows.filter(email__overlap=wanted).exists() or rows.filter(pages__overlap=wanted).exists():
        events.join(CONSUMER)
    else:
        events.leave(CONSUMER)
