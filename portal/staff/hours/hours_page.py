"""The service whose hours and settings a page shows, on one calendar or as a whole."""

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
from portal.staff.hours.descriptions import in_words
from portal.staff.hours.kept_times import KeptLine, kept_line
from portal.staff.hours.problems import ProblemLine, problem_line
from scheduling import opening
from scheduling.access import Caller
from scheduling.opening import Terms, Version


@dataclass(frozen=True, slots=True)
class ExtraTime:
    """Extra time on one day, in its calendar's zone."""

    start: datetime
    end: datetime
    note: str
    is_for_all: bool
    remove: str


class HoursPage:
    """The service whose hours and settings a page shows, on one calendar or as a whole."""

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
    def problems(self) -> list[ProblemLine]:
        """Everything that keeps the service from being booked, and warnings."""
        return [problem_line(each, self.caller) for each in opening.problems(self.terms, now=self.now)]

    @property
    def blocks(self) -> list[ProblemLine]:
        return [each for each in self.problems if not each.is_warning]

    @property
    def doubts(self) -> list[ProblemLine]:
        return [each for each in self.problems if each.is_warning]

    @property
    def pages(self) -> dict[str, str]:
        """The addresses of its pages, by the last part of their URL names."""
        names = ["edit", "remove", "settings", "closures", "closures-remove", "kept", "kept-remove", "undo"]
        names += ["extra"] if self.terms.schedule else []
        return {
            name.replace("-", "_"): address(f"hours-{name}", self.terms.service, self.terms.schedule) for name in names
        }

    @property
    def today(self) -> date:
        return self.terms.today(self.now)

    @property
    def has_own(self) -> bool:
        """True if this calendar has hours of its own. Always true for a service as a whole."""
        return self.terms.schedule is None or bool(self.terms.row and self.terms.row.availability is not None)

    @cached_property
    def versions(self) -> list[Version]:
        """The versions of its hours: its own, or the service's."""
        return opening.read(effective(self.terms.row, self.terms.general))

    @property
    def services_hours(self) -> list[tuple[str, str]]:
        """The hours of the service as a whole today, in words."""
        versions = opening.read(self.terms.general.availability if self.terms.general else None)
        return in_words(opening.in_force(versions, self.today).week, self.today)

    @property
    def closures(self) -> list[Closure]:
        """The current and upcoming closures of this calendar."""
        return self._closures(self.terms.row)

    @property
    def services_closures(self) -> list[Closure]:
        """The closures of the service as a whole, which apply to this calendar too."""
        return self._closures(self.terms.general) if self.terms.schedule else []

    @property
    def kept_entries(self) -> list[Json]:
        """The time that this calendar, or all calendars, keep for the service, as it is stored."""
        return self.terms.row.kept if self.terms.row else []

    @property
    def kept(self) -> list[KeptLine]:
        return [kept_line(entry, self.today) for entry in self.kept_entries]

    @property
    def services_kept(self) -> list[KeptLine]:
        """The time that is kept for the service on all calendars, and so on this one too."""
        general = self.terms.general if self.terms.schedule else None
        return [kept_line(entry, self.today) for entry in general.kept] if general else []

    @property
    def kept_for_others(self) -> list[tuple[HealthcareService, str, KeptLine]]:
        """The time that this calendar keeps for other services, with the addresses of their pages."""
        return [
            (service, address("hours-edit", service, self.terms.schedule), kept_line(entry, self.today))
            for service, entries in opening.kept_for_others(self.terms)
            for entry in entries
        ]

    @property
    def known_zone(self) -> ZoneInfo:
        return self.terms.zone or ZoneInfo("UTC")

    def extra_times(self) -> list["ExtraTime"]:
        """Return the upcoming extra time."""
        return [self.extra(slot) for slot in opening.extra_times(self.terms, now=self.now)]

    def extra(self, slot: Slot) -> "ExtraTime":
        named = {"service_id": self.terms.service.fhir_id, "slot_id": slot.fhir_id}
        schedule_id = self.terms.schedule.fhir_id if self.terms.schedule else ""
        remove = reverse("portal:hours-extra-remove", kwargs={**named, "schedule_id": schedule_id})
        start, end = (in_zone(moment, self.known_zone) for moment in (slot.start, slot.end))
        return ExtraTime(start, end, slot.comment, not slot.service_type, remove)

    def _closures(self, row: SchedulingParameters | None) -> list[Closure]:
        found = [closure(entry, self.known_zone, self.today) for entry in (row.not_available if row else ())]
        return sorted(
            (each for each in found if not each.is_over), key=lambda each: each.entry.get("during", {}).get("start", "")
        )


def address(page: str, service: HealthcareService, schedule: Schedule | None) -> str:
    named = {"schedule_id": schedule.fhir_id} if schedule else {}
    return reverse(f"portal:{page}", kwargs={"service_id": service.fhir_id, **named})


def effective(row: SchedulingParameters | None, general: SchedulingParameters | None) -> list[Json]:
    """Return the availableTime elements of `row`, or those of the service if `row` has none."""
    found = [each.availability for each in (row, general) if each and each.availability is not None]
    return found[0] if found else []
