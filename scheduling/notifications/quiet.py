"""No text wakes anybody: when one that is due may go."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

LEAST_AHEAD = timedelta(hours=1)
MARGIN = timedelta(minutes=15)


def may_go(due: datetime, zone: ZoneInfo, *, visit: datetime | None, now: datetime) -> datetime | None:
    """When a text that is due then may go: then, at the end of the quiet time, or before it begins.

    Before it, where by its end the visit would have begun or begin within the hour. None where that is past too.
    """
    quiet = _quiet_time(due, zone)
    if quiet is None:
        return due
    begins, ends = quiet
    if visit is None or ends <= visit - LEAST_AHEAD:
        return ends
    before = begins - MARGIN
    return before if before > now else None


def _quiet_time(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The quiet time that a moment lies in, by the clocks of the zone."""
    if settings.QUIET_HOURS is None:
        return None
    begins, ends = settings.QUIET_HOURS
    today = moment.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        last = day if begins < ends else day + timedelta(days=1)
        span = datetime.combine(day, begins, zone), datetime.combine(last, ends, zone)
        if span[0].timestamp() <= moment.timestamp() < span[1].timestamp():
            return span[0].astimezone(moment.tzinfo), span[1].astimezone(moment.tzinfo)
    return None
