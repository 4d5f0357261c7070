"""Six weeks of the demo's life: what its calendars hold from a fortnight ago to four weeks from now.

Every time comes from the engine and every Slot goes through the use cases; chance is seeded, so that the same
moment makes the same clinic.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from random import Random
from typing import TypeAlias
from zoneinfo import ZoneInfo

from clinic.fhir.codes import CANCELLATION_REASON
from clinic.models import WEEKDAYS, Appointment, HealthcareService, Patient, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import FoundTime, TimeQuery, arrangements_for, as_datetime, find_times
from scheduling.booking.appointments import declined
from scheduling.booking.request import participants_of
from scheduling.booking.slots import slots_of
from scheduling.core.hours import instant, local_date
from scheduling.core.intervals import Span
from scheduling.errors import TimeTaken
from scheduling.management.demo_clinic import SERVICES, SITES
from scheduling.management.demo_people import CLIENT_ID, VISITS
from scheduling.management.demo_practitioners import BLOCKED, PRACTITIONERS, Calendar
from scheduling.management.demo_rows import DemoRows

PAST, AHEAD = timedelta(days=14), timedelta(days=28)
WEEK = timedelta(days=7)
FULLNESS = (0.65, 0.65, 0.65, 0.55, 0.45, 0.35)  # week by week; people book late
CANCELLED, NOSHOW = 0.06, 0.05
CLASS_SIZES = (2, 3, 3, 4, 5)
REASONS = {each.id: each.reasons for each in SERVICES}
ZONES = {site: ZoneInfo(zone) for site, *_, zone in SITES}
WHY_CANCELLED = (("pat", "Patient"), ("prov", "Provider"))
Status = Appointment.Status
Option: TypeAlias = tuple[FoundTime, str]  # a time, and the FHIR id of the service that could be given then


@dataclass(frozen=True, kw_only=True)
class Visit:
    service: HealthcareService
    time: FoundTime
    patient: Patient
    status: str
    seat: int | None = None
    comment: str = ""

    @property
    def takes_time(self) -> bool:
        return self.status != Status.CANCELLED

    def slots(self, now: datetime) -> list[Slot]:
        seats = {each.schedule: self.seat for each in self.time.offerings}
        taken = slots_of(self.time.offerings, as_datetime(self.time.start), Slot.Status.BUSY, seats)
        return [
            Slot(
                schedule_id=each.schedule,
                status=each.status,
                start=each.start,
                end=each.end,
                seat=each.seat,
                comment=each.comment,
                last_updated=now,
            )
            for each in taken
        ]


class DemoVisits:
    """Fills the calendars of `rows`. Runs inside `booking.all_or_nothing`."""

    def __init__(self, rows: DemoRows) -> None:
        self.rows = rows
        self.now = rows.now.replace(microsecond=0)
        self.random = Random(5)
        self.client = Caller(client=CLIENT_ID, scopes=("system/*.cruds",))
        patients = {each.fhir_id: each for each in Patient.objects.order_by("pk")}
        self.named = patients
        self.others = [each for each in patients.values() if each.user_id is None]
        self.engagements: dict[int, list[Span]] = {each.pk: [] for each in self.others}
        self.count = 0

    def fill(self) -> int:
        """Write it all; the number of appointments."""
        self._block()
        for visit in VISITS:
            self._write([self._named_visit(*visit)])
        for practitioner in PRACTITIONERS:
            for calendar in practitioner.calendars:
                self._write(list(self._visits(calendar)))
        return self.count

    def _block(self) -> None:
        """Lunches and meetings, and a Saturday morning of one doctor's own accord."""
        slots = [
            self._slot(schedule, day, opens, closes, Slot.Status.BUSY_UNAVAILABLE, why)
            for schedule, days, opens, closes, why in BLOCKED
            for day in range(-PAST.days, AHEAD.days)
            if self._weekday(schedule, day) in days.split()
        ]
        saturday = next(day for day in range(2, 9) if self._weekday("chen", day) == "sat")
        slots.append(self._slot("chen", saturday, "09:00", "12:00", Slot.Status.FREE, "Saturday clinic"))
        _all_written(slots)

    def _weekday(self, schedule: str, day: int) -> str:
        today = local_date(int(self.now.timestamp()), self._zone(schedule))
        return WEEKDAYS[(today + timedelta(days=day)).weekday()]

    def _slot(self, schedule: str, day: int, opens: str, closes: str, status: str, comment: str) -> Slot:
        zone = self._zone(schedule)
        date = local_date(int(self.now.timestamp()), zone) + timedelta(days=day)
        return Slot(
            schedule=self.rows.schedules[schedule],
            status=status,
            start=as_datetime(instant(date, time.fromisoformat(opens), zone)),
            end=as_datetime(instant(date, time.fromisoformat(closes), zone)),
            comment=comment,
            last_updated=self.now,
        )

    def _zone(self, schedule: str) -> ZoneInfo:
        site = self.rows.schedules[schedule].site
        assert site is not None  # all of the demo's have one
        return ZONES[site.fhir_id]

    def _named_visit(self, patient: str, service: str, practitioner: str, days: int, status: str) -> Visit:
        """The first that can be had from that day on."""
        calendars = next(each.calendars for each in PRACTITIONERS if each.id == practitioner)
        start = self.now + timedelta(days=days)
        found = next(iter(self._times(service, calendars[0], start, start + WEEK)))
        return self._visit(service, found, self.named[patient], status)

    def _visits(self, calendar: Calendar) -> Iterator[Visit]:
        """As many as fit, of which those of `FULLNESS` have come about."""
        offered = [
            (found, service)
            for service in calendar.services
            for found in self._times(service, calendar, self.now - PAST, self.now + AHEAD)
        ]
        for found, service in self._one_after_the_other(offered):
            week = (as_datetime(found.start) - self.now + PAST) // WEEK
            if self.random.random() < FULLNESS[week]:
                yield from self._come_about(found, service)

    def _times(self, service: str, calendar: Calendar, start: datetime, end: datetime) -> list[FoundTime]:
        schedule = self.rows.schedules[calendar.id]
        row = self.rows.services[service]
        ways = arrangements_for(row, practitioner=schedule.bookable.practitioner_id, site=schedule.site_id)
        query = TimeQuery(service=row, arrangements=ways, start=start, end=end)
        return find_times(query, now=self.now - PAST - WEEK)  # as who booked them a while ago

    def _one_after_the_other(self, offered: list[Option]) -> Iterator[Option]:
        """Times that leave each other room, buffers included; where several services could start, one of them."""
        free_from = 0
        for start, options in groupby(sorted(offered, key=_start), key=_start):
            found, service = self._one_of(list(options))
            rules = found.offerings[0].rules
            if start - rules.buffer_before >= free_from:
                free_from = found.end + rules.buffer_after
                yield found, service

    def _one_of(self, options: list[Option]) -> Option:
        """The longer, the likelier: a day is not all quarters of an hour."""
        return self.random.choices(options, [found.end - found.start for found, _ in options])[0]

    def _come_about(self, found: FoundTime, service: str) -> Iterator[Visit]:
        if found.offerings[0].rules.capacity == 1:
            yield self._visit(service, found, self._patient(found), self._status(found))
            return
        for seat in range(self.random.choice(CLASS_SIZES)):
            yield self._visit(service, found, self._patient(found), self._status(found, cancelled=0), seat)

    def _visit(self, service: str, found: FoundTime, patient: Patient, status: str, seat: int | None = None) -> Visit:
        return Visit(
            service=self.rows.services[service],
            time=found,
            patient=patient,
            status=status,
            seat=seat,
            comment=self.random.choice(REASONS[service]),
        )

    def _patient(self, found: FoundTime) -> Patient:
        """Somebody who is nowhere else then."""
        free = [each for each in self.others if not _is_engaged(self.engagements[each.pk], found)]
        patient = self.random.choice(free)
        self.engagements[patient.pk].append((found.start, found.end))
        return patient

    def _status(self, found: FoundTime, *, cancelled: float = CANCELLED) -> str:
        chance = self.random.random()
        if chance < cancelled:
            return Status.CANCELLED
        if as_datetime(found.end) <= self.now:
            return Status.NOSHOW if chance > 1 - NOSHOW else Status.FULFILLED
        return Status.ARRIVED if as_datetime(found.start) <= self.now else Status.BOOKED

    def _write(self, visits: list[Visit]) -> None:
        """All their Slots at once, then each appointment with its own."""
        slots = {id(visit): visit.slots(self.now) if visit.takes_time else [] for visit in visits}
        _all_written([slot for each in slots.values() for slot in each])
        for visit in visits:
            self._record(visit, [slot.pk for slot in slots[id(visit)]])
        self.count += len(visits)

    def _record(self, visit: Visit, slots: list[int]) -> None:
        start, end = as_datetime(visit.time.start), as_datetime(visit.time.end)
        booked = min(start, self.now) - timedelta(minutes=self.random.randrange(60, 9 * 24 * 60))
        participants = participants_of(visit.time.offerings, visit.patient, "accepted")
        reason = None
        if visit.status == Status.CANCELLED:
            participants = [declined(each) for each in participants]
            code, display = self.random.choice(WHY_CANCELLED)
            reason = {"coding": [{"system": CANCELLATION_REASON, "code": code, "display": display}]}
        appointment = Appointment(
            status=visit.status,
            service=visit.service,
            patient=visit.patient,
            site_id=next(each.site for each in visit.time.offerings if each.site is not None),
            start=start,
            end=end,
            created=booked,
            comment=visit.comment,
            participant=participants,
            cancelation_reason=reason,
        )
        booking.record(appointment, slots, caller=self.client, now=min(self.now, max(booked, end)))


def _start(option: Option) -> int:
    return option[0].start


def _is_engaged(engagements: list[Span], found: FoundTime) -> bool:
    return any(start < found.end and found.start < end for start, end in engagements)


def _all_written(slots: Iterable[Slot]) -> None:
    if booking.write_slots(list(slots)):
        raise TimeTaken("The demo's calendars contradict each other.")
