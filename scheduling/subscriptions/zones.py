"""Zones in which schedules have their days."""

from collections.abc import Collection
from zoneinfo import ZoneInfo

from clinic.fhir.schedules import zone_of_hours
from clinic.models import Schedule
from scheduling import availability


def zones_of(schedules: Collection[Schedule]) -> dict[int, ZoneInfo]:
    """The zone of each schedule, by primary key: that of its offerings, or of its resource if nothing can be booked."""
    found = {each.schedule: each.zone for each in availability.all_offerings_of([row.pk for row in schedules])}
    return {row.pk: found.get(row.pk) or ZoneInfo(zone_of_hours(row) or "UTC") for row in schedules}
