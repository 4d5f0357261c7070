"""The environment of the benchmarks: embedded services, a clinic full of taken time, and the real web server."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from benchmarks.load import Asker
from benchmarks.product import Product, environment, products
from benchmarks.rows import insert
from demo import embedded

HOST = "127.0.0.1"
WORKERS = 2
ALWAYS = '[{"daysOfWeek": ["mon","tue","wed","thu","fri","sat","sun"], "allDay": true}]'
OFFICE = (
    '[{"daysOfWeek": ["mon","tue","wed","thu","fri"],'
    ' "availableStartTime": "09:00:00", "availableEndTime": "17:00:00"}]'
)
MINUTES = "CASE fhir_id WHEN 'office' THEN 30 ELSE 15 END"


@dataclass(frozen=True)
class Services:
    """The embedded services of a stage."""

    data_dir: Path
    postgres: embedded.Postgres


@dataclass(frozen=True)
class Stage:
    """A product's running server over a filled database."""

    product: Product
    services: Services
    port: int
    token: str
    first_day: datetime  # the first of the days whose time is taken, at 00:00 UTC

    def askers(self, clients: int) -> list[Asker]:
        return [Asker(HOST, self.port, self.token) for _ in range(clients)]

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.services.postgres.url, autocommit=True)


@contextmanager
def services(product: Product) -> Iterator[Services]:
    """PostgreSQL and Redis with the product's empty tables, in a directory that is removed at the end.

    The end may be SIGTERM, which would leave servers and a checkout behind otherwise.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    data_dir = Path(tempfile.mkdtemp(prefix="clinic-bench-"))
    postgres, redis = embedded.Postgres(data_dir), embedded.Redis(data_dir)
    try:
        postgres.start()
        redis.start()
        product.run("manage.py", "migrate", "--skip-checks", "--verbosity=0", data_dir=data_dir)
        yield Services(data_dir, postgres)
    finally:
        redis.stop()
        postgres.stop()
        shutil.rmtree(data_dir, ignore_errors=True)


@contextmanager
def stages(against: str | None, *, schedules: int = 1_000, slots: int = 200_000) -> Iterator[list[Stage]]:
    """A stage for each product, the other revision's first. Their servers run at the same time, on databases alike."""
    first_day = next_monday()
    with products(against) as measured_products, ExitStack() as stack:
        yield [stack.enter_context(_stage(product, first_day, schedules, slots)) for product in measured_products]


@contextmanager
def _stage(product: Product, first_day: datetime, schedules: int, slots: int) -> Iterator[Stage]:
    with services(product) as running:
        token = fill(product, running, first_day, schedules, slots)
        with server(product, running.data_dir) as port:
            yield Stage(product, running, port, token, first_day)


def fill(product: Product, running: Services, first_day: datetime, schedules: int, slots: int) -> str:
    """Fill the empty tables, and return the token of a client."""
    with psycopg.connect(running.postgres.url, autocommit=True) as connection:
        make_clinic(connection, schedules)
        take(connection, schedules, 0, slots, first_day)
        connection.execute("VACUUM ANALYZE")
    return product.run("-m", "benchmarks.inside", "client", data_dir=running.data_dir).strip()


def next_monday() -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())


def make_clinic(connection: psycopg.Connection, schedules: int) -> None:
    """`schedules` practitioners who give an office visit (half an hour, 9 to 5) and one that is always open."""
    numbers = f"generate_series(1, {schedules}) n"
    tables: list[tuple[str, dict[str, str], str]] = [
        (
            "clinic_practitioner",
            {
                "fhir_id": "'p' || n",
                "active": "true",
                "family": "'Family' || n",
                "given": "'Given'",
                "prefix": "'Dr.'",
                "timezone": "'UTC'",
            },
            numbers,
        ),
        ("clinic_bookable", {"practitioner_id": "id"}, "(SELECT id FROM clinic_practitioner ORDER BY id) practitioner"),
        (
            "clinic_schedule",
            {
                "fhir_id": "'s' || substr(practitioner.fhir_id, 2)",
                "active": "true",
                "bookable_id": "bookable.id",
                "offers_all_services": "true",
            },
            "clinic_bookable bookable JOIN clinic_practitioner practitioner"
            " ON practitioner.id = bookable.practitioner_id ORDER BY practitioner.id",
        ),
        (
            "clinic_healthcareservice",
            {
                "fhir_id": "name",
                "active": "true",
                "name": "name",
                "bookable_by": "'patients'",
                "eligibility": "'everyone'",
                "reminders": "array['2 days', '2 hours']::interval[]",
                "named_in_email": "true",
            },
            "unnest(array['office', 'always']) name",
        ),
        (
            "clinic_schedulingparameters",
            {
                "service_id": "id",
                "duration": MINUTES,
                "alignment_interval": MINUTES,
                "timezone": "'UTC'",
                "availability": f"CASE fhir_id WHEN 'office' THEN '{OFFICE}'::jsonb ELSE '{ALWAYS}'::jsonb END",
            },
            "clinic_healthcareservice",
        ),
        (
            "clinic_patient",
            {
                "fhir_id": "'pat' || n",
                "active": "true",
                "family": "'Family' || n",
                "given": "'Given'",
                "email": "'pat' || n || '@example.com'",
            },
            "generate_series(1, 4000) n",
        ),
    ]
    for table, values, source in tables:
        connection.execute(insert(connection, table, values, source))


def take(connection: psycopg.Connection, schedules: int, done: int, slots: int, first_day: datetime) -> None:
    """Take more half hours until `slots` are taken; `done` are already.

    They are spread evenly: ten of the sixteen of each working day, from `first_day` on.
    """
    visit = f"""
        generate_series({done}, {slots} - 1) each
        JOIN clinic_schedule schedule ON schedule.fhir_id = 's' || (each % {schedules} + 1)
        CROSS JOIN LATERAL (SELECT each / {schedules} AS nth) of_schedule
        CROSS JOIN LATERAL (
            -- ten visits a working day; the gaps fall elsewhere for every schedule and day
            SELECT '{first_day.isoformat()}'::timestamptz
                + make_interval(days => nth / 10 / 5 * 7 + nth / 10 % 5)
                + interval '9 hours'
                + make_interval(mins => 30 * ((nth % 10 + each % {schedules} % 7 + nth / 10 * 3) % 16)) AS begins
        ) placed
        ORDER BY schedule.bookable_id, begins
    """
    values = {
        "fhir_id": "'taken-' || each",
        "schedule_id": "schedule.id",
        "bookable_id": "schedule.bookable_id",
        "status": "'busy'",
        "start": "begins",
        "end": "begins + interval '30 minutes'",
    }
    connection.execute(insert(connection, "clinic_slot", values, visit))


@contextmanager
def server(product: Product, data_dir: Path, workers: int = WORKERS) -> Iterator[int]:
    """Run granian as `make demo` does, but with DEBUG off, and give its port."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)]
    command += ["--workers", str(workers), "--blocking-threads", "4", "--log-level", "warning"]
    command += ["--workers-kill-timeout", "5"]
    process = subprocess.Popen([*command, "benchmarks.wsgi:application"], cwd=product.root, env=environment(data_dir))
    try:
        _await(product, port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(product: Product, port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            status, _ = Asker(HOST, port, "").ask("GET", "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            if status == 200:
                return
    raise SystemExit(f"The web server of {product.name} did not start.")
