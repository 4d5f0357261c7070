"""Local times of instants, also in the years 1 and 9999, where a conversion to a zone can leave Python's calendar."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

LEAP_SECOND = re.compile(r"(\d\d:\d\d):60(?:\.\d+)?")
FIRST = datetime(MINYEAR, 1, 1, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


class EdgeZone(ZoneInfo):
    """A time zone that does not overflow in the years 1 and 9999, for library code that converts such times."""

    def fromutc(self, dt: datetime) -> datetime:
        """Return the local time of the instant, or the first or last local time that Python has."""
        try:
            return super().fromutc(dt)
        except OverflowError:
            return (LAST if dt.year == MAXYEAR else FIRST).replace(tzinfo=self)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Return the local time of an instant in a zone, or the nearest that Python has."""
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):
        return (LAST if moment.year == MAXYEAR else FIRST).replace(tzinfo=zone)


def later(moment: datetime, length: timedelta) -> datetime:
    """Return the moment plus a length, which may be negative, or the first or last moment that Python has."""
    try:
        return moment + length
    except OverflowError:
        return (LAST if length > timedelta(0) else FIRST).astimezone(moment.tzinfo)


def read_iso(text: str) -> datetime:
    """Return the moment of an ISO 8601 text; a leap second becomes the second after it. Raises ValueError."""
    if LEAP_SECOND.search(text):
        return later(datetime.fromisoformat(LEAP_SECOND.sub(r"\1:59", text)), timedelta(seconds=1))
    return datetime.fromisoformat(text)


def read_clock(text: str) -> time:
    """Return the time of day of an ISO 8601 text; a leap second becomes the second before it. Raises ValueError."""
    return time.fromisoformat(LEAP_SECOND.sub(r"\1:59", text))
