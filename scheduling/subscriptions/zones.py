"""The clocks by which schedules have their days."""

from collections.abc import Collection
from zoneinfo import ZoneInfo

from clinic.fhir.schedules import zone_of
from clinic.models import Schedule
from scheduling import availability


def zones_of(schedules: Collection[Schedule]) -> dict[int, ZoneInfo]:
    """By primary key: the zone in which times on it are found, or where nothing can be booked that of its resource."""
    found = {each.schedule: each.zone for each in availability.all_offerings_of([row.pk for row in schedules])}
    return {row.pk: found.get(row.pk) or ZoneInfo(zone_of(row)) for row in schedules}
