"""Patients, staff and times of the booking tests.

Holds expire by the database's clock, so these tests run in the present: their visits are in the week after next.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from threading import Barrier
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, HealthcareService, Patient, Schedule
from scheduling import availability, booking
from scheduling.access import Caller
from scheduling.booking import BookingRequest
from scheduling.errors import SchedulingError

NEW_YORK = ZoneInfo("America/New_York")
# One day for the whole run, which may last past midnight: modules make times of it when they are imported.
TODAY = timezone.now().astimezone(NEW_YORK).date()
SOFTWARE = Caller(client="software", scopes=("system/*.cruds",))
T = TypeVar("T")


def monday(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    """A time of the Monday of the week after next, or of `days` later, in New York."""
    day = TODAY + timedelta(days=14 - TODAY.weekday() + days)
    return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(ZoneInfo("UTC"))


def wish(
    service: HealthcareService, *schedules: Schedule, at: datetime, patient: Patient | None = None
) -> BookingRequest:
    offerings = availability.offerings_of(service, [schedule.fhir_id for schedule in schedules])
    return BookingRequest(service=service, offerings=tuple(offerings), start=at, patient=patient)


def book(request: BookingRequest, caller: Caller = SOFTWARE) -> Appointment:
    return booking.book(request, caller=caller, now=timezone.now())


def hold(request: BookingRequest, caller: Caller = SOFTWARE, *, lasting: timedelta | None = None) -> Appointment:
    return booking.hold(request, caller=caller, now=timezone.now(), lasting=lasting)


def run_out(held: Appointment) -> Appointment:
    """Let the hold expire just now, by the database's clock too, as if it had been made earlier."""
    over = timezone.now() - timedelta(milliseconds=1)
    held.slots.update(blocks_from=over - settings.HOLD_FOR, hold_expires_at=over)
    Appointment.objects.filter(pk=held.pk).update(hold_expires_at=over)
    held.refresh_from_db()
    return held


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | SchedulingError]:
    """Run all functions at one moment, each in a thread and on a connection of its own. A refusal is returned as a
    result.

    The connections are opened before that moment, since on a busy machine opening one can take longer than a race.
    """
    start = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T | SchedulingError:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            return act()
        except SchedulingError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@contextmanager
def another_connection() -> Iterator[Callable[[str], None]]:
    """A function that runs statements on one other connection, in their order."""
    with ThreadPoolExecutor(1) as thread:

        def execute(sql: str) -> None:
            with connection.cursor() as cursor:
                cursor.execute(sql)

        yield lambda sql: thread.submit(execute, sql).result(timeout=20)
        thread.submit(lambda: connection.close()).result(timeout=20)


@contextmanager
def impatient() -> Iterator[None]:
    """Wait for a lock for a moment only, where a test has somebody else keep it."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
        yield
        cursor.execute("RESET lock_timeout")
