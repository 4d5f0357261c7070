"""Benchmark of several clinics in one installation: `python -m benchmarks.clinics`.

What a clinic costs that does nothing: the time to make it, its disk, and the memory and connections of its processes.
Linux only: a process's memory is its proportional set size, in which shared pages count once for all who share them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg

from benchmarks.product import ROOT
from benchmarks.report import table
from benchmarks.stage import HOST
from demo import embedded
from deploy.clinics import programs
from deploy.clinics.settings_files import Clinic, Folder

BIN = Path(sys.executable).parent
BEAT = ["celery", "--quiet", "-A", "clinic", "beat", "--pidfile=", "-l", "warning", "-s"]
PROGRAMS = {
    "web server, 2 workers": ["granian", "--interface", "wsgi", "--host", HOST, "clinic.wsgi:application"],
    "worker, 2 threads": ["celery", "--quiet", "-A", "clinic", "worker", "-P", "threads", "-c", "2", "-l", "warning"],
}
PATHS = ("/", "/fhir/R4/metadata", "/accounts/login/", "/readyz")  # asked before memory is read: code is loaded then


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a clinic costs that does nothing.")
    parser.add_argument("--clinics", type=int, default=2, help="clinics that are made, and run at once (%(default)s)")
    parser.add_argument("--seconds", type=int, default=60, help="for which they run before they are read (%(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clinic-bench-") as directory, ExitStack() as stack:
        folder = Path(directory)
        postgres = stack.enter_context(_services(folder))
        seconds = [_create(folder, number) for number in range(1, arguments.clinics + 1)]
        clinics = Folder(folder / "clinics").clinics()
        programs.manage(clinics[0], "collectstatic", "--noinput", "--verbosity=0")
        running = {clinic.name: stack.enter_context(_running(clinic, folder)) for clinic in clinics}
        for clinic in clinics:
            _ask(clinic)
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            measured = [Idle(clinic, connection, running[clinic.name]) for clinic in clinics]
            time.sleep(arguments.seconds)
            rows = [[idle.clinic.name, round(took), *idle.row()] for idle, took in zip(measured, seconds, strict=True)]
    memory = [f"{program}, MB" for program in (*PROGRAMS, "clock", "PostgreSQL")]
    table(
        f"Clinics that do nothing for {arguments.seconds} seconds",
        ["clinic", "made in, s", "database, MB", "connections", *memory, "% of a core", "PostgreSQL, % of a core"],
        rows,
    )


class Idle:
    """A clinic whose processes run, from the moment at which this is made."""

    def __init__(self, clinic: Clinic, connection: psycopg.Connection, programs: Sequence[int]) -> None:
        self.clinic, self.connection, self.programs = clinic, connection, programs
        self.since, self.cpu_before = time.monotonic(), self._cpu()

    def row(self) -> list[int | float]:
        """Return size, connections, memory in MB, and what share of a core was used since."""
        backends = self._backends()
        name = f"clinic_{self.clinic.name}"
        [size] = self.connection.execute("SELECT pg_database_size(%s)", [name]).fetchone() or [0]
        memory = [sum(map(_memory, _tree(pid))) for pid in self.programs]
        used = [after - before for after, before in zip(self._cpu(), self.cpu_before, strict=True)]
        shares = [100 * seconds / (time.monotonic() - self.since) for seconds in used]
        return [
            round(size / 1e6),
            len(backends),
            *(round(each / 1e6) for each in [*memory, sum(map(_memory, backends))]),
            *shares,
        ]

    def _cpu(self) -> tuple[float, float]:
        """Return the seconds that the programs have used so far, and those of their connections' processes."""
        programs = [pid for program in self.programs for pid in _tree(program)]
        return sum(map(_seconds, programs)), sum(map(_seconds, self._backends()))

    def _backends(self) -> list[int]:
        name = f"clinic_{self.clinic.name}"
        return [pid for [pid] in self.connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [name])]


@contextmanager
def _services(folder: Path) -> Iterator[embedded.Postgres]:
    postgres, redis = embedded.Postgres(folder), embedded.Redis(folder)
    try:
        postgres.start()
        redis.start()
        os.environ |= {"CLINICS_DIR": str(folder / "clinics"), "REDIS_URL": redis.url, "PGUSER": "clinic"}
        os.environ["PGHOST"] = str(embedded.socket_dir(folder, "postgres"))
        yield postgres
    finally:
        redis.stop()
        postgres.stop()


def _create(folder: Path, number: int) -> float:
    """Make a clinic, and return how many seconds that took."""
    began = time.monotonic()
    options = ["--database-host", os.environ["PGHOST"], "--backups", str(folder / "backups")]
    command = [sys.executable, "-m", "deploy.clinics", "create", f"c{number}", "--host", f"c{number}.example", *options]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


@contextmanager
def _running(clinic: Clinic, folder: Path) -> Iterator[list[int]]:
    """Run a clinic's programs, and yield their process ids."""
    environment = {
        **{name: os.environ[name] for name in programs.INHERITED if name in os.environ},
        **{"GRANIAN_WORKERS": "2", "GRANIAN_BLOCKING_THREADS": "4", "EMAIL_URL": "dummymail://"},
        **clinic.settings,
    }
    started: list[subprocess.Popen[bytes]] = []
    try:
        for program, *words in (*PROGRAMS.values(), [*BEAT, str(folder / f"{clinic.name}-beat")]):
            started.append(subprocess.Popen([BIN / program, *words], cwd=ROOT, env=environment))
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=60)


def _ask(clinic: Clinic) -> None:
    """Ask a clinic's web server for some pages, often enough that both of its workers have answered."""
    headers = {"Host": clinic.hosts[0], "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    deadline = time.monotonic() + 120
    while True:
        try:
            for _ in range(20):
                for path in PATHS:
                    urlopen(Request(f"http://{HOST}:{clinic.port}{path}", headers=headers)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _tree(pid: int) -> list[int]:
    """Return a process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _tree(int(child)))]


def _seconds(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    """Return the proportional set size of a process in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
