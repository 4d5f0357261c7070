"""Conversion of a site's local times to instants, and the local time that a new visit is suggested for."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY, QUARTER = timedelta(days=1), timedelta(minutes=15)
NINE = time(9)


def instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the instants of a local time: one; two when clocks go back; none when they skip it."""
    found = {datetime.combine(wall.date(), wall.time(), zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(each for each in found if each.astimezone(zone).replace(tzinfo=None, fold=0) == wall)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day."""
    return datetime.combine(day, time(), zone)


def new_visit_start(day: date, now: datetime) -> datetime:
    """Return the local start that a new visit is suggested for: 9:00, or later today the next quarter of an hour."""
    nine = datetime.combine(day, NINE)
    if day != now.date():
        return nine
    return max(nine, now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0, tzinfo=None) + QUARTER)
