"""Conversion of a site's local times to instants."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the instants of a local time: one; two when clocks go back; none when they skip it."""
    found = {datetime.combine(wall.date(), wall.time(), zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(each for each in found if each.astimezone(zone).replace(tzinfo=None, fold=0) == wall)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day."""
    return datetime.combine(day, time(), zone)
