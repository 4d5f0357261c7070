"""The name and the time zone of a Schedule."""

from zoneinfo import ZoneInfo

from clinic.models import Schedule
from clinic.zones import zone_named

SCHEDULE = (
    "site",
    "practitioner_role__practitioner",
    "bookable__practitioner",
    "bookable__location",
    "bookable__device",
    "bookable__healthcare_service",
    "bookable__patient",
)


def name_of(schedule: Schedule) -> str:
    """Return the schedule's actor and site."""
    actor = str(schedule.bookable.actor)
    return f"{actor}, {schedule.site}" if schedule.site else actor


def zone_of(schedule: Schedule, service_pk: int | None = None) -> ZoneInfo:
    """Return the schedule's time zone: its site's, else its parameters', else its actor's."""
    names = [schedule.site.timezone if schedule.site else ""]
    names += [each.timezone for each in schedule.scheduling_parameters.all() if service_pk in (None, each.service_id)]
    names += [getattr(actor, "timezone", "") for actor in (schedule.actor, schedule.bookable.actor)]
    return zone_named(next((name for name in names if name), "UTC"))
