"""Terms of a service: its rules on one schedule, or as a whole."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic.models import HealthcareService, Schedule, SchedulingParameters
from scheduling import access, availability
from scheduling.access import Caller
from scheduling.availability import BookingProblem, Offering
from scheduling.errors import NotFound, SchedulingError

RELATED = (
    "site",
    "practitioner_role__practitioner",
    "bookable__practitioner",
    "bookable__location",
    "bookable__device",
    "bookable__healthcare_service",
)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The rules of a service on `schedule`, or as a whole if that is None.

    `offerings` are the schedules that a change affects; if there are none, `problems` gives the reasons.
    """

    service: HealthcareService
    schedule: Schedule | None
    general: SchedulingParameters | None
    own: dict[int, SchedulingParameters]  # by schedule
    offerings: tuple[Offering, ...]

    @property
    def row(self) -> SchedulingParameters | None:
        """The SchedulingParameters that a change is saved to."""
        return self.own.get(self.schedule.pk) if self.schedule else self.general

    @property
    def resource(self) -> Schedule | HealthcareService:
        """The resource that the parameters are part of."""
        return self.schedule or self.service

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of its times; None if there are several, or none is known."""
        zones = {each.zone for each in self.offerings}
        return zones.pop() if len(zones) == 1 else None

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone or ZoneInfo("UTC")).date()


def terms_of(caller: Caller, service_id: str, schedule_id: str | None) -> Terms:
    """The terms that the caller may change. Raises Forbidden, or NotFound for calendars they do not work with."""
    schedule = _schedule(caller, schedule_id) if schedule_id else None
    access.may_set_hours(caller, schedule)
    service = availability.service_of(service_id)
    if service is None or not (schedule is None or _offers(schedule, service)):
        raise NotFound(_("There is no such service on this calendar."))
    rows = list(SchedulingParameters.objects.filter(service=service))
    return Terms(
        service=service,
        schedule=schedule,
        general=next((row for row in rows if row.schedule_id is None), None),
        own={row.schedule_id: row for row in rows if row.schedule_id is not None},
        offerings=_offerings(service, schedule),
    )


def _schedule(caller: Caller, schedule_id: str) -> Schedule:
    found = access.calendars(caller).select_related(*RELATED).filter(fhir_id=schedule_id).first()
    if found is None:
        raise NotFound(_("There is no such calendar."))
    return found


def _offers(schedule: Schedule, service: HealthcareService) -> bool:
    return schedule.offers_all_services or schedule.services.filter(pk=service.pk).exists()


def _offerings(service: HealthcareService, schedule: Schedule | None) -> tuple[Offering, ...]:
    if schedule is None:
        ways = availability.arrangements_for(service)
        return tuple({each.schedule: each for way in ways for pool in way for each in pool}.values())
    try:
        return tuple(availability.offerings_of(service, [schedule.fhir_id]))
    except SchedulingError:
        return ()


def problems(terms: Terms, *, now: datetime) -> list[BookingProblem]:
    """Everything that keeps the service from being booked there, followed by warnings."""
    [verdict] = availability.checklist([terms.service], now=now)
    if terms.schedule is None:
        found = verdict.worth_saying
    else:
        key = terms.schedule.pk
        of_all = [each for each in verdict.problems if not each.schedules]
        own = [replace(each, is_warning=each.fault.is_doubt) for each in verdict.of(key)]
        found = [*of_all, *own]
    return sorted(found, key=lambda each: each.is_warning)
