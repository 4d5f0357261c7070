"""`manage.py doctor` names what is amiss, and nothing where all is well."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from clinic import doctor, health
from clinic.doctor import disk, rows
from clinic.models import Appointment, Location, ParkedRow, Slot
from scheduling import booking
from scheduling.access import Caller
from scheduling.booking import StatusRequest
from tests.factories import CommunicationFactory, PatientFactory, ScheduleFactory, ServiceFactory, UserFactory
from tests.scheduling.situations import SOFTWARE, book, hold, monday, wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(duration=30, interval=30)


@pytest.fixture
def chen(service):
    return ScheduleFactory(services=[service])


def clocks(zone, moments):
    return [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments]


def findings(name, now=None):
    """The findings of the check with this name."""
    [check] = [check for check in doctor.CHECKS if check.name == name]
    return check.findings(now or timezone.now())


def test_a_clinic_with_visits_holds_and_cancelled_visits_is_whole(service, chen):
    book(wish(service, chen, at=monday(9), patient=PatientFactory()))
    cancelled = book(wish(service, chen, at=monday(10), patient=PatientFactory()))
    booking.cancel(cancelled.fhir_id, StatusRequest(), caller=SOFTWARE, now=timezone.now())
    hold(wish(service, chen, at=monday(10)))
    beside = replace(wish(service, chen, at=monday(9), patient=PatientFactory()), overbook="In pain")
    book(beside, Caller(user=UserFactory(is_superuser=True)))
    for name in ("PostgreSQL", "clocks", "time zones", "Redis", "mail server", "background work", "bookings"):
        assert findings(name) == [], name


def test_time_that_is_sold_twice(service, chen):
    visit = book(wish(service, chen, at=monday(9), patient=PatientFactory()))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE clinic_slot DROP CONSTRAINT slot_never_sold_twice")
    [slot] = visit.slots.all()
    double = Slot.objects.get(pk=slot.pk)
    double.pk, double.fhir_id = None, "the-double"
    double.save(force_insert=True)
    assert findings("bookings") == [f"Slots that overlap another Slot of the same calendar: 1 ({slot.fhir_id})."]


@pytest.mark.parametrize(
    ("slots", "visit", "finding"),
    [
        ({}, {"status": "cancelled"}, "Slots that keep the time of a cancelled or deleted visit: 1 ({slot})."),
        ({}, {"deleted_at": monday(9)}, "Slots that keep the time of a cancelled or deleted visit: 1 ({slot})."),
        ({"status": "entered-in-error"}, {}, "Upcoming visits that take no time of a calendar: 1 ({visit})."),
        ({}, {"start": monday(14), "end": monday(15)}, "Upcoming visits that take no time of a calendar: 1 ({visit})."),
    ],
    ids=["cancelled", "deleted", "slotless", "elsewhere"],
)
def test_visits_and_slots_that_contradict_each_other(service, chen, slots, visit, finding):
    booked = book(wish(service, chen, at=monday(9), patient=PatientFactory()))
    [slot] = booked.slots.all()
    Slot.objects.filter(pk=slot.pk).update(**slots)
    Appointment.objects.filter(pk=booked.pk).update(**visit)
    assert finding.format(slot=slot.fhir_id, visit=booked.fhir_id) in findings("bookings")


def test_five_rows_are_named_and_the_others_counted(service, chen):
    booked = [book(wish(service, chen, at=monday(9 + n), patient=PatientFactory())) for n in range(7)]
    Slot.objects.update(status="entered-in-error")
    names = ", ".join(visit.fhir_id for visit in booked[:5])
    assert findings("bookings") == [f"Upcoming visits that take no time of a calendar: 7 ({names}, …)."]


def test_work_that_waits(service, chen):
    held = hold(wish(service, chen, at=monday(9)))
    now = timezone.now()
    Appointment.objects.filter(pk=held.pk).update(hold_expires_at=now - timedelta(minutes=11))
    CommunicationFactory(status="preparation", due=now - timedelta(minutes=11), attempts=0)
    CommunicationFactory(status="preparation", due=now + timedelta(days=1), attempts=0)
    ParkedRow.objects.create(task="forget", kind="Slot", key="1", error="?", since=now, tried=now, again=now)
    assert [text.split(":")[0] for text in findings("background work")] == [
        "Messages that have been due for over ten minutes",
        "Holds that expired over ten minutes ago and are not released",
        "Rows that background tasks have set aside",
    ]


def test_migrations_that_are_missing():
    recorder = MigrationRecorder(connection)
    last = max(key for key in MigrationLoader(None).disk_migrations if key[0] == "clinic")
    health.check_migrations.cache_clear()
    recorder.record_unapplied(*last)
    assert findings("PostgreSQL") == ["Not all migrations have been applied: run manage.py migrate."]


def test_clocks_that_differ():
    assert findings("clocks", timezone.now() + timedelta(seconds=90)) == [
        "The clocks of this machine and of PostgreSQL are 90 seconds apart: run NTP on both.",
        "The clocks of this machine and of Redis are 90 seconds apart: run NTP on both.",
    ]


def test_zones_about_which_postgresql_and_tzdata_differ(site, monkeypatch):
    Location.objects.filter(pk=site.pk).update(timezone="Europe/Paris")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert findings("time zones", now) == []
    old = {"Europe/Paris": "Africa/Lagos"}  # without the summer of Paris
    monkeypatch.setattr(rows, "clocks", lambda zone, *moments: clocks(old.get(zone, zone), *moments))
    assert findings("time zones", now) == [
        "PostgreSQL and the package tzdata differ about the clocks of Europe/Paris on 2026-04-01: update both."
        " Until then, reports count visits around midnight to another day."
    ]


def test_a_zone_that_is_not_known(site):
    Location.objects.filter(pk=site.pk).update(timezone="America/Atlantis")
    assert findings("time zones") == [
        f"{site.reference} has the time zone America/Atlantis, which the package tzdata does not know."
    ]


def test_a_disk_that_is_nearly_full_and_a_backup_that_is_old(settings, tmp_path, monkeypatch):
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "backups"
    monkeypatch.setattr(disk, "LEAST_FREE", 0.0)
    assert (findings("disk"), findings("backups")) == ([], [])  # none here: they may be made elsewhere
    monkeypatch.setattr(disk, "LEAST_FREE", 1.1)
    [full] = findings("disk")
    assert full.startswith(f"The disk of {tmp_path} is nearly full: ")
    settings.BACKUP_DIR.mkdir()
    now = timezone.now()
    for days in (3, 5):
        dump = settings.BACKUP_DIR / f"clinic-{days}.dump"
        dump.touch()
        os.utime(dump, times=((now - timedelta(days=days)).timestamp(),) * 2)
    assert findings("backups", now) == [
        f"The newest backup in {settings.BACKUP_DIR} is of {now - timedelta(days=3):%Y-%m-%d}:"
        " does manage.py backup run each night?"
    ]
    assert findings("backups", now - timedelta(days=2)) == []


def test_servers_that_do_not_answer(settings):
    settings.REDIS_URL = "redis://:a-secret@127.0.0.1:1/0"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert findings("Redis") == ["Redis does not answer at REDIS_URL: ConnectionError."]
    assert findings("mail server") == [
        "The mail server does not answer or refuses the sign-in: ConnectionRefusedError."
    ]


def test_the_command_names_each_check_and_fails_if_something_is_found(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    output = StringIO()
    with pytest.raises(CommandError, match=r"^Found: \d+\."):
        call_command("doctor", stdout=output)
    lines = output.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines if not line.startswith(" ")] == [
        check.name for check in doctor.CHECKS
    ]
    assert "Redis: see below" in lines
    assert "  - Redis does not answer at REDIS_URL: ConnectionError." in lines
    assert "bookings: ok" in lines
