"""The checks after a drill find what is wrong, and nothing where all is well."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.fhir.datatypes import instant
from clinic.models import Appointment, Slot
from tests.drills import checks
from tests.drills.client_records import ClientRecords
from tests.factories import AppointmentFactory, CommunicationFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db
MARK = "client-1-7"
START = timezone.now() + timedelta(days=9)


@pytest.fixture
def booked():
    """A visit that a client has booked, with its mark."""
    service = ServiceFactory()
    schedule = ScheduleFactory(services=[service])
    end = START + timedelta(minutes=30)
    return AppointmentFactory(service=service, schedules=[schedule], start=START, end=end, comment=MARK)


@pytest.fixture
def records(booked):
    """The records of a client that was told that its visit is booked."""
    records = ClientRecords()
    visit = records.visit(MARK)
    visit.fhir_id, visit.status, visit.start = booked.fhir_id, "booked", instant(booked.start)
    return records


def of_visits(records):
    return list(checks.problems_of_visits(records, now=timezone.now()))


def test_nothing_is_wrong(records):
    assert of_visits(records) == []


def test_a_visit_that_is_gone_is_lost(records, booked):
    Appointment.objects.filter(pk=booked.pk).update(comment="of somebody else")
    assert of_visits(records) == [f"lost: {MARK}, of which its client was told"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"status": "cancelled"}, f"lost: {MARK} is cancelled, and its client was told booked"),
        ({"start": START + timedelta(minutes=15)}, f"lost: {MARK} begins at "),
        ({"deleted_at": START}, f"lost: {MARK}, of which its client was told"),
    ],
)
def test_a_visit_that_is_another_than_its_client_was_told_is_lost(records, booked, changes, problem):
    Appointment.objects.filter(pk=booked.pk).update(**changes)
    assert of_visits(records)[0].startswith(problem)


def test_two_visits_of_one_request_are_doubled(records, booked):
    AppointmentFactory(comment=MARK, status="cancelled", start=booked.start, end=booked.end)
    assert of_visits(records) == [f"doubled: {MARK} is 2 visits"]


def test_a_visit_whose_client_was_refused_should_not_be_there(records):
    records.visits[0].fhir_id = records.visits[0].status = ""
    assert of_visits(records) == [f"refused and yet taken: {MARK}"]


def test_a_hold_that_has_ended_is_not_lost(records, booked):
    records.visits[0].status = "pending"
    Appointment.objects.filter(pk=booked.pk).update(status="cancelled")
    Slot.objects.all().delete()
    assert of_visits(records) == []


def test_the_doctor_looks_at_all_visits(records, booked):
    Slot.objects.all().delete()
    [finding] = of_visits(records)
    assert finding.endswith(f"visits that take no time of a calendar: 1 ({booked.fhir_id}).")


def of_messages(records, mails, killed_workers=0):
    return list(checks.problems_of_messages(records, mails, killed_workers=killed_workers))


@pytest.fixture
def message(booked):
    return CommunicationFactory(appointment=booked, event="confirmation", status="completed")


def test_each_message_is_one_mail(records, message):
    assert of_messages(records, [message.fhir_id]) == []


def test_a_message_that_was_sent_twice(records, message):
    twice = [message.fhir_id] * 2
    assert of_messages(records, twice, killed_workers=1) == []
    assert of_messages(records, twice) == [
        f"1 messages were sent again, and 0 workers were killed: {message.fhir_id}",
    ]


def test_a_message_that_is_no_mail(records, message):
    assert of_messages(records, []) == [f"lost: the message {message.fhir_id} was recorded as sent, and is no mail"]


def test_a_mail_that_is_no_message(records, message):
    problem = "sent, and not recorded as sent: the message other"
    assert of_messages(records, [message.fhir_id, "other"]) == [problem]


def test_a_message_that_waits(records, message):
    type(message).objects.update(status="in-progress")
    assert of_messages(records, []) == [
        f"never sent: the message {message.fhir_id}",
        f"no message says that {MARK} is booked",
    ]


def test_a_patient_who_does_not_know_of_the_cancellation(records, message):
    records.visits[0].status = "cancelled"
    assert of_messages(records, [message.fhir_id]) == [f"no message says that {MARK} is cancelled"]


LOG = """2026-01-05 09:00:00 ERROR celery.app.trace Task failed
Traceback (most recent call last):
  File "a.py", line 7, in act
    act()
KeyError: 'patient'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 9, in act
    act()
ValueError: 17 is wrong
2026-01-05 09:00:01 WARNING clinic PostgreSQL is away
"""


def test_a_traceback_in_a_log_is_found_once(tmp_path):
    (tmp_path / "web-1.log").write_text(LOG)
    (tmp_path / "web-2.log").write_text(LOG.replace("17", "18"))
    (tmp_path / "worker-1.log").write_text("2026-01-05 09:00:01 WARNING clinic PostgreSQL is away\n")
    assert list(checks.problems_of_logs(tmp_path)) == [
        "traceback, 2 times, such as in web-1.log: ValueError: N is wrong",
    ]


def test_the_messages_of_mails_are_read(tmp_path):
    (tmp_path / "1.log").write_text("Subject: Yours\nMessage-ID: <one@clinic.example>\n\nText\n" + "-" * 79 + "\n")
    (tmp_path / "2.log").write_text("Message-ID:\n <two@clinic.example>\n\nMessage-ID is no header here\n")
    assert checks.mails_in(tmp_path) == ["one", "two"]
