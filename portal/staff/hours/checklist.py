"""The checklist of services: which can be booked, from when on, and what keeps the others from it."""

from dataclasses import dataclass
from datetime import datetime

from clinic import time_text
from clinic.local_time import in_zone
from clinic.models import HealthcareService
from clinic.translations import text_of
from portal.staff.hours.place import address
from portal.staff.hours.problems import Line, line_of
from scheduling import availability
from scheduling.access import Caller
from scheduling.availability import Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """A service on the checklist."""

    verdict: Verdict
    lines: list[Line]

    @property
    def name(self) -> str:
        return text_of(self.verdict.service, "name")

    @property
    def hours(self) -> str:
        return address("hours-edit", self.verdict.service, None)

    @property
    def first(self) -> str:
        """The first free time in words."""
        first, zone = self.verdict.first, self.verdict.zone
        return time_text.in_short(in_zone(first, zone), zone) if first else ""


def checklist(caller: Caller, *, now: datetime) -> list[Entry]:
    """Every active service: first those that cannot be booked, then those with something to look at."""
    services = HealthcareService.objects.filter(active=True, deleted_at=None)
    entries = [
        Entry(verdict, [line_of(each, caller) for each in verdict.worth_saying])
        for verdict in availability.checklist(services, now=now)
    ]
    return sorted(entries, key=lambda entry: (entry.verdict.can_be_booked, not entry.lines, entry.name))
