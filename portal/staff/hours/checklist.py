"""Checklist of services: which can be booked, their first free times, and the problems of the others."""

from dataclasses import dataclass
from datetime import datetime

from clinic import time_text
from clinic.local_time import in_zone
from clinic.models import HealthcareService
from clinic.translations import text_of
from portal.staff.hours.hours_page import address
from portal.staff.hours.problems import ProblemLine, problem_line
from scheduling import availability
from scheduling.access import Caller
from scheduling.availability import Verdict


@dataclass(frozen=True, slots=True)
class ChecklistEntry:
    """A service on the checklist."""

    verdict: Verdict
    lines: list[ProblemLine]

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


def checklist(caller: Caller, *, now: datetime) -> list[ChecklistEntry]:
    """Return all active services: first those that cannot be booked, then those with warnings."""
    services = HealthcareService.objects.filter(active=True, deleted_at=None)
    entries = [
        ChecklistEntry(verdict, [problem_line(each, caller) for each in verdict.worth_saying])
        for verdict in availability.checklist(services, now=now)
    ]
    return sorted(entries, key=lambda entry: (entry.verdict.can_be_booked, not entry.lines, entry.name))
