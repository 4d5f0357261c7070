"""Notices on the open pages of a member of staff."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from clinic.models import StaffNotice
from scheduling import access
from scheduling.access import Caller

KEPT_ON_PAGES = timedelta(days=7)
MOST = 100


def notices_of(caller: Caller, *, now: datetime) -> Sequence[StaffNotice]:
    """Return the caller's notices of the last days about visits that they still see, the newest first."""
    return list(_notices(caller, now)[:MOST])


def unseen_notices_of(caller: Caller, *, most: int, now: datetime) -> Sequence[StaffNotice]:
    """Return the newest of these that the caller has not seen. One statement."""
    return list(_notices(caller, now).filter(seen=None)[:most])


def dismiss(caller: Caller, *, until: datetime, now: datetime) -> None:
    """Record that the caller has seen their notices up to this moment."""
    StaffNotice.objects.filter(user=caller.user, seen=None, occurred__lte=until).update(seen=now)


def _notices(caller: Caller, now: datetime) -> QuerySet[StaffNotice]:
    rows = StaffNotice.objects.filter(user=caller.user, occurred__gt=now - KEPT_ON_PAGES)
    seen = access.staff_appointments(caller).filter(deleted_at=None)
    return rows.filter(appointment__in=seen).select_related("appointment").order_by("-occurred", "-pk")
