"""What is being set, as its pages show it: one service, on one calendar or as a whole."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from clinic import time_text
from clinic.fhir.datatypes import Json
from clinic.local_time import in_zone
from clinic.models import HealthcareService, Schedule, SchedulingParameters, Slot
from clinic.translations import text_of
from portal.common.schedules import name_of
from portal.staff.hours.closures import Closure, closure
from portal.staff.hours.problems import Line, line_of
from portal.staff.hours.wording import in_words
from scheduling import opening
from scheduling.access import Caller
from scheduling.opening import Terms, Version


@dataclass(frozen=True, slots=True)
class Extra:
    """One-off time, local to its calendar."""

    start: datetime
    end: datetime
    note: str
    is_for_all: bool
    remove: str


class Place:
    """What is being set, as its pages show it: one service, on one calendar or as a whole."""

    def __init__(self, terms: Terms, now: datetime, caller: Caller) -> None:
        self.terms = terms
        self.now = now
        self.caller = caller

    @property
    def title(self) -> str:
        return text_of(self.terms.service, "name")

    @property
    def whose(self) -> str:
        return name_of(self.terms.schedule) if self.terms.schedule else _("All calendars that offer it")

    @property
    def zone(self) -> str:
        if self.terms.zone:
            return time_text.zone_name(self.terms.zone)
        return _("Each calendar in its own time") if self.terms.offerings else _("No time zone is set")

    @cached_property
    def problems(self) -> list[Line]:
        """Everything that keeps it from being booked, and what makes it doubtful."""
        return [line_of(each, self.caller) for each in opening.problems(self.terms, now=self.now)]

    @property
    def blocks(self) -> list[Line]:
        return [each for each in self.problems if not each.is_warning]

    @property
    def doubts(self) -> list[Line]:
        return [each for each in self.problems if each.is_warning]

    @property
    def pages(self) -> dict[str, str]:
        """The addresses below it, by the last word of their names."""
        names = ["edit", "remove", "settings", "closures", "closures-remove", "undo"]
        names += ["extra"] if self.terms.schedule else []
        return {
            name.replace("-", "_"): address(f"hours-{name}", self.terms.service, self.terms.schedule) for name in names
        }

    @property
    def today(self) -> date:
        return self.terms.today(self.now)

    @property
    def has_own(self) -> bool:
        """True if this calendar has hours of its own. Those of a service as a whole are its own."""
        return self.terms.schedule is None or bool(self.terms.row and self.terms.row.availability is not None)

    @cached_property
    def versions(self) -> list[Version]:
        """The hours in force: its own, or the service's."""
        return opening.read(effective(self.terms.row, self.terms.general))

    @property
    def services_hours(self) -> list[tuple[str, str]]:
        """The service's own hours today, in words."""
        versions = opening.read(self.terms.general.availability if self.terms.general else None)
        return in_words(opening.in_force(versions, self.today).week)

    @property
    def closures(self) -> list[Closure]:
        """Those to come, on this calendar."""
        return self._closures(self.terms.row)

    @property
    def services_closures(self) -> list[Closure]:
        """Those of the service as a whole, which hold here too."""
        return self._closures(self.terms.general) if self.terms.schedule else []

    @property
    def known_zone(self) -> ZoneInfo:
        return self.terms.zone or ZoneInfo("UTC")

    def extra_times(self) -> list["Extra"]:
        """One-off time that is still to come."""
        return [self.extra(slot) for slot in opening.extra_times(self.terms, now=self.now)]

    def extra(self, slot: Slot) -> "Extra":
        named = {"service_id": self.terms.service.fhir_id, "slot_id": slot.fhir_id}
        schedule_id = self.terms.schedule.fhir_id if self.terms.schedule else ""
        remove = reverse("portal:hours-extra-remove", kwargs={**named, "schedule_id": schedule_id})
        start, end = (in_zone(moment, self.known_zone) for moment in (slot.start, slot.end))
        return Extra(start, end, slot.comment, not slot.service_type, remove)

    def _closures(self, row: SchedulingParameters | None) -> list[Closure]:
        found = [closure(entry, self.known_zone, self.today) for entry in (row.not_available if row else ())]
        return sorted(
            (each for each in found if not each.is_over), key=lambda each: each.entry.get("during", {}).get("start", "")
        )


def address(page: str, service: HealthcareService, schedule: Schedule | None) -> str:
    named = {"schedule_id": schedule.fhir_id} if schedule else {}
    return reverse(f"portal:{page}", kwargs={"service_id": service.fhir_id, **named})


def effective(row: SchedulingParameters | None, general: SchedulingParameters | None) -> list[Json]:
    """The availableTime elements that count where `row` stands before the service's."""
    found = [each.availability for each in (row, general) if each and each.availability is not None]
    return found[0] if found else []
