"""The parts of an installation: started as production starts them, killed, and started again after a moment."""

import os
import random
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from demo.embedded import Postgres, Redis, end, launch
from demo.programs import Program
from demo.supervisor import ROOT

RESTART_SECONDS = 1.0  # after which a part that has ended is started again, as systemd does
STOP_SECONDS = 20.0  # for a part that is told to stop, then it is killed


class Part(ABC):
    """A part that runs, or has ended and waits for its start."""

    name: str

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._ended: float | None = None

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tend(self) -> None:
        """Start the part if it has ended a moment ago."""
        if self.runs:
            self._ended = None
            return
        now = time.monotonic()
        self._ended = self._ended or now
        if now - self._ended >= RESTART_SECONDS:
            self._ended = None
            self.start()

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)


class ServicePart(Part):
    """An embedded server."""

    def __init__(self, service: Postgres | Redis) -> None:
        super().__init__()
        self.service, self.name = service, service.name

    def start(self) -> None:
        self.process = self.service.start()

    def stop(self) -> None:
        self.service.stop()


class ProgramPart(Part):
    """A program of the product. Each start has a log of its own."""

    def __init__(self, program: Program, logs: Path) -> None:
        super().__init__()
        self._program, self.name, self._logs = program, program.name, logs
        self._starts = 0

    def start(self) -> None:
        self._end_group()
        self._starts += 1
        self.process = launch(
            [sys.executable, *self._program.arguments],
            log=self._logs / f"{self._program.log.removesuffix('.log')}-{self._starts}.log",
            death_signal=self._program.death_signal,
            cwd=str(ROOT),
        )

    def stop(self) -> None:
        """Stop the part in order; what does not end soon is killed."""
        if self.process is None:
            return
        self.signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        end(self.process, stop_signal=signal.SIGKILL)

    def kill_all(self) -> None:
        """Kill the program with all of its processes at once."""
        self._end_group()

    def children(self) -> list[int]:
        """Return the processes that the program has started."""
        assert self.process is not None
        return list(_children(self.process.pid))

    def _end_group(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _children(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _name, _, rest = stat.read_text().rpartition(")")
            if int(rest.split()[1]) == parent:
                yield int(stat.parent.name)


@dataclass(frozen=True)
class Kill:
    """A way to end a part, or to cut what connects it."""

    name: str
    part: Part
    do: Callable[[random.Random], None]


def kills(
    web: ProgramPart, worker: ProgramPart, clock: ProgramPart, redis: ServicePart, postgres: ServicePart
) -> list[Kill]:
    """Return every way in which parts are killed."""

    def kill_one_of(processes: list[int], chance: random.Random) -> None:
        if processes:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(processes), signal.SIGKILL)

    def signalled(part: Part, number: signal.Signals) -> Kill:
        return Kill(f"{part.name}: {number.name}", part, lambda _: part.signal(number))

    url = postgres.service.url
    return [
        Kill(f"{web.name}: SIGKILL of one worker", web, lambda chance: kill_one_of(web.children(), chance)),
        *(Kill(f"{part.name}: SIGKILL", part, lambda _, part=part: part.kill_all()) for part in (web, worker, clock)),
        *(signalled(part, signal.SIGTERM) for part in (web, worker, clock, redis)),
        signalled(redis, signal.SIGKILL),
        signalled(postgres, signal.SIGINT),  # a fast restart
        signalled(postgres, signal.SIGQUIT),  # an immediate one, which needs recovery
        signalled(postgres, signal.SIGKILL),
        Kill(
            f"{postgres.name}: SIGKILL of one connection", postgres, lambda chance: kill_one_of(backends(url), chance)
        ),
        Kill(f"{postgres.name}: all connections cut", postgres, lambda _: cut(url)),
        Kill(f"{postgres.name}: one connection cut", postgres, lambda chance: cut(url, chance)),
    ]


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection | None]:
    """A connection, or None while PostgreSQL takes none."""
    try:
        connection = psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError:
        yield None
        return
    with suppress(psycopg.OperationalError), connection:
        yield connection


def backends(url: str) -> list[int]:
    """Return the processes of PostgreSQL that serve other connections than ours, as this machine numbers them."""
    with _connected(url) as connection:
        if connection is not None:
            return [number for (number,) in connection.execute(_OTHERS).fetchall()]
    return []


def cut(url: str, chance: random.Random | None = None) -> None:
    """Cut all connections, or one of them by chance."""
    numbers = backends(url)
    if chance is not None:
        numbers = [chance.choice(numbers)] if numbers else []
    with _connected(url) as connection:
        if connection is not None:
            connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", [numbers])


_OTHERS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()"
)
