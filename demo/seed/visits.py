"""The demo's visits: what its calendars hold from a fortnight ago to four weeks from now.

Every time comes from the engine and every Slot goes through the use cases; chance is seeded, so that the same
moment makes the same clinic. What a service requires, its visits have.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import cycle, groupby
from random import Random
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from clinic.fhir.codes import BLOCK, BLOCK_OCCASION, CANCELLATION_REASON
from clinic.models import WEEKDAYS, Appointment, CareTeam, Coverage, HealthcareService, Patient, Slot
from demo.seed import payments, traces, waits
from demo.seed.organization import SERVICES, SITES
from demo.seed.people import CLIENT_ID, VISITS
from demo.seed.practitioners import BLOCKED, OPEN_TODAY, PRACTITIONERS, Calendar
from demo.seed.rows import DemoRows
from scheduling import booking
from scheduling.access import Caller
from scheduling.availability import FoundTime, TimeQuery, arrangements_for, as_datetime, find_times, ways_of
from scheduling.booking.former_holds import SUPPORTING
from scheduling.booking.request import participants_of
from scheduling.booking.slots import slots_of
from scheduling.core.hours import instant, local_date
from scheduling.core.intervals import Span
from scheduling.errors import TimeTaken
from scheduling.participants import declined

PAST, AHEAD = timedelta(days=14), timedelta(days=28)
WEEK = timedelta(days=7)
FREE_BY = timedelta(days=13)  # each calendar's last day until then is free: every service can be had in a fortnight
DAYTIME = time(8), time(18)
FULLNESS = (0.65, 0.65, 0.65, 0.55, 0.45, 0.35)  # week by week; people book late
TODAY = 0.85
CANCELLED, COMES = 0.06, 0.5  # of all; of tomorrow's, who have said that they come
MISSED_OF = 12  # visits, of which one is missed
EARLY, SEEN = timedelta(minutes=30), timedelta(minutes=5)  # when some come before the visit, and are seen into it
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
        seats = {each.schedule: [self.seat] for each in self.time.offerings}
        return slots_of(self.time.offerings, as_datetime(self.time.start), Slot.Status.BUSY, seats, now=now)


class DemoVisits:
    """Fills the calendars of `rows`. Runs inside `booking.all_or_nothing`."""

    def __init__(self, rows: DemoRows) -> None:
        self.rows = rows
        self.now = rows.now.replace(microsecond=0)
        self.random = Random(5)
        self.client = Caller(client=CLIENT_ID, scopes=("system/*.cruds",))
        patients = {each.fhir_id: each for each in Patient.objects.order_by("pk")}
        self.named = patients
        named = {patient for patient, *_ in VISITS}
        self.others = [each for each in patients.values() if each.fhir_id not in named]
        self.coverages = {each.beneficiary_id: each for each in Coverage.objects.all()}
        in_care = set(CareTeam.objects.values_list("patient_id", flat=True))
        self.suited = {
            "physiotherapy": [each for each in self.others if each.pk in self.coverages],
            "diabetes-check": [each for each in self.others if each.pk in in_care],
        }
        self.engagements: dict[int, list[Span]] = {each.pk: [] for each in self.others}
        # Those of today apart, so that each site's day has one as soon as visits are over.
        self.misses: dict[tuple[int | None, bool], Iterator[bool]] = defaultdict(
            lambda: cycle([True] + [False] * (MISSED_OF - 1))
        )
        self.is_early = cycle([True, False])
        self.written: list[Appointment] = []

    def fill(self) -> int:
        """Write it all; the number of appointments."""
        self._block()
        for visit in VISITS:
            self._write([self._named_visit(*visit)])
        named = self.written.copy()
        for practitioner in PRACTITIONERS:
            for calendar in practitioner.calendars:
                self._write(list(self._visits(calendar)))
        payments.pay(self.written, now=self.now)
        traces.leave(self.written, named, now=self.now, random=self.random)
        waits.leave(named, self.others, self.rows.services["follow-up"], caller=self.client, now=self.now)
        return len(self.written)

    def _block(self) -> None:
        """Lunches and meetings, and a Saturday morning of one doctor's own accord."""
        slots = [
            self._slot(schedule, day, opens, closes, Slot.Status.BUSY_UNAVAILABLE, why, number)
            for number, (schedule, days, opens, closes, why) in enumerate(BLOCKED, start=1)
            for day in range(-PAST.days, AHEAD.days)
            if self._weekday(schedule, day) in days.split()
        ]
        saturday = next(day for day in range(2, 9) if self._weekday("chen", day) == "sat")
        slots.append(self._slot("chen", saturday, "09:00", "12:00", Slot.Status.FREE, "Saturday clinic"))
        slots += self._open_today()
        _all_written(slots)

    def _open_today(self) -> list[Slot]:
        """Extra time today at the sites where nobody works today, such as on a Sunday."""
        open_sites = {
            self._site(calendar.id)
            for practitioner in PRACTITIONERS
            for calendar in practitioner.calendars
            if self._works_today(calendar)
        }
        return [
            self._slot(schedule, 0, opens, closes, Slot.Status.FREE, "Extra clinic")
            for schedule, opens, closes in OPEN_TODAY
            if self._site(schedule) not in open_sites
        ]

    def _works_today(self, calendar: Calendar) -> bool:
        """True if a visit by day could start on the calendar today."""
        zone = self._zone(calendar.id)
        today = local_date(int(self.now.timestamp()), zone)
        opens, closes = (as_datetime(instant(today, hour, zone)) for hour in DAYTIME)
        return any(self._times(service, calendar, opens, closes) for service in calendar.services)

    def _weekday(self, schedule: str, day: int) -> str:
        today = local_date(int(self.now.timestamp()), self._zone(schedule))
        return WEEKDAYS[(today + timedelta(days=day)).weekday()]

    def _slot(
        self, schedule: str, day: int, opens: str, closes: str, status: str, comment: str, block: int = 0
    ) -> Slot:
        """Return the Slot of a visit; with `block`, an occasion of the block of that number."""
        zone = self._zone(schedule)
        date = local_date(int(self.now.timestamp()), zone) + timedelta(days=day)
        return Slot(
            schedule=self.rows.schedules[schedule],
            status=status,
            start=as_datetime(instant(date, time.fromisoformat(opens), zone)),
            end=as_datetime(instant(date, time.fromisoformat(closes), zone)),
            comment=comment,
            identifier=_of_block(block, f"{date}") if block else [],
            last_updated=self.now,
        )

    def _site(self, schedule: str) -> str:
        site = self.rows.schedules[schedule].site
        assert site is not None  # all of the demo's have one
        return site.fhir_id

    def _zone(self, schedule: str) -> ZoneInfo:
        return ZONES[self._site(schedule)]

    def _named_visit(self, patient: str, service: str, practitioner: str, days: int, status: str) -> Visit:
        """The first that can be had from that day on."""
        calendars = next(each.calendars for each in PRACTITIONERS if each.id == practitioner)
        start = self.now + timedelta(days=days)
        found = next(iter(self._times(service, calendars[0], start, start + WEEK)))
        return self._visit(service, found, self.named[patient], status)

    def _visits(self, calendar: Calendar) -> Iterator[Visit]:
        """Yield visits that fit into the calendar, at the shares of `FULLNESS`."""
        options = [
            (found, service)
            for service in calendar.services
            for found in self._times(service, calendar, self.now - PAST, self.now + AHEAD)
        ]
        days = [(found, local_date(found.start, self._zone(calendar.id))) for found, _ in options]
        last = int((self.now + FREE_BY).timestamp())
        free_day = max((day for found, day in days if found.start < last), default=None)
        for found, service in self._one_after_the_other(options):
            is_free = local_date(found.start, self._zone(calendar.id)) == free_day and not self._is_today(found)
            if not is_free and self.random.random() < self._fullness(found, calendar):
                yield from self._come_about(found, service)

    def _is_today(self, found: FoundTime) -> bool:
        zone = found.offerings[0].zone
        return local_date(found.start, zone) == local_date(int(self.now.timestamp()), zone)

    def _fullness(self, found: FoundTime, calendar: Calendar) -> float:
        if self._is_today(found):
            return TODAY
        return FULLNESS[(as_datetime(found.start) - self.now + PAST) // WEEK]

    def _times(self, service: str, calendar: Calendar, start: datetime, end: datetime) -> list[FoundTime]:
        schedule = self.rows.schedules[calendar.id]
        row = self.rows.services[service]
        ways = arrangements_for(row, practitioner=schedule.bookable.practitioner_id, site=schedule.site_id)
        query = TimeQuery(ways=ways_of(row, ways), start=start, end=end)
        return find_times(query, now=self.now - PAST - WEEK)  # as who booked them a while ago

    def _one_after_the_other(self, options: list[Option]) -> Iterator[Option]:
        """Times that leave each other room, buffers included; where several services could start, one of them."""
        free_from = 0
        for start, at_once in groupby(sorted(options, key=_start), key=_start):
            found, service = self._one_of(list(at_once))
            rules = found.offerings[0].rules
            if start - rules.buffer_before >= free_from:
                free_from = found.end + rules.buffer_after
                yield found, service

    def _one_of(self, options: list[Option]) -> Option:
        """The longer, the likelier: a day is not all quarters of an hour."""
        return self.random.choices(options, [found.end - found.start for found, _ in options])[0]

    def _come_about(self, found: FoundTime, service: str) -> Iterator[Visit]:
        if found.offerings[0].rules.capacity == 1:
            patient = self._patient(found, service)
            if patient is not None:
                yield self._visit(service, found, patient, self._status(found))
            return
        for seat in range(self.random.choice(CLASS_SIZES)):
            patient = self._patient(found, service)
            if patient is not None:
                yield self._visit(service, found, patient, self._status(found, cancelled=0), seat)

    def _visit(self, service: str, found: FoundTime, patient: Patient, status: str, seat: int | None = None) -> Visit:
        return Visit(
            service=self.rows.services[service],
            time=found,
            patient=patient,
            status=status,
            seat=seat,
            comment=self.random.choice(REASONS[service]),
        )

    def _patient(self, found: FoundTime, service: str) -> Patient | None:
        """Somebody who is nowhere else then and has what the service requires, if there is anybody."""
        suited = self.suited.get(service, self.others)
        for patient in self.random.sample(suited, len(suited)):
            if not _is_engaged(self.engagements[patient.pk], found):
                self.engagements[patient.pk].append((found.start, found.end))
                return patient
        return None

    def _status(self, found: FoundTime, *, cancelled: float = CANCELLED) -> str:
        """The status of a visit by now; some of each kind, so that every day has each of them."""
        start, end = as_datetime(found.start), as_datetime(found.end)
        if self.random.random() < cancelled:
            return Status.CANCELLED
        if end <= self.now:
            is_missed = next(self.misses[found.offerings[0].site, self._is_today(found)])
            return Status.NOSHOW if is_missed else Status.FULFILLED
        if start <= self.now:
            return Status.CHECKED_IN if start <= self.now - SEEN else Status.ARRIVED
        is_there = start <= self.now + EARLY and next(self.is_early)
        return Status.ARRIVED if is_there else Status.BOOKED

    def _write(self, visits: list[Visit]) -> None:
        recorded = [(self._appointment(each), each.slots(self.now) if each.takes_time else []) for each in visits]
        booking.record_all(recorded, caller=self.client, now=self.now)
        self.written += [appointment for appointment, _ in recorded]

    def _appointment(self, visit: Visit) -> Appointment:
        start, end = as_datetime(visit.time.start), as_datetime(visit.time.end)
        booked = min(start, self.now) - timedelta(minutes=self.random.randrange(60, 9 * 24 * 60))
        participants = participants_of(visit.time.offerings, [visit.patient], "accepted")
        reason = None
        if visit.status == Status.CANCELLED:
            participants = [declined(each) for each in participants]
            code, display = self.random.choice(WHY_CANCELLED)
            reason = {"coding": [{"system": CANCELLATION_REASON, "code": code, "display": display}]}
        return Appointment(
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
            attendance_confirmed=self._confirmed(visit, start),
            extra=self._resting_on(visit),
            has_payment=payments.is_paid(visit.service, visit.status),
        )

    def _confirmed(self, visit: Visit, start: datetime) -> datetime | None:
        """The time at which the patient answered the reminder of two days before."""
        is_near = self.now < start < self.now + timedelta(days=2)
        if visit.status != Status.BOOKED or not is_near or self.random.random() > COMES:
            return None
        return self.now - timedelta(minutes=self.random.randrange(5, 50))

    def _resting_on(self, visit: Visit) -> dict[str, Any]:
        if not visit.service.requires_coverage:
            return {}
        return {SUPPORTING: [{"reference": self.coverages[visit.patient.pk].reference}]}


def _of_block(number: int, day: str) -> list[dict[str, str]]:
    """The identifiers that the occasions of a block share, and those that the Slots of one occasion share."""
    block = f"demo-{number}"
    return [{"system": BLOCK, "value": block}, {"system": BLOCK_OCCASION, "value": f"{block}-{day}"}]


def _start(option: Option) -> int:
    return option[0].start


def _is_engaged(engagements: list[Span], found: FoundTime) -> bool:
    return any(start < found.end and found.start < end for start, end in engagements)


def _all_written(slots: Iterable[Slot]) -> None:
    if booking.write_slots(list(slots)):
        raise TimeTaken("The demo's calendars contradict each other.")
