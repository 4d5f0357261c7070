"""A clinic with a full week: practitioners, rooms, services, patients, and their visits, groups and blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clinic.models import (
    Appointment,
    Bookable,
    HealthcareService,
    Location,
    Patient,
    Practitioner,
    Schedule,
    SchedulingParameters,
    Slot,
)

ZONE = ZoneInfo("America/New_York")
VISIT = timedelta(minutes=20)
OPENS, LUNCH, LUNCH_ENDS, CLOSES = time(8), time(12), time(13), time(17)
HOURS = [
    {
        "daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "availableStartTime": "08:00:00",
        "availableEndTime": "17:00:00",
    }
]
SERVICES = ("Check-up", "Follow-up", "Blood test", "Vaccination", "Skin check", "Physiotherapy", "Diabetes review")
GROUP_SERVICE, GROUP_SEATS, GROUP_TAKEN = "Back exercise in a group", 8, 5
GIVEN = ("Elena", "Felix", "Yuki", "Amara", "Tom", "Ingrid", "Mateo", "Zoë", "Noor", "Kwame", "Lucía", "Pavel")
FAMILY = ("Marquez", "Turner", "Petrov", "Okafor", "Lindqvist", "van den Berg", "Rossi", "Nguyễn", "Haddad", "O'Brien")
PATIENTS = 1_000


@dataclass(frozen=True, kw_only=True)
class FullClinic:
    """The rows that a page is asked about. `services` ends with the one that is given to a group."""

    site: Location
    services: list[HealthcareService]
    calendars: list[Schedule]  # of the practitioners


def fill(practitioners: int, days: list[date], *, now: datetime, every_minutes: int = 20) -> FullClinic:
    """24 visits of each practitioner on each of the days, every second one in a room, and a block at lunch.

    The first practitioner gives the last two visits of each day to a group. A visit can start `every_minutes`.
    """
    site = Location.objects.create(
        name="Riverside Main Street", timezone=ZONE.key, phone="+12125550100", last_updated=now
    )
    services = [_service(name, now, every_minutes) for name in SERVICES]
    group = _service(GROUP_SERVICE, now, every_minutes, capacity=GROUP_SEATS)
    people = Practitioner.objects.bulk_create(
        Practitioner(given=GIVEN[n % 12], family=f"{FAMILY[n % 10]} {n + 1}", prefix="Dr.", last_updated=now)
        for n in range(practitioners)
    )
    rooms = Location.objects.bulk_create(
        Location(name=f"Room {n + 1}", part_of=site, timezone=ZONE.key, last_updated=now) for n in range(practitioners)
    )
    times = [
        *Bookable.objects.bulk_create(Bookable(practitioner=each) for each in people),
        *Bookable.objects.bulk_create(Bookable(location=each) for each in rooms),
    ]
    schedules = Schedule.objects.bulk_create(
        Schedule(bookable=each, site=site, offers_all_services=True, last_updated=now) for each in times
    )
    patients = Patient.objects.bulk_create(
        Patient(
            given=GIVEN[n % 12],
            family=FAMILY[n % 10],
            birth_date=date(1940 + n % 80, 1 + n % 12, 1 + n % 28),
            phone=f"+1212555{n:04}",
            email=f"patient{n}@example.com",
            last_updated=now,
        )
        for n in range(PATIENTS)
    )
    clinic = FullClinic(site=site, services=[*services, group], calendars=schedules[:practitioners])
    _write(list(_visits(clinic, schedules[practitioners:], patients, days, now)))
    _block_lunch(clinic.calendars, days, now)
    return clinic


def book_up(calendars: list[Schedule], days: list[date], *, now: datetime) -> None:
    """Book all time of these days, but for one visit in 200."""
    starts = [start for day in days for start in _starts(day)]
    Slot.objects.bulk_create(
        (
            Slot(
                schedule=calendar,
                bookable=calendar.bookable,
                status=Slot.Status.BUSY,
                start=start,
                end=start + VISIT,
                last_updated=now,
            )
            for m, calendar in enumerate(calendars)
            for n, start in enumerate(starts)
            if (m * len(starts) + n) % 200
        ),
        batch_size=2_000,
    )
    _block_lunch(calendars, days, now)


def _service(name: str, now: datetime, every_minutes: int, capacity: int | None = None) -> HealthcareService:
    service = HealthcareService.objects.create(name=name, last_updated=now)
    SchedulingParameters.objects.create(
        service=service, duration=20, alignment_interval=every_minutes, slot_capacity=capacity, availability=HOURS
    )
    return service


def _visits(
    clinic: FullClinic, rooms: list[Schedule], patients: list[Patient], days: list[date], now: datetime
) -> Iterator[tuple[Appointment, list[Slot]]]:
    number = 0
    for day in days:
        starts = list(_starts(day))
        for calendar, room in zip(clinic.calendars, rooms, strict=True):
            in_groups = starts[-2:] if calendar == clinic.calendars[0] else []
            for start in starts:
                seats = range(GROUP_TAKEN) if start in in_groups else (None,)
                for seat in seats:
                    number += 1
                    service = clinic.services[-1] if in_groups and start in in_groups else clinic.services[number % 7]
                    patient = patients[number * 7 % len(patients)]
                    used = [calendar, room] if number % 2 and seat is None else [calendar]
                    yield _visit(clinic.site, service, patient, start, used, seat, now)


def _starts(day: date) -> Iterator[datetime]:
    for opens, closes in ((OPENS, LUNCH), (LUNCH_ENDS, CLOSES)):
        start, end = datetime.combine(day, opens, ZONE), datetime.combine(day, closes, ZONE)
        while start < end:
            yield start.astimezone(UTC)
            start += VISIT


def _visit(
    site: Location,
    service: HealthcareService,
    patient: Patient,
    start: datetime,
    calendars: list[Schedule],
    seat: int | None,
    now: datetime,
) -> tuple[Appointment, list[Slot]]:
    actors = [patient, *(each.bookable.actor for each in calendars)]
    visit = Appointment(
        status=_status(start, patient.pk, now),
        service=service,
        patient=patient,
        site=site,
        start=start,
        end=start + VISIT,
        created=now - timedelta(days=7),
        last_updated=now - timedelta(days=1),
        participant=[
            {"actor": {"reference": each.reference, "display": str(each)}, "status": "accepted"} for each in actors
        ],
    )
    slots = [
        Slot(
            schedule=each,
            bookable=each.bookable,
            appointment=visit,
            status=Slot.Status.BUSY,
            start=start,
            end=start + VISIT,
            seat=seat,
            last_updated=now - timedelta(days=1),
        )
        for each in calendars
    ]
    return visit, slots


def _status(start: datetime, number: int, now: datetime) -> Appointment.Status:
    """The status of a visit during a day: one in twelve does not come, those who came are done after half an hour."""
    Status = Appointment.Status
    if start > now + VISIT:
        return Status.BOOKED
    if start > now:
        return Status.ARRIVED if number % 2 else Status.BOOKED
    if number % 12 == 0:
        return Status.NOSHOW
    return Status.CHECKED_IN if start > now - VISIT else Status.FULFILLED


def _write(visits: list[tuple[Appointment, list[Slot]]]) -> None:
    Appointment.objects.bulk_create((visit for visit, _ in visits), batch_size=2_000)
    Slot.objects.bulk_create((slot for _, slots in visits for slot in slots), batch_size=2_000)


def _block_lunch(calendars: list[Schedule], days: list[date], now: datetime) -> None:
    Slot.objects.bulk_create(
        Slot(
            schedule=calendar,
            bookable=calendar.bookable,
            status=Slot.Status.BUSY_UNAVAILABLE,
            start=datetime.combine(day, LUNCH, ZONE),
            end=datetime.combine(day, LUNCH_ENDS, ZONE),
            comment="Lunch",
            last_updated=now,
        )
        for calendar in calendars
        for day in days
    )
