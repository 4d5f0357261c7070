"""Instants by the clock of a place, also at the edges of the calendar, which every zone reaches at another instant."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, tzinfo

FIRST = datetime(MINYEAR, 1, 1, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


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
