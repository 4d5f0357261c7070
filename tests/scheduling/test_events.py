"""The feed of visit events: what happened to each visit, for consumers that each keep their own place."""

import random
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Event
from time import sleep

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic import retention
from clinic.models import Appointment, EventConsumer, VisitEvent
from scheduling import booking, events
from scheduling.booking import RescheduleRequest
from tests.factories import AppointmentFactory
from tests.scheduling.situations import SOFTWARE, another_connection, at_once, book, hold, monday, run_out, wish

pytestmark = pytest.mark.django_db
CONSUMER = "billing"
TOGGLE = """
    UPDATE clinic_appointment
    SET status = CASE status WHEN 'booked' THEN 'noshow' ELSE 'booked' END, version = version + 1
    WHERE id = %s
"""


@pytest.fixture
def feed():
    """A consumer that has joined the feed."""
    events.join(CONSUMER)


@pytest.fixture
def visit(feed, service, chen, ada):
    """A booked visit, whose booking has been read."""
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    assert kinds() == ["booked"]
    return visit


def on_own_connection(act: Callable[[], None]) -> Callable[[], None]:
    """The function, which closes its thread's connection in the end."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    return run


def kinds(consumer: str = CONSUMER) -> list[str]:
    return [event.kind for event in events.collect(consumer)]


def step(visit: Appointment, *statuses: str, **changes) -> None:
    """Give the visit these statuses, one after the other, as a correction by hand does."""
    for status in statuses:
        changed = Appointment.objects.filter(pk=visit.pk)
        changed.update(status=status, version=changed.get().version + 1, last_updated=timezone.now(), **changes)


def test_an_event_names_the_visit_its_version_and_its_time(feed, service, chen, ada):
    now = timezone.now()
    visit = booking.book(wish(service, chen, at=monday(10), patient=ada), caller=SOFTWARE, now=now)
    (event,) = events.collect(CONSUMER)
    assert (event.kind, event.version, event.occurred) == ("booked", 1, now)
    assert (event.appointment, event.appointment.patient, event.appointment.service) == (visit, ada, service)


def test_a_hold_is_no_event_until_it_is_confirmed(feed, service, chen, ada):
    run_out(hold(wish(service, chen, at=monday(9), patient=ada)))
    booking.release_expired_holds(now=timezone.now())
    released = hold(wish(service, chen, at=monday(11), patient=ada))
    booking.cancel(released.fhir_id, caller=SOFTWARE, now=timezone.now())
    held = hold(wish(service, chen, at=monday(10), patient=ada))
    assert kinds() == []
    booking.confirm(held.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert kinds() == ["booked"]


def test_a_request_is_booked_once_it_is_accepted(feed, service, chen, ada):
    request = AppointmentFactory(status="pending", patient=ada, start=monday(10), end=monday(11))
    assert kinds() == []
    step(request, "booked")
    assert kinds() == ["booked"]


def test_a_moved_visit(visit, service, chen):
    request = wish(service, chen, at=monday(11))
    moved = RescheduleRequest(offerings=request.offerings, start=request.start)
    booking.reschedule(visit.fhir_id, moved, caller=SOFTWARE, now=timezone.now())
    assert kinds() == ["moved"]


def test_a_cancelled_and_a_restored_visit(visit):
    booking.cancel(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    booking.restore(visit.fhir_id, caller=SOFTWARE, now=timezone.now())
    assert kinds() == ["cancelled", "booked"]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["arrived", "checked-in", "fulfilled"], ["arrived", "fulfilled"]),
        (["checked-in", "arrived"], ["arrived"]),
        (["fulfilled"], ["fulfilled"]),
        (["noshow"], ["noshow"]),
        (["noshow", "arrived"], ["noshow", "arrived"]),
        (["arrived", "booked"], ["arrived", "corrected"]),
        (["noshow", "booked"], ["noshow", "corrected"]),
        (["fulfilled", "arrived"], ["fulfilled", "corrected"]),
        (["arrived", "cancelled"], ["arrived", "cancelled"]),
        (["noshow", "entered-in-error"], ["noshow", "cancelled"]),
        (["cancelled", "entered-in-error"], ["cancelled"]),
    ],
)
def test_the_steps_of_a_day(visit, statuses, expected):
    step(visit, *statuses)
    assert kinds() == expected


def test_recording_a_past_visit_is_no_event(feed):
    for status in ("fulfilled", "noshow", "cancelled", "entered-in-error"):
        AppointmentFactory(status=status)
    assert kinds() == []


def test_a_note_is_no_event(visit):
    Appointment.objects.filter(pk=visit.pk).update(comment="Brings the X-ray", version=2)
    assert kinds() == []


def test_each_consumer_keeps_its_own_place(visit):
    events.join("reports")
    step(visit, "arrived")
    assert kinds("reports") == ["arrived"]
    step(visit, "fulfilled")
    assert kinds("reports") == ["fulfilled"]
    assert kinds() == ["arrived", "fulfilled"]
    assert kinds() == kinds("reports") == []


def test_joining_again_keeps_the_place(visit):
    step(visit, "arrived")
    events.join(CONSUMER)
    assert kinds() == ["arrived"]


def test_events_come_in_their_order_however_few_are_read(visit):
    step(visit, "arrived", "fulfilled")
    assert [event.kind for event in events.collect(CONSUMER, limit=1)] == ["arrived"]
    assert [event.kind for event in events.collect(CONSUMER, limit=1)] == ["fulfilled"]


def test_events_of_a_rolled_back_reading_are_read_again(visit):
    step(visit, "arrived")
    with transaction.atomic():
        assert kinds() == ["arrived"]
        transaction.set_rollback(True)
    assert kinds() == ["arrived"]


def test_nothing_is_written_while_nobody_reads(service, chen, ada):
    visit = book(wish(service, chen, at=monday(10), patient=ada))
    events.join(CONSUMER)
    events.leave(CONSUMER)
    step(visit, "arrived")
    assert not VisitEvent.objects.exists()
    assert kinds() == []


def test_a_booking_takes_no_statement_more(service, chen, ada):
    def statements(hour: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            book(wish(service, chen, at=monday(hour), patient=ada))
        return len(captured)

    statements(9)
    before = statements(10)
    events.join(CONSUMER)
    assert statements(11) == before


def test_reading_takes_the_same_statements_for_any_number_of_events(visit):
    counts = []
    for statuses in (["arrived"], ["fulfilled", "arrived", "noshow", "booked", "cancelled"]):
        step(visit, *statuses)
        with CaptureQueriesContext(connection) as captured:
            read = events.collect(CONSUMER)
            assert [event.appointment.patient for event in read] == [visit.patient] * len(statuses)
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_commits_late_is_not_skipped():
    early, late = AppointmentFactory(status="booked"), AppointmentFactory(status="booked")
    events.join(CONSUMER)
    update = "UPDATE clinic_appointment SET status = 'arrived', version = version + 1 WHERE id = "
    with another_connection() as execute:
        execute("BEGIN")
        execute(f"{update}{late.pk}")  # takes the lower key
        with transaction.atomic():
            step(early, "arrived")
        with transaction.atomic():
            assert [event.appointment for event in events.collect(CONSUMER)] == [early]
        execute("COMMIT")
        with transaction.atomic():
            assert [event.appointment for event in events.collect(CONSUMER)] == [late]
    first, second = VisitEvent.objects.order_by("number")
    assert second.pk < first.pk, "the control: numbered as it was written, it would have been skipped"


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_two_readers_leave_out_no_event_and_mix_up_no_visit():
    visits = [AppointmentFactory(status="booked") for _ in range(3)]
    consumers = {CONSUMER: defaultdict(list), "reports": defaultdict(list)}
    for consumer in consumers:
        events.join(consumer)
    over = Event()

    def write(chance: random.Random) -> None:
        for _ in range(12):
            with transaction.atomic(), connection.cursor() as cursor:
                for visit in sorted(chance.sample(visits, 2), key=lambda visit: visit.pk):
                    cursor.execute(TOGGLE, [visit.pk])
                    sleep(chance.random() / 500)

    def read(consumer: str) -> None:
        done = False
        while not done:
            done = over.is_set()
            with transaction.atomic():
                for event in events.collect(consumer, limit=5):
                    consumers[consumer][event.appointment_id].append(event.version)
                    done = False

    with ThreadPoolExecutor(len(consumers)) as pool:
        readers = [pool.submit(on_own_connection(partial(read, consumer))) for consumer in consumers]
        at_once([partial(write, random.Random(seed)) for seed in range(6)])
        over.set()
        for reader in readers:
            reader.result(timeout=60)
    for versions in consumers.values():
        for visit in visits:
            visit.refresh_from_db()
            assert versions[visit.pk] == list(range(2, visit.version + 1))
    assert sum(visit.version - 1 for visit in visits) == 6 * 12 * 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_read_for_one_consumer_at_once():
    visit = AppointmentFactory(status="booked")
    events.join(CONSUMER)
    step(visit, "arrived")
    with another_connection() as execute:
        execute("BEGIN")
        execute(f"SELECT * FROM clinic_eventconsumer WHERE name = '{CONSUMER}' FOR UPDATE")
        with transaction.atomic():
            assert kinds() == []
        execute("COMMIT")
    with transaction.atomic():
        assert kinds() == ["arrived"]
    assert EventConsumer.objects.get().place == VisitEvent.objects.get().number


def test_events_are_kept_as_long_as_the_log_of_deliveries(visit, settings):
    step(visit, "arrived")
    VisitEvent.objects.filter(kind="booked").update(
        occurred=timezone.now() - settings.DELIVERY_LOG_KEPT - timedelta(minutes=1)
    )
    retention.forget(now=timezone.now())
    assert VisitEvent.objects.get().kind == "arrived"
    assert kinds() == ["arrived"]
