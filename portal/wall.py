"""Times as they stand on the wall of a site."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """When the clocks of `zone` show `wall`: once; twice where they go back, never where they skip it."""
    found = {datetime.combine(wall.date(), wall.time(), zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(each for each in found if each.astimezone(zone).replace(tzinfo=None, fold=0) == wall)
