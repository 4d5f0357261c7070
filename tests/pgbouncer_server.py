"""A real PgBouncer in transaction mode, between the tests and their PostgreSQL."""

import re
import signal
import socket
import subprocess
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from bootstrap import pgbouncer_path
from demo.embedded import Service, _give, _identity_for, launch

SESSIONS = 2  # of PostgreSQL, for all clients
PORT = 6432


class PgBouncer(Service):
    """A PgBouncer whose databases are those of the server with these parameters of psycopg.

    It gives no prepared statement a name of its own: older ones cannot, and newer ones are told not to.
    """

    name = "PgBouncer"
    directory = "pgbouncer"
    pid_file = "pgbouncer.pid"
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path, server: dict[str, Any]) -> None:
        super().__init__(data_dir)
        self.server = server
        self.program = Path(str(pgbouncer_path()))

    def _prepare(self) -> None:
        self.home.mkdir(exist_ok=True)
        found = {name: self.server[name] for name in ("host", "port", "user", "password") if self.server.get(name)}
        address = " ".join(f"{name}={value}" for name, value in found.items())
        settings = {
            "listen_port": PORT,
            "unix_socket_dir": self.socket_dir,
            "pidfile": self.home / self.pid_file,
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": SESSIONS,
            **({"max_prepared_statements": 0} if self._version() >= (1, 21) else {}),
        }
        lines = [
            "[databases]",
            f"* = {address}",
            "[pgbouncer]",
            *(f"{name} = {each}" for name, each in settings.items()),
        ]
        self._settings.write_text("\n".join(lines))
        for directory in (self.home, self.socket_dir):
            _give(directory, self._identity.owner)

    @property
    def _settings(self) -> Path:
        return self.home / "pgbouncer.ini"

    @cached_property
    def _identity(self) -> Any:
        return _identity_for(self.program, self.data_dir)

    def _version(self) -> tuple[int, ...]:
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout
        return tuple(map(int, re.findall(r"\d+", said)[:2]))

    def _launch(self, lease: int) -> "subprocess.Popen[bytes]":
        argv = [*self._identity.prefix, str(self.program), str(self._settings)]
        return launch(argv, log=self.log, death_signal=self.stop_signal, user=self._identity.user, inherited=[lease])

    def _answers(self, process: "subprocess.Popen[bytes]") -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.socket_dir / f".s.PGSQL.{PORT}"))
            return True
        return False
