"""List of the hours that a member of staff may set."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from clinic.country import clinic_zone
from clinic.models import HealthcareService, Schedule, SchedulingParameters
from portal.common.schedules import SCHEDULE, name_of
from portal.staff.hours.descriptions import in_words, spans_in_words
from portal.staff.hours.hours_page import address, effective
from scheduling import access, opening
from scheduling.access import Action, Caller
from scheduling.visit_zone import zone_of_schedule


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """The hours of a service, on a calendar or as a whole, in the list."""

    service: HealthcareService
    schedule: Schedule | None
    lines: list[tuple[str, str]]
    is_own: bool

    @property
    def address(self) -> str:
        return address("hours-edit", self.service, self.schedule)


def lists(caller: Caller, *, now: datetime) -> tuple[list[tuple[Schedule, list[ServiceHours]]], list[ServiceHours]]:
    """Return the caller's calendars, each with its services; and for managers the services as a whole.

    The number of queries does not depend on the number of calendars.
    """
    active = HealthcareService.objects.filter(active=True, deleted_at=None)
    everything = list(active)
    rows = {(each.service_id, each.schedule_id): each for each in SchedulingParameters.objects.all()}
    schedules = access.calendars(caller, Action.HOURS).select_related(*SCHEDULE)
    schedules = schedules.prefetch_related("scheduling_parameters", Prefetch("services", active))

    closed = spans_in_words((), now.date())

    def line(service: HealthcareService, schedule: Schedule | None) -> ServiceHours:
        row = rows.get((service.pk, schedule.pk if schedule else None))
        today = now.astimezone(zone_of_schedule(schedule) if schedule else clinic_zone()).date()
        versions = opening.read(effective(row, rows.get((service.pk, None))))
        is_own = bool(schedule and row and row.availability is not None)
        lines = in_words(opening.in_force(versions, today).week, today)
        return ServiceHours(service, schedule, [each for each in lines if each[1] != closed] or lines, is_own)

    given = [
        (each, [line(service, each) for service in (everything if each.offers_all_services else each.services.all())])
        for each in sorted(schedules, key=name_of)
    ]
    return given, [line(service, None) for service in everything] if caller.sets_up else []
