"""Benchmark of a booking's email: `python -m benchmarks.mail [--against REV]`, with none, one, and a worker beside.

The worker runs on the same machine as the web server, the database and the client, as in `make demo`, and writes mail
to files. Rounds of the three kinds take turns. During the other two the worker is stopped (SIGSTOP), and what waits for
it then is discarded.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, islice
from pathlib import Path

import redis

from benchmarks.book import book
from benchmarks.load import Ask, Measured, measure
from benchmarks.product import add_against, add_size, environment
from benchmarks.report import compare, table
from benchmarks.stage import Stage, stages
from clinic.sockets import redis_url
from demo.programs import background

BOOKINGS = 200  # a round
CLIENTS = 8
NONE, EMAIL, WORKER = "no email", "an email", "an email, a worker beside"
KINDS = (NONE, EMAIL, WORKER)
PATIENTS = 1_000  # of each kind
PATIENCE = 300  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """The measurements of one product."""

    bookings: dict[str, list[Measured]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    last_email: list[float] = field(default_factory=list)  # seconds after the last booking
    worker: list[float] = field(default_factory=list)  # milliseconds of CPU for an email

    def rate(self, kind: str) -> float:
        return statistics.median(each.rate for each in self.bookings[kind])

    def p50(self, kind: str) -> float:
        return statistics.median(each.p50 for each in self.bookings[kind])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a booking's email costs.")
    add_against(parser)
    add_size(parser)
    arguments = parser.parse_args()
    with stages(arguments.against, slots=arguments.slots) as running, ExitStack() as stack:
        measured = _measure([(stage, stack.enter_context(_worker(stage))) for stage in running], arguments.rounds)
    for stage, figures in zip(running, measured, strict=True):
        _print(f"{stage.product.name}: $book and its email, {CLIENTS} clients; medians of {arguments.rounds}", figures)
    if arguments.against:
        title = f"{arguments.against} (old) and this tree (new), in turn"
        compare(title, "what", *({"booked/s": {kind: each.rate(kind) for kind in KINDS}} for each in measured))


def _measure(running: list[tuple[Stage, "subprocess.Popen[bytes]"]], rounds: int) -> list[Figures]:
    measured = [Figures() for _ in running]
    asks = [{kind: bookings_of(stage, kind) for kind in KINDS} for stage, _ in running]
    for stage, _ in running:
        with stage.connect() as connection:
            connection.execute("UPDATE clinic_patient SET email = '' WHERE id <= %s", [PATIENTS])  # those of NONE
    for round_ in range(rounds + 1):
        for kind in KINDS:
            for (stage, worker), figures, bookings in zip(running, measured, asks, strict=True):
                _discard(stage)
                worker.send_signal(signal.SIGCONT if kind == WORKER else signal.SIGSTOP)
                began = _processor_seconds(worker.pid)
                outcome = measure(stage.askers(CLIENTS), list(islice(bookings[kind], BOOKINGS)))
                if outcome.statuses[201] != BOOKINGS:
                    raise SystemExit(f"Not everything was booked: {outcome.statuses}")
                seconds = _await_emails(stage) if kind == WORKER else 0.0
                worker.send_signal(signal.SIGSTOP)
                if not round_:  # the first warms up
                    continue
                figures.bookings[kind].append(outcome)
                if kind == WORKER:
                    figures.last_email.append(seconds)
                    figures.worker.append((_processor_seconds(worker.pid) - began) / BOOKINGS * 1000)
    return measured


def _print(title: str, figures: Figures) -> None:
    table(
        f"{title} rounds of {BOOKINGS}",
        ["what", "booked/s", "of no email", "p50 ms", "last email, s later", "worker's CPU, ms an email"],
        [
            [
                kind,
                round(figures.rate(kind)),
                f"{figures.rate(kind) / figures.rate(NONE):.0%}",
                figures.p50(kind),
                statistics.median(figures.last_email) if kind == WORKER else "",
                statistics.median(figures.worker) if kind == WORKER else "",
            ]
            for kind in KINDS
        ],
    )


def bookings_of(stage: Stage, kind: str) -> Iterator[Ask]:
    """Free quarters of an hour, a year from now, each once; each kind has schedules and patients of its own."""
    far = stage.first_day + timedelta(days=364)
    for number in count():
        schedule = 300 * KINDS.index(kind) + number % 300 + 1
        patient = PATIENTS * KINDS.index(kind) + number % PATIENTS + 1
        yield book([f"s{schedule}"], far + timedelta(minutes=15 * (number // 300)), f"pat{patient}")


@contextmanager
def _worker(stage: Stage) -> Iterator["subprocess.Popen[bytes]"]:
    data_dir = stage.services.data_dir
    program = background(data_dir)[0]
    process = subprocess.Popen([sys.executable, *program.arguments], cwd=stage.product.root, env=environment(data_dir))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(timeout=60)


def _discard(stage: Stage) -> None:
    """Forget what waits for the worker: in the broker and in the outbox."""
    with redis.Redis.from_url(redis_url(stage.services.data_dir)) as broker:
        broker.delete("celery")
    with stage.connect() as connection:
        connection.execute("UPDATE clinic_communication SET status = 'stopped' WHERE status = 'preparation'")


def _await_emails(stage: Stage) -> float:
    """Wait until all confirmations are sent, and return the seconds that it took."""
    began = time.monotonic()
    waiting = (
        "SELECT count(*) FROM clinic_communication"
        " WHERE event = 'confirmation' AND status IN ('preparation', 'in-progress')"
    )
    with stage.connect() as connection:
        while connection.execute(waiting).fetchone() != (0,):
            if time.monotonic() - began > PATIENCE:
                raise SystemExit(f"The worker of {stage.product.name} does not send what is due.")
            time.sleep(0.05)
    return time.monotonic() - began


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
