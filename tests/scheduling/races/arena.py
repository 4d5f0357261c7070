"""Helpers for races: threads that meet at one moment, or one in the middle of another, and checks of the outcome.

Each race has its control: the same race without the guard, which goes wrong. Triggers that sleep make the moments long
enough for all threads to meet.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial

from django.db import Error, connection
from django.utils import timezone

from clinic.models import HealthcareService, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import BlockRequest
from tests.factories import DeviceFactory, RoomFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import SOFTWARE

ALWAYS_OPEN = [{"daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "allDay": True}]
GUEST = Caller(guest="a-secret-of-this-browser")
WORKER = "a worker that is killed"  # the name of its connection
A_MOMENT, STEP, AT_LONGEST = 0.3, 0.02, 0.9  # seconds


# A write takes A_MOMENT. One of a whole statement goes on until another session is in such a write too or waits for a
# lock, for at most AT_LONGEST, since on a busy machine a thread may be late.
SLOW_FUNCTION = f"""
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep({A_MOMENT});
        FOR step IN 1..{round((AT_LONGEST - A_MOMENT) / STEP)} LOOP
            EXIT WHEN TG_LEVEL = 'ROW';
            PERFORM pg_stat_clear_snapshot();
            EXIT WHEN EXISTS (
                SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
                    AND (wait_event = 'PgSleep' OR wait_event_type = 'Lock')
            );
            PERFORM pg_sleep({STEP});
        END LOOP;
        RETURN NEW;
    END $$
"""


@contextmanager
def slow(table, what="UPDATE", *, each="STATEMENT"):
    """Make every write to the table take a moment, and wait for another one."""
    with connection.cursor() as cursor:
        cursor.execute(SLOW_FUNCTION)
        cursor.execute(f"CREATE TRIGGER slow BEFORE {what} ON {table} FOR EACH {each} EXECUTE FUNCTION slow()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION slow CASCADE")


def later(act):
    """A function that runs `act` once another thread is in the middle of its work."""

    def wait_and_act():
        with connection.cursor() as cursor:
            for _ in range(1000):
                cursor.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
                )
                if cursor.fetchone():
                    break
                threading.Event().wait(0.005)
        return act()

    return wait_and_act


def killed_worker(work: Callable[[], None], done: threading.Event) -> Callable[[], None]:
    """A worker that does `work` again and again until `done`. Its connection is cut at any moment by `killer`."""

    def act() -> None:
        while not done.is_set():
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('application_name', %s, false)", [WORKER])
                work()
            except Error:
                _end_connection()
            done.wait(0.01)
        _end_connection()

    return act


def _end_connection() -> None:
    """End the session of this thread, which would keep its name in the pool and be cut as the session of another."""
    if connection.connection is not None:
        connection.connection.close()
    connection.close()


def killer(done: threading.Event, kills: int) -> Callable[[], None]:
    """A function that cuts the connection of a busy worker so many times, as when its process is killed."""

    def act() -> None:
        chance = random.Random(13)
        for _ in range(kills):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
                    " AND datname = current_database() AND state <> 'idle' ORDER BY random() LIMIT 1",
                    [WORKER],
                )
            done.wait(chance.uniform(0.02, 0.2))

    return act


def do(use_case: Callable, appointment, *args, caller=SOFTWARE, **named):
    return partial(
        lambda: use_case(appointment.fhir_id, *args, caller=caller, now=timezone.now(), **named),
    )


def standing(appointment):
    """The Slots that count."""
    slots = Slot.objects.filter(appointment=appointment, deleted_at=None)
    return list(slots.order_by("pk").values_list("status", "start"))


def kinds(outcomes):
    return Counter(type(each) for each in outcomes)


def ultrasound():
    """A visit that takes a practitioner, a room and a device together."""
    service = ServiceFactory(
        hours=ALWAYS_OPEN, interval=30, buffer_before=5, requires=list(HealthcareService.ActorType.values)
    )
    return service, [
        ScheduleFactory(services=[service]),
        ScheduleFactory(services=[service], actor=RoomFactory()),
        ScheduleFactory(services=[service], actor=DeviceFactory()),
    ]


def overlaps():
    """The number of pairs of rows on the same time of the same seat, without blocks: it must always be 0."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM clinic_slot a JOIN clinic_slot b
            ON a.id < b.id AND a.bookable_id = b.bookable_id AND a.start < b."end" AND b.start < a."end"
            AND tstzrange(a.blocks_from, a.hold_expires_at) && tstzrange(b.blocks_from, b.hold_expires_at)
            AND int4range(coalesce(a.seat, 0), a.seat + 1) && int4range(coalesce(b.seat, 0), b.seat + 1)
            WHERE a.status LIKE 'busy%%' AND b.status LIKE 'busy%%'
            AND NOT a.lies_under AND NOT b.lies_under AND a.deleted_at IS NULL AND b.deleted_at IS NULL
            """
        )
        return cursor.fetchone()[0]


@contextmanager
def without_the_constraint():
    constraint = next(each for each in Slot._meta.constraints if each.name == "slot_never_sold_twice")
    with connection.schema_editor() as editor:
        editor.remove_constraint(Slot, constraint)
    try:
        yield
    finally:
        Slot.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Slot, constraint)


def block(schedule, start, end, caller, *, around=True):
    request = BlockRequest(
        schedule=schedule,
        occasions=((int(start.timestamp()), int(end.timestamp())),),
        comment="Leave",
        around=around,
    )
    return booking.block(request, caller=caller, now=timezone.now())
