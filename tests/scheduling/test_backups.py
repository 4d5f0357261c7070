"""`manage.py backup` and `restore`: a backup that is made while visits are booked is restored whole."""

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from clinic.backups import files, programs, restoring
from clinic.models import Appointment
from tests.factories import PatientFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = 3  # visits that are booked before the backup begins
WORKING_DAYS = [7 * week + day for week in range(8) for day in range(5)]


@pytest.fixture
def folder(settings, tmp_path):
    settings.BACKUP_DIR = tmp_path / "backups"
    return settings.BACKUP_DIR


def run(*words) -> str:
    output = StringIO()
    call_command(*words, stdout=output)
    return output.getvalue()


def databases() -> set[str]:
    """Return the databases that were made beside that of this test; other tests make and drop theirs meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, current_database() || '_')")
        return {name for (name,) in cursor.fetchall()}


class Bookings(threading.Thread):
    """A thread that books one visit after another until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.service = ServiceFactory(duration=30, interval=30)
        self.schedule = ScheduleFactory(services=[self.service])
        self.booked = 0
        self.enough, self.over = threading.Event(), threading.Event()

    def run(self) -> None:
        times = (monday(9 + half // 2, half % 2 * 30, days=day) for day in WORKING_DAYS for half in range(16))
        try:
            for at in times:
                book(wish(self.service, self.schedule, at=at, patient=PatientFactory()))
                self.booked += 1
                if self.booked == BEFORE:
                    self.enough.set()
                if self.over.wait(0.01):
                    return
        finally:
            self.enough.set()
            connection.close()


def test_a_drill_a_backup_under_load_is_restored_whole(folder):
    before = databases()
    bookings = Bookings()
    bookings.start()
    bookings.enough.wait(timeout=60)
    first = bookings.booked
    run("backup")
    last = bookings.booked
    bookings.over.set()
    bookings.join()
    assert BEFORE <= first < last <= Appointment.objects.count()

    dump = files.newest(folder)
    manifest = files.read_manifest(dump)
    assert first <= manifest.rows["clinic_appointment"] <= last + 1
    assert manifest.rows["clinic_slot"] == manifest.rows["clinic_appointment"]  # of one snapshot
    assert {path.name for path in folder.iterdir()} == {dump.name, files.manifest_path(dump).name}
    assert [oct(path.stat().st_mode & 0o777) for path in (folder, dump)] == ["0o700", "0o600"]

    assert f"{dump} of {manifest.made} is whole" in run("restore", "--check")
    assert databases() == before
    # The restored database is one that the clinic works with: the next booking takes the same ids and constraints.
    with restoring.scratch_database(now=timezone.now()):
        with connection.cursor() as cursor:  # no other role of the server gets at what is restored
            cursor.execute("SELECT has_database_privilege('pg_monitor', current_database(), 'CONNECT')")
            assert cursor.fetchone() == (False,)
        run("restore", str(dump))
        assert Appointment.objects.count() == manifest.rows["clinic_appointment"]
        service, patient = ServiceFactory(duration=30, interval=30), PatientFactory()
        book(wish(service, ScheduleFactory(services=[service]), at=monday(10), patient=patient))
        with pytest.raises(CommandError, match=r"_restored_\d+ is not empty: it has \d+ tables"):
            run("restore", str(dump))


def test_a_backup_that_is_damaged_or_differs_is_not_called_whole(folder):
    before = databases()
    MigrationRecorder(connection).record_applied("clinic", "9999_of_a_newer_release")
    run("backup")
    MigrationRecorder(connection).record_unapplied("clinic", "9999_of_a_newer_release")
    dump = files.newest(folder)
    with pytest.raises(CommandError, match="of a newer release, with the migration 9999_of_a_newer_release"):
        run("restore", "--check")

    run("backup", "--to", str(folder / "other"))
    other = files.newest(folder / "other")
    manifest = files.manifest_path(other)
    facts = json.loads(manifest.read_text())
    facts["rows"] |= {"clinic_appointment": 7, "clinic_lost": 1}
    manifest.write_text(json.dumps(facts))
    with pytest.raises(CommandError) as refusal:
        run("restore", "--check", str(other))
    assert str(refusal.value).splitlines() == [
        "The backup was restored, but it is not whole:",
        "The table clinic_appointment has 0 rows, and had 7.",
        "The table clinic_lost has no rows, and had 1.",
    ]
    assert databases() == before

    dump.write_bytes(dump.read_bytes()[:-1])
    with pytest.raises(CommandError, match="is damaged: its checksum is not that of its manifest"):
        run("restore", "--check")
    files.manifest_path(dump).write_text("{}")
    with pytest.raises(CommandError, match="is no manifest of a backup"):
        run("restore", "--check")
    files.manifest_path(dump).unlink()
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run("restore", "--check")


def test_a_database_in_use_is_never_restored_into(folder):
    run("backup")
    patient = PatientFactory()
    with pytest.raises(CommandError, match=r"^The database \w+ is not empty"):
        run("restore")
    patient.refresh_from_db()


def test_old_backups_are_deleted_and_never_the_newest(tmp_path):
    now = datetime(2026, 3, 20, 2, tzinfo=UTC)
    for days in (1, 13, 15, 40):
        dump = files.path_of(tmp_path, now - timedelta(days=days))
        dump.touch()
        files.manifest_path(dump).touch()
    (tmp_path / "clinic-by-hand.dump").touch()
    for name, hours in ((".running.partial", 1), (".broken-off.partial", 25)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, times=((now - timedelta(hours=hours)).timestamp(),) * 2)
    deleted = files.prune(tmp_path, kept=timedelta(days=14), now=now)
    assert [path.name for path in deleted] == ["clinic-20260208T020000Z.dump", "clinic-20260305T020000Z.dump"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".running.partial",
        "clinic-20260307T020000Z.dump",
        "clinic-20260307T020000Z.json",
        "clinic-20260319T020000Z.dump",
        "clinic-20260319T020000Z.json",
        "clinic-by-hand.dump",
    ]
    later = now + timedelta(days=100)
    assert [path.name for path in files.prune(tmp_path, kept=timedelta(days=14), now=later)] == [
        "clinic-20260307T020000Z.dump"
    ]
    assert files.newest(tmp_path).name == "clinic-20260319T020000Z.dump"


def program(folder: Path, script: str) -> None:
    """Let a script stand for pg_dump, of the newest version."""
    path = folder / "pg_dump"
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.1" && exit\n{script}\n')
    path.chmod(0o755)


def test_the_password_is_on_no_command_line_and_a_failure_leaves_no_file_and_quotes_no_row(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(programs, "PACKAGED", ())
    monkeypatch.setattr(programs, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "a-secret")
    said = tmp_path / "said"
    program(
        tmp_path,
        f'echo "$@ and $PGPASSWORD" > {said}; echo "pg_dump: error: no space left" >&2;'
        ' echo "CONTEXT: COPY clinic_patient: Ada" >&2; exit 1',
    )
    with pytest.raises(CommandError, match=r"^pg_dump failed: no space left$"):
        run("backup")
    arguments, _, password = said.read_text().strip().rpartition(" and ")
    assert "a-secret" not in arguments
    assert password == "a-secret"
    assert list(folder.iterdir()) == []


def test_a_program_is_needed_that_knows_the_server(folder, monkeypatch):
    monkeypatch.setattr(programs, "server_version", lambda: 990001)
    with pytest.raises(CommandError, match="No pg_dump of PostgreSQL 99 or later is here"):
        run("backup")


def test_pg_dump_does_not_go_through_pgbouncer(folder, settings):
    settings.PGBOUNCER = True
    with pytest.raises(CommandError, match="DATABASE_URL must name PostgreSQL itself"):
        run("backup")


def test_a_folder_without_backups(folder):
    with pytest.raises(CommandError, match="There is no backup in"):
        run("restore", "--check")


def test_a_folder_that_cannot_be_written(folder):
    folder.write_text("a file")
    with pytest.raises(CommandError, match="backups cannot be written: File exists"):
        run("backup")
