"""The environment of the benchmarks: embedded services, a clinic full of taken time, and the real web server."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.load import Asker
from demo import embedded

HOST = "127.0.0.1"
WORKERS = 2
ALWAYS = '[{"daysOfWeek": ["mon","tue","wed","thu","fri","sat","sun"], "allDay": true}]'
OFFICE = (
    '[{"daysOfWeek": ["mon","tue","wed","thu","fri"],'
    ' "availableStartTime": "09:00:00", "availableEndTime": "17:00:00"}]'
)

CLINIC = """
INSERT INTO clinic_practitioner (fhir_id, version, last_updated, extra, active, family, given, prefix,
    gender, phone, email, identifier, timezone, communication, search)
SELECT 'p' || n, 1, now(), '{}', true, 'Family' || n, 'Given', 'Dr.', '', '', '', '[]', 'UTC', '[]', ''
FROM generate_series(1, %(schedules)s) n;
INSERT INTO clinic_bookable (practitioner_id) SELECT id FROM clinic_practitioner ORDER BY id;
INSERT INTO clinic_schedule (fhir_id, version, last_updated, extra, active, bookable_id,
    offers_all_services, comment, identifier, specialty, meeting_url)
SELECT 's' || substr(p.fhir_id, 2), 1, now(), '{}', true, b.id, true, '', '[]', '[]', ''
FROM clinic_practitioner p JOIN clinic_bookable b ON b.practitioner_id = p.id ORDER BY p.id;
INSERT INTO clinic_healthcareservice (fhir_id, version, last_updated, extra, active, name, comment, type,
    specialty, identifier, requires, bookable_by, on_request, telehealth, minimum_notice, cancellation_notice,
    preparation, eligibility, requires_questionnaires, requires_coverage, requires_care_team, reminders,
    named_in_email)
SELECT name, 1, now(), '{}', true, name, '', '[]', '[]', '[]', '{}', 'patients', false, false, '0', '0', '', 'everyone',
    false, false, false, array['2 days', '2 hours']::interval[], true
FROM unnest(array['office', 'always']) name;
INSERT INTO clinic_schedulingparameters (service_id, duration, alignment_interval, alignment_timezone,
    timezone, availability, not_available)
SELECT id, CASE fhir_id WHEN 'office' THEN 30 ELSE 15 END, CASE fhir_id WHEN 'office' THEN 30 ELSE 15 END,
    '', 'UTC', CASE fhir_id WHEN 'office' THEN %(office)s::jsonb ELSE %(always)s::jsonb END, '[]'
FROM clinic_healthcareservice;
INSERT INTO clinic_patient (fhir_id, version, last_updated, extra, active, family, given, prefix, gender,
    phone, email, identifier, language, search)
SELECT 'pat' || n, 1, now(), '{}', true, 'Family' || n, 'Given', '', '', '', 'pat' || n || '@example.com', '[]', '', ''
FROM generate_series(1, 4000) n
"""


@dataclass(frozen=True)
class Stage:
    """A running server over a filled database."""

    port: int
    token: str
    first_day: datetime  # the first of the days whose time is taken, at 00:00 UTC
    postgres: embedded.Postgres

    def askers(self, clients: int) -> list[Asker]:
        return [Asker(HOST, self.port, self.token) for _ in range(clients)]


@contextmanager
def services() -> Iterator[embedded.Postgres]:
    """PostgreSQL and Redis with empty tables, in a directory that is removed at the end."""
    data_dir = Path(tempfile.mkdtemp(prefix="clinic-bench-"))
    os.environ.update(CLINIC_DATA_DIR=str(data_dir), DJANGO_SETTINGS_MODULE="benchmarks.settings", DEBUG="False")
    os.environ.pop("DATABASE_URL", None)
    postgres, redis = embedded.Postgres(data_dir), embedded.Redis(data_dir)
    postgres.start()
    redis.start()
    try:
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield postgres
    finally:
        from django.db import connection

        connection.close()
        getattr(connection, "close_pool", lambda: None)()
        redis.stop()
        postgres.stop()
        shutil.rmtree(data_dir, ignore_errors=True)


@contextmanager
def stage(*, schedules: int = 1_000, slots: int = 200_000) -> Iterator[Stage]:
    """Everything from nothing, and the web server."""
    with services() as postgres:
        token = _make_client()
        first_day = _next_monday()
        _fill(schedules, slots, first_day)
        with _server() as port:
            yield Stage(port, token, first_day, postgres)


def _next_monday() -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())


def _make_client() -> str:
    """One client, and its token."""
    from django.utils import timezone
    from oauth2_provider.models import AccessToken, Application

    client = Application.objects.create(
        client_id="bench", client_type="confidential", authorization_grant_type="client-credentials"
    )
    AccessToken.objects.create(
        token="bench-token",
        application=client,
        scope="system/*.cruds",
        expires=timezone.now() + timedelta(days=1),
    )
    return "bench-token"


def _fill(schedules: int, slots: int, first_day: datetime) -> None:
    """`schedules` practitioners who give an office visit (half an hour, 9 to 5) and one that is always open.

    `slots` half hours are taken, spread evenly: ten of the sixteen of each working day, from `first_day` on.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in CLINIC.split(";"):
            cursor.execute(statement, {"schedules": schedules, "office": OFFICE, "always": ALWAYS})
    take(schedules, 0, slots, first_day)


def take(schedules: int, done: int, slots: int, first_day: datetime) -> None:
    """Take more half hours until `slots` are taken; `done` are already."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO clinic_slot (fhir_id, version, last_updated, extra, schedule_id, bookable_id, status, start,
                "end", comment, service_type, identifier)
            SELECT 'taken-' || each, 1, now(), '{}', schedule.id, schedule.bookable_id, 'busy', begins,
                begins + interval '30 minutes', '', '[]', '[]'
            FROM generate_series(%(done)s::int, %(slots)s::int - 1) each
            JOIN clinic_schedule schedule ON schedule.fhir_id = 's' || (each %% %(schedules)s::int + 1)
            CROSS JOIN LATERAL (SELECT each / %(schedules)s::int AS nth) of_schedule
            CROSS JOIN LATERAL (
                -- ten visits a working day; the gaps fall elsewhere for every schedule and day
                SELECT %(first)s::timestamptz
                    + make_interval(days => nth / 10 / 5 * 7 + nth / 10 %% 5)
                    + interval '9 hours'
                    + make_interval(
                        mins => 30 * ((nth %% 10 + each %% %(schedules)s::int %% 7 + nth / 10 * 3) %% 16)
                    ) AS begins
            ) placed
            ORDER BY schedule.bookable_id, begins
            """,
            {"schedules": schedules, "done": done, "slots": slots, "first": first_day},
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def _server() -> Iterator[int]:
    """granian as `make demo` runs it, but with DEBUG off."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)]
    command += ["--workers", str(WORKERS), "--blocking-threads", "4", "--log-level", "warning"]
    process = subprocess.Popen([*command, "benchmarks.wsgi:application"])
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            status, _ = Asker(HOST, port, "").ask("GET", "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            if status == 200:
                return
    raise SystemExit("The web server did not start.")
