"""All hours that somebody may set."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Prefetch

from clinic.models import HealthcareService, Schedule, SchedulingParameters
from portal.common.schedules import SCHEDULE, name_of, zone_of
from portal.staff.hours.place import address, effective
from portal.staff.hours.wording import in_words, spans_in_words
from scheduling import access, opening
from scheduling.access import Caller


@dataclass(frozen=True, slots=True)
class Line:
    """A service on a calendar, in the list of all."""

    service: HealthcareService
    schedule: Schedule | None
    says: list[tuple[str, str]]
    is_own: bool

    @property
    def address(self) -> str:
        return address("hours-edit", self.service, self.schedule)


def lists(caller: Caller, *, now: datetime) -> tuple[list[tuple[Schedule, list[Line]]], list[Line]]:
    """The calendars that the caller works by, each with its services; and the services as a whole, for administrators.

    The statements are as many for one calendar as for a hundred.
    """
    active = HealthcareService.objects.filter(active=True, deleted_at=None)
    everything = list(active)
    rows = {(each.service_id, each.schedule_id): each for each in SchedulingParameters.objects.all()}
    schedules = access.calendars(caller).select_related(*SCHEDULE)
    schedules = schedules.prefetch_related("scheduling_parameters", Prefetch("services", active))

    closed = spans_in_words(())

    def line(service: HealthcareService, schedule: Schedule | None) -> Line:
        row = rows.get((service.pk, schedule.pk if schedule else None))
        today = now.astimezone(zone_of(schedule) if schedule else ZoneInfo("UTC")).date()
        versions = opening.read(effective(row, rows.get((service.pk, None))))
        is_own = bool(schedule and row and row.availability is not None)
        says = in_words(opening.in_force(versions, today).week)
        return Line(service, schedule, [each for each in says if each[1] != closed] or says, is_own)

    given = [
        (each, [line(service, each) for service in (everything if each.offers_all_services else each.services.all())])
        for each in sorted(schedules, key=name_of)
    ]
    return given, [line(service, None) for service in everything] if caller.is_administrator else []
