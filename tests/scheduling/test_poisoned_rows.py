"""One bad row in a background task is set aside, loudly, and never stops the others."""

import logging
from datetime import date, timedelta

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from clinic import retention
from clinic.models import (
    AuditEvent,
    Communication,
    IdempotencyKey,
    Notification,
    ParkedRow,
    Practitioner,
    ScheduleChange,
    Subscription,
)
from clinic.parking import Parking
from scheduling import booking, subscriptions, tasks
from tests.factories import (
    AppointmentFactory,
    AuditEventFactory,
    NotificationFactory,
    PatientFactory,
    ScheduleFactory,
    SubscriptionFactory,
    UserFactory,
)
from tests.receiver import receiving
from tests.scheduling.notifications.messages import deliver, reminder
from tests.scheduling.situations import hold, monday, run_out, wish

pytestmark = pytest.mark.django_db

MINUTE, DAY, YEAR = timedelta(minutes=1), timedelta(days=1), timedelta(days=366)


def poison(row, event="UPDATE") -> None:
    """Make PostgreSQL refuse every change of this row."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$"
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        key = f"'{row.pk}'" if isinstance(row.pk, str) else row.pk
        cursor.execute(
            f'CREATE TRIGGER refuse BEFORE {event} ON {table} FOR EACH ROW WHEN (OLD."{row._meta.pk.column}" = {key})'
            " EXECUTE FUNCTION refuse()"
        )


def cure(row) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER refuse ON {row._meta.db_table}")


def is_set_aside(row, caplog) -> bool:
    """True if operators see it: in the log with its key, and in the admin."""
    parked = ParkedRow.objects.get(kind=type(row).__name__, key=str(row.pk))
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    return parked.again > parked.tried and any(f"{parked.kind} {row.pk} was set aside" in each for each in errors)


def test_a_hold_that_cannot_be_released_keeps_no_other(service, chen, ada, caplog):
    bad, good = (hold(wish(service, chen, at=monday(hour), patient=PatientFactory())) for hour in (10, 11))
    for each in (bad, good):
        run_out(each)
    poison(bad)
    now = timezone.now()
    assert booking.release_expired_holds(now=now) == 1
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.status, bad.status) == ("cancelled", "pending")
    assert is_set_aside(bad, caplog)

    cure(bad)
    assert booking.release_expired_holds(now=now + MINUTE / 2) == 0
    assert booking.release_expired_holds(now=now + 2 * MINUTE) == 1
    assert not ParkedRow.objects.exists()


def changed(*schedules) -> None:
    ScheduleChange.objects.all().delete()
    for each in schedules:
        ScheduleChange.objects.create(schedule=each.pk, start=monday(9), end=monday(10))


def planned() -> set[int]:
    return set(Notification.objects.values_list("schedule", flat=True))


def test_a_schedule_whose_days_cannot_be_made_out_silences_no_other(caplog):
    SubscriptionFactory()
    bad, good = ScheduleFactory(), ScheduleFactory()
    Practitioner.objects.filter(pk=bad.actor.pk).update(timezone="Mars/Olympus_Mons")
    now = timezone.now()
    changed(bad, good)
    assert subscriptions.collect(now=now) == 1
    assert planned() == {good.pk}
    assert is_set_aside(bad, caplog)
    assert subscriptions.collect(now=now + MINUTE / 2) == 0

    Practitioner.objects.filter(pk=bad.actor.pk).update(timezone="America/New_York")
    ScheduleChange.objects.exclude(schedule=bad.pk).delete()
    assert subscriptions.collect(now=now + 2 * MINUTE) == 1
    assert planned() == {good.pk, bad.pk}
    assert not ParkedRow.objects.exists()


def test_a_row_set_aside_repeatedly_waits_longer_and_is_kept_once():
    SubscriptionFactory()
    bad = ScheduleFactory()
    Practitioner.objects.filter(pk=bad.actor.pk).update(timezone="Mars/Olympus_Mons")
    changed(bad)
    now, pauses = timezone.now(), []
    for _ in range(8):
        subscriptions.collect(now=now)
        parked = ParkedRow.objects.get()
        pauses.append((parked.again - now).total_seconds() / 60)
        now = parked.again
    assert pauses == [1, 4, 16, 64, 256, 360, 360, 360]
    assert ScheduleChange.objects.filter(schedule=bad.pk).count() == 1


def test_a_subscription_that_cannot_be_read_says_so_and_silences_no_other():
    bad, good = SubscriptionFactory(), SubscriptionFactory()
    Subscription.objects.filter(pk=bad.pk).update(criteria="Patient?name=quinn")
    changed(ScheduleFactory())
    assert subscriptions.collect(now=timezone.now()) == 1
    assert Notification.objects.get().subscription == good
    bad.refresh_from_db()
    assert (bad.status, bad.version) == ("error", 2)
    assert bad.error == "Its criteria cannot be read any more: send them again."


def test_a_notification_that_cannot_be_made_delays_no_other(settings, caplog):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        subscription = SubscriptionFactory(endpoint=receiver.url)
        bad, good = ScheduleFactory(), ScheduleFactory()
        Practitioner.objects.filter(pk=bad.actor.pk).update(timezone="Mars/Olympus_Mons")
        day, now = date(2030, 1, 7), timezone.now()
        first, second = (
            NotificationFactory(subscription=subscription, schedule=each, first_day=day, last_day=day, due=now)
            for each in (bad, good)
        )
        while subscriptions.deliver_next(now=now):
            pass
        first.refresh_from_db()
        second.refresh_from_db()
        subscription.refresh_from_db()
        assert second.status == "sent"
        assert (first.status, first.error) == ("waiting", "It cannot be made (ZoneInfoNotFoundError).")
        assert first.due > now  # although the endpoint has answered since
        assert subscription.failures == 0
        assert f"Notification {first.pk} cannot be made" in caplog.text
        for _ in range(10):
            now = first.due
            subscriptions.deliver_next(now=now)
            first.refresh_from_db()
        assert first.status == "failed"


def test_a_notification_that_cannot_even_be_claimed_delays_no_other(settings, caplog):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        bad, good = (NotificationFactory(subscription=SubscriptionFactory(endpoint=receiver.url)) for _ in range(2))
        poison(bad)
        while subscriptions.deliver_next(now=timezone.now()):
            pass
    good.refresh_from_db()
    assert good.status == "sent"
    assert is_set_aside(bad, caplog)


def test_a_message_that_cannot_be_claimed_delays_no_other(ada, caplog):
    visits = [AppointmentFactory(patient=PatientFactory(email=f"{n}@example.com"), start=monday(9 + n)) for n in (0, 1)]
    bad, good = (reminder(visit, due=timezone.now(), address=visit.patient.email) for visit in visits)
    poison(bad)
    deliver(timezone.now())
    good.refresh_from_db()
    assert good.status == Communication.Status.COMPLETED
    assert len(mail.outbox) == 1
    assert is_set_aside(bad, caplog)


def test_a_subscription_that_cannot_be_tended_keeps_no_other(settings, caplog):
    now = timezone.now()
    silent = now - settings.HEARTBEAT_EVERY
    bad, ended, quiet = (SubscriptionFactory(last_contact=silent, end=end) for end in (now, now, None))
    poison(bad)
    subscriptions.maintain(now=now)
    ended.refresh_from_db()
    assert ended.status == "off"
    assert Notification.objects.get().subscription == quiet
    assert is_set_aside(bad, caplog)


def test_a_row_that_cannot_be_deleted_stops_no_other(caplog, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    long_ago, now = timezone.now() - 20 * YEAR, timezone.now()
    bad, *_ = [AuditEventFactory(recorded=long_ago) for _ in range(5)]
    IdempotencyKey.objects.create(owner="app", key="1", fingerprint="", created=long_ago)
    session = Session.objects.create(session_key="old", session_data="", expire_date=long_ago)
    Session.objects.create(session_key="older", session_data="", expire_date=long_ago)
    poison(bad, "DELETE")
    poison(session, "DELETE")
    tasks.forget()
    assert list(AuditEvent.objects.filter(recorded=long_ago)) == [bad]
    assert list(Session.objects.values_list("pk", flat=True)) == ["old"]
    assert not IdempotencyKey.objects.exists()
    assert is_set_aside(bad, caplog)
    assert is_set_aside(session, caplog)

    cure(bad)
    retention.forget(now=now + DAY)
    assert not AuditEvent.objects.filter(recorded=long_ago).exists()
    assert not ParkedRow.objects.filter(kind="AuditEvent").exists()


def test_operators_see_what_is_set_aside_and_need_not_wait():
    now = timezone.now()
    row = {"task": "release expired holds", "kind": "Appointment", "key": "7", "error": "DataError"}
    parked = ParkedRow.objects.create(**row, since=now, tried=now, again=now + DAY)
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.get("/admin/clinic/parkedrow/").content.decode()
    for record in ("release expired holds", "Appointment", "DataError"):
        assert record in page
    client.post("/admin/clinic/parkedrow/", {"action": "try_now", "_selected_action": [parked.pk]})
    parked.refresh_from_db()
    assert parked.again < now + DAY / 2


def test_the_endpoint_of_a_subscriber_that_is_back_hears_at_once_what_had_to_wait(settings):
    """It does not wait for the end of the last pause, which may be an hour."""
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        receiver.answers = [500] * 6
        subscription = SubscriptionFactory(endpoint=receiver.url)
        now = timezone.now()
        first = NotificationFactory(subscription=subscription, due=now)
        for _ in range(6):
            assert subscriptions.deliver_next(now=now)
            first.refresh_from_db()
            last, now = now, first.due
        assert now - last == timedelta(hours=1)
        waits = NotificationFactory(subscription=subscription, due=now)
        NotificationFactory(subscription=subscription, due=now + timedelta(minutes=50))
        other = NotificationFactory(subscription=SubscriptionFactory(endpoint=receiver.url), due=now + DAY)
        while subscriptions.deliver_next(now=now):
            pass
        waits.refresh_from_db()
        other.refresh_from_db()
        assert waits.status == "sent"
        assert not Notification.objects.filter(subscription=subscription).exclude(status="sent").exists()
        assert other.status == "waiting"


def test_no_row_is_set_aside_while_postgresql_is_away(caplog):
    """It is the server that failed; the row would wait for a minute and stay on a list that nobody needs."""

    def lose(row):
        raise OperationalError("lost") from psycopg.OperationalError("lost")

    person = PatientFactory()
    with pytest.raises(OperationalError):
        Parking("a task", type(person), now=timezone.now()).process_each([person], lose)
    assert not ParkedRow.objects.exists()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
