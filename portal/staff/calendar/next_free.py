"""The times at which a patient who is there already can be seen today, by calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic import time_text
from clinic.local_time import in_zone
from clinic.models import HealthcareService, Location, Schedule
from clinic.translations import actor_name
from portal.common.days import moment_of
from portal.staff.calendar.local_times import DAY, midnight
from scheduling import availability
from scheduling.availability import as_datetime
from scheduling.visit_zone import zone_or_clinics


@dataclass(frozen=True, slots=True)
class NextFree:
    """The next free time of a calendar, by the clocks of its site."""

    schedule: Schedule
    start: datetime
    now: datetime

    @property
    def value(self) -> str:
        """The value of its button: see `read_value`."""
        return f"{self.schedule.fhir_id} {self.start.isoformat()}"

    @property
    def name(self) -> str:
        return actor_name(self.schedule.bookable.actor)

    @property
    def clock(self) -> str:
        return time_text.clock(self.start)

    @property
    def wait(self) -> timedelta | None:
        """The time until then in whole minutes; None if it is now."""
        return timedelta(minutes=-((self.now - self.start) // timedelta(minutes=1))) or None


def next_free(
    service: HealthcareService, site: Location, calendars: Sequence[Schedule], *, now: datetime
) -> list[NextFree]:
    """Return the next free time of today at the site for each of these calendars that gives the service."""
    zone = zone_or_clinics(site.timezone)
    until = midnight(in_zone(now, zone).date() + DAY, zone)
    known = {each.pk: each for each in calendars}
    found = availability.next_openings(service, availability.arrangements_for(service, site=site.pk), until, now=now)
    return [
        NextFree(known[schedule], as_datetime(opening.start).astimezone(zone), now)
        for opening in found
        if (schedule := opening.offerings[0].schedule) in known
    ]


def read_value(value: str, calendars: Sequence[Schedule]) -> tuple[Schedule, datetime] | None:
    """Return the calendar and the start that a button's value names, or None if it names neither of them."""
    schedule_id, _space, start = value.partition(" ")
    schedule = next((each for each in calendars if each.fhir_id == schedule_id), None)
    moment = moment_of(start)
    return (schedule, moment) if schedule and moment else None
