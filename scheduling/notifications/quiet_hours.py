"""Quiet hours, in which no text message is sent."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

LEAST_AHEAD = timedelta(hours=1)
MARGIN = timedelta(minutes=15)


def allowed_time(due: datetime, zone: ZoneInfo, *, visit: datetime | None, now: datetime) -> datetime | None:
    """Return the time at which a message due at `due` may be sent: `due` itself, or after the quiet hours, or shortly
    before them.

    It goes out before if by their end the visit would have begun or would begin within the hour. None if that time has
    passed too.
    """
    quiet = _quiet_time(due, zone)
    if quiet is None:
        return due
    begins, ends = quiet
    if visit is None or ends <= visit - LEAST_AHEAD:
        return ends
    before = begins - MARGIN
    return before if before > now else None


def end_of_quiet(moment: datetime, zone: ZoneInfo) -> datetime:
    """The end of the quiet hours around a moment in this zone, or the moment itself outside of them."""
    quiet = _quiet_time(moment, zone)
    return moment if quiet is None else quiet[1]


def _quiet_time(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The quiet hours around a moment in this zone, or None."""
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
