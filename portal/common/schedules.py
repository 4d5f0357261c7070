"""The name of a Schedule, and the rows that it and its zone need."""

from clinic.models import Schedule
from clinic.translations import actor_name, text_of

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
    actor = actor_name(schedule.bookable.actor)
    return f"{actor}, {text_of(schedule.site, 'name')}" if schedule.site else actor
