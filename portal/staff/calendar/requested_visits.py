"""Schedules and free times for the visits that staff make and move."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clinic import people_search
from clinic.local_time import in_zone
from clinic.models import Appointment, HealthcareService, Patient, Schedule, Slot
from portal.common.schedules import SCHEDULE
from portal.staff.calendar.local_times import DAY, midnight
from portal.staff.calendar.selection import kind_of
from scheduling import access, availability, booking
from scheduling.access import Caller
from scheduling.availability import (
    MAX_WINDOW,
    Arrangement,
    MovedVisit,
    Offering,
    Pool,
    TimeQuery,
    arrangements_for,
    as_datetime,
    find_times,
    is_offered,
    moved_visit_of,
    offerings_of,
    ways_of,
    with_duration,
)
from scheduling.booking import BookingRequest
from scheduling.errors import Invalid, PatientElsewhere, RuleBroken, SchedulingError, TimeNotOffered, TimeTaken

SUGGESTED = 8


@dataclass(frozen=True, kw_only=True)
class RequestedVisit:
    """A visit to make or move on a calendar. `without` is the visit being moved; schedules in `keep` are preferred."""

    service: HealthcareService
    calendar: Schedule
    without: Appointment | None = None
    keep: tuple[str, ...] = ()
    duration: timedelta | None = None

    @cached_property
    def moved(self) -> MovedVisit | None:
        """The visit being moved, with its schedules."""
        return moved_visit_of(self.without) if self.without is not None else None

    def is_present(self, start: datetime) -> bool:
        """True if the visit being moved is at this start on this calendar already, with the same length."""
        if self.moved is None or self.without is None or self.without.end is None:
            return False
        here = [each for each in self.moved.own if each.schedule == self.calendar.pk]
        is_as_long = self.duration is None or start + self.duration == self.without.end
        return is_as_long and self.moved.is_present(start, here)

    def ways(self) -> tuple[Arrangement, ...]:
        """Return the arrangements of the service that include the calendar.

        Raises Invalid if there are none.
        """
        every = arrangements_for(self.service, site=self.calendar.site_id)
        if self.moved is not None:
            every = tuple(self.moved.ways(every))
        ways = [self._with_calendar(way) for way in every if any(self._is_here(pool) for pool in way)]
        if not ways:
            text = _("%(who)s does not offer %(service)s at this site, or a room or device that it needs is missing.")
            raise Invalid(text % {"who": self.calendar.bookable, "service": self.service})
        return tuple(ways)

    def _is_here(self, pool: Pool) -> bool:
        return any(each.schedule == self.calendar.pk for each in pool)

    def _with_calendar(self, way: Arrangement) -> Arrangement:
        return tuple(
            tuple(each for each in pool if each.schedule == self.calendar.pk)
            if self._is_here(pool)
            else tuple(sorted(pool, key=lambda each: each.fhir_id not in self.keep))
            for pool in map(self._lasting, way)
        )

    def _lasting(self, pool: Pool) -> Pool:
        return with_duration(pool, self.duration) if self.duration else pool


def arrange(requested_visit: RequestedVisit, start: datetime, *, now: datetime) -> tuple[Offering, ...]:
    """Return the schedules for the visit at `start`: free ones, else those with the fewest obstacles."""
    service, without = requested_visit.service, requested_visit.without
    return availability.arrange(service, requested_visit.ways(), start, now=now, without=without)


def free_times(requested_visit: RequestedVisit, around: datetime, zone: ZoneInfo, *, now: datetime) -> list[datetime]:
    """Return the free times nearest to `around` on its local day; if there are none, the next ones after that day.

    A visit that is being moved is not offered its present time.
    Raises SchedulingError if the visit is not possible on this calendar at all.
    """
    day = in_zone(around, zone).date()
    first, last = midnight(day, zone), midnight(day + DAY, zone)
    ways = requested_visit.ways()

    def starts(start: datetime, end: datetime, limit: int | None = None) -> list[datetime]:
        query = TimeQuery(
            ways=ways_of(requested_visit.service, ways),
            start=start,
            end=end,
            limit=limit and limit + len(ways),  # the present time may be found in each of the ways
            without=requested_visit.without,
        )
        found = sorted({as_datetime(each.start) for each in find_times(query, now=now)})
        return [each for each in found if not requested_visit.is_present(each)][:limit]

    that_day = sorted(starts(first, last), key=lambda each: abs(each - around))[:SUGGESTED]
    found = that_day or starts(max(last, now), max(last, now) + MAX_WINDOW, SUGGESTED // 2)
    return [each.astimezone(zone) for each in sorted(found)]


def free_times_context(
    requested_visit: RequestedVisit, around: datetime, zone: ZoneInfo, *, now: datetime
) -> dict[str, Any]:
    """Return the context of a form: the `free` times, or None and the reason in `why_none`."""
    try:
        return {"free": free_times(requested_visit, around, zone, now=now), "why_none": ""}
    except SchedulingError as refusal:
        return {"free": None, "why_none": str(refusal)}


def arrange_move(
    appointment: Appointment, calendar: Schedule, start: datetime, *, now: datetime, duration: timedelta | None = None
) -> tuple[Offering, ...]:
    """Return the schedules for moving a visit: its own if they are free, else another room or device."""
    service = service_of(appointment)
    own = [each.fhir_id for each in schedules_of(appointment)]
    if calendar.fhir_id in own:
        same = moved_visit_of(appointment).offerings(offerings_of(service, own), with_extras=False)
        same = with_duration(same, duration) if duration else same
        if is_offered(service, same, start, now=now, without=appointment):
            return same
    requested_visit = RequestedVisit(
        service=service, calendar=calendar, without=appointment, keep=tuple(own), duration=duration
    )
    return arrange(requested_visit, start, now=now)


def service_of(appointment: Appointment) -> HealthcareService:
    if appointment.service is None:
        raise RuleBroken("This visit was made by other software and names no service: move it there.")
    return appointment.service


def schedules_of(appointment: Appointment) -> list[Schedule]:
    """Return the calendars that a visit takes time of."""
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None).exclude(status=Slot.Status.BUSY_UNAVAILABLE)
    rows = Schedule.objects.filter(pk__in=slots.values("schedule")).select_related(*SCHEDULE)
    return list(rows.prefetch_related("scheduling_parameters").order_by("pk"))


def alike(own: Sequence[Schedule], schedule: Schedule) -> Schedule:
    """Return the calendar of a visit that `schedule` would replace: itself, else one of the same kind."""
    same = [each for each in own if each == schedule]
    of_kind = [each for each in own if kind_of(each) == kind_of(schedule)]
    return next(iter([*same, *of_kind, *own]), schedule)


def services_on(schedules: Iterable[Schedule]) -> list[HealthcareService]:
    """Return the services of the calendars, sorted by name."""
    schedules = list(schedules)
    services = HealthcareService.objects.filter(active=True, deleted_at=None)
    if not any(each.offers_all_services for each in schedules):
        services = services.filter(schedules__in=schedules).distinct()
    return list(services.order_by("name", "pk"))


def schedules_giving(service: HealthcareService, site: int | None) -> set[int]:
    """Return the primary keys of the schedules of a site that can take part in the service."""
    ways = arrangements_for(service, site=site)
    return {each.schedule for way in ways for pool in way for each in pool}


def may_be_overridden(refusal: SchedulingError, caller: Caller, offerings: Sequence[Offering]) -> bool:
    """True if only rules prevent it, and the caller may override them with a reason."""
    lifted = isinstance(refusal, TimeNotOffered | RuleBroken) and not isinstance(refusal, PatientElsewhere)
    only_rules = lifted and all(issue.code == "business-rule" for issue in refusal.issues)
    return only_rules and access.may_override(
        caller, bookables=[each.bookable for each in offerings], sites=[each.site for each in offerings]
    )


def may_be_overbooked(
    refusal: SchedulingError,
    caller: Caller,
    service: HealthcareService,
    offerings: tuple[Offering, ...],
    start: datetime,
    *,
    now: datetime,
) -> bool:
    """True if only other visits prevent it, and the caller may book an extra one beside them."""
    bookables, sites = [each.bookable for each in offerings], [each.site for each in offerings]
    if not (
        isinstance(refusal, TimeTaken) and offerings and access.may_overbook(caller, bookables=bookables, sites=sites)
    ):
        return False
    visit = BookingRequest(service=service, offerings=offerings, start=start)
    return bool(booking.taken_offerings(visit, now=now))


def find_similar(caller: Caller, words: str, *, most: int) -> list[Patient]:
    """Return the patients whose names resemble the words and whom the caller may see, the most similar first."""
    return people_search.find_near(access.visible(Patient, caller).filter(deleted_at=None), words, most=most)


def find_patients(caller: Caller, words: str) -> QuerySet[Patient]:
    """Return the patients who match the words and whom the caller may see, best match first: clinic.people_search."""
    return people_search.find(access.visible(Patient, caller).filter(deleted_at=None), words)
