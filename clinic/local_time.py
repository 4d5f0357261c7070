"""Instants by the clock of a place, also at the edges of the calendar, which every zone reaches at another instant."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

LEAP_SECOND = re.compile(r"(\d\d:\d\d):60(?:\.\d+)?")
FIRST = datetime(MINYEAR, 1, 1, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


class EdgeZone(ZoneInfo):
    """A time zone whose clock stops at the edges of the calendar, for code of others that asks it there."""

    def fromutc(self, dt: datetime) -> datetime:
        """The instant by the clock of the zone, or the first or last that it can show."""
        try:
            return super().fromutc(dt)
        except OverflowError:
            return (LAST if dt.year == MAXYEAR else FIRST).replace(tzinfo=self)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The instant by the clock of the zone, or the nearest that it can show: years go from 1 to 9999."""
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):
        return (LAST if moment.year == MAXYEAR else FIRST).replace(tzinfo=zone)


def later(moment: datetime, length: timedelta) -> datetime:
    """The instant so much later, or the last one that there is; of a negative length, earlier, or the first."""
    try:
        return moment + length
    except OverflowError:
        return (LAST if length > timedelta(0) else FIRST).astimezone(moment.tzinfo)


def read_iso(text: str) -> datetime:
    """The moment that ISO 8601 writes so. A leap second, which no clock here has, is the second after it.

    Raises ValueError.
    """
    if LEAP_SECOND.search(text):
        return later(datetime.fromisoformat(LEAP_SECOND.sub(r"\1:59", text)), timedelta(seconds=1))
    return datetime.fromisoformat(text)


def read_clock(text: str) -> time:
    """The time of day that ISO 8601 writes so; of a leap second, the second before it. Raises ValueError."""
    return time.fromisoformat(LEAP_SECOND.sub(r"\1:59", text))
