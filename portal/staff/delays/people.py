"""The people of a site who can run late today, and the visits that would begin later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from clinic import patient_text, time_text
from clinic.local_time import in_zone, later
from clinic.models import Appointment, Delay, Event, Location, Schedule
from clinic.translations import actor_name
from scheduling import access
from scheduling.access import Caller
from scheduling.notifications.audience import audience_of
from scheduling.notifications.timeline import MEDIA
from scheduling.visit_zone import zone_or_clinics
from scheduling.waiting import ON_TIME, delays_on


@dataclass(frozen=True, slots=True)
class LatePerson:
    """A practitioner of the site, by one of their calendars, and how late they are today."""

    schedule: Schedule
    delay: Delay | None

    @property
    def id(self) -> str:
        return self.schedule.fhir_id

    @property
    def bookable(self) -> int:
        return self.schedule.bookable_id

    @property
    def name(self) -> str:
        return actor_name(self.schedule.bookable.actor)

    @property
    def late(self) -> timedelta:
        return self.delay.late if self.delay else ON_TIME


@dataclass(frozen=True, slots=True)
class LateVisit:
    """A visit that would begin later, with times in the site's zone."""

    appointment: Appointment
    zone: ZoneInfo
    late: timedelta
    now: datetime

    @property
    def start(self) -> datetime:
        assert self.appointment.start is not None  # it takes time on the day
        return in_zone(self.appointment.start, self.zone)

    @property
    def clock(self) -> str:
        return time_text.clock(self.start)

    @property
    def expected(self) -> str:
        return time_text.clock(in_zone(later(self.start.astimezone(UTC), self.late), self.zone))

    @property
    def patient(self) -> str:
        return patient_text.with_note(self.appointment.patient) if self.appointment.patient else ""

    @property
    def has_arrived(self) -> bool:
        return self.appointment.status == Appointment.Status.ARRIVED

    @property
    def media(self) -> list[object]:
        """The ways by which the patient would be told; none if there is no address."""
        audience = audience_of(self.appointment, now=self.now)
        return [MEDIA[medium] for medium in audience.media(Event.DELAY)] if audience else []


def people_at(site: Location, *, caller: Caller, now: datetime) -> list[LatePerson]:
    """Return the practitioners at the site with whose calendars the caller works, by name. Two queries."""
    rows = access.calendars(caller).filter(site=site, bookable__practitioner__isnull=False)
    schedules = rows.order_by("bookable", "pk").distinct("bookable").select_related("bookable__practitioner")
    delays = delays_on(in_zone(now, zone_or_clinics(site.timezone)).date())
    people = [LatePerson(schedule, delays.get(schedule.bookable_id)) for schedule in schedules]
    return sorted(people, key=lambda person: person.name)


def late_visits_of(late: Mapping[int, timedelta], site: Location, *, caller: Caller, now: datetime) -> list[LateVisit]:
    """Return the visits with these primary keys, in order, as staff who work with them see them."""
    zone = zone_or_clinics(site.timezone)
    rows = access.staff_appointments(caller).filter(pk__in=late).select_related("patient", "service", "site")
    return [LateVisit(each, zone, late[each.pk], now) for each in rows.order_by("start", "pk")]
