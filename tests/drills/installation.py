"""The installation of a drill, with the settings of production."""

import os
import socket
import time
from contextlib import ExitStack
from pathlib import Path

from demo import openid_key, programs
from demo.embedded import Postgres, Redis
from demo.supervisor import READY_SECONDS, is_ready
from tests.drills.parts import Kill, Part, ProgramPart, ServicePart, kills

TICK = 0.1


class Installation:
    """PostgreSQL, Redis, web server, worker and clock, which run but for a moment after each kill.

    Once it is made, the environment has the settings of its programs.
    """

    def __init__(self, data_dir: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.port = _free_port()
        self.mail, self.logs = data_dir / "mail", data_dir / "log"
        postgres, redis = Postgres(data_dir), Redis(data_dir)
        self.postgres, self.redis = ServicePart(postgres), ServicePart(redis)
        self.web = ProgramPart(programs.web_server(self.port), self.logs)
        self.worker, self.clock = (ProgramPart(each, self.logs) for each in programs.background(data_dir))
        self.kills: list[Kill] = kills(self.web, self.worker, self.clock, self.redis, self.postgres)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.drills.settings",
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "CLINIC_DATA_DIR": str(data_dir),
            "SECRET_KEY": "only-for-a-drill-" * 4,
            "ALLOWED_HOSTS": "127.0.0.1",
            "CLINIC_COUNTRY": "US",
            "OIDC_RSA_PRIVATE_KEY": openid_key.demo_key(data_dir),
        }

    def start_servers(self) -> None:
        self._start(self.postgres, self.redis)

    def start_programs(self) -> None:
        """Start the programs, and return when the web server is ready."""
        self._start(self.web, self.worker, self.clock)
        self.await_readiness()

    def _start(self, *parts: Part) -> None:
        for part in parts:
            self._stack.callback(part.stop)
            part.start()

    def await_readiness(self) -> None:
        """Return when the web server answers and reaches what it needs; SystemExit if it does not."""
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(self.port):
            if time.monotonic() > deadline:
                raise SystemExit(f"The web server does not become ready; its logs are in {self.logs}.")
            self.tend()
            time.sleep(TICK)

    def tend(self) -> None:
        """Start the parts that have ended a moment ago."""
        for part in (self.postgres, self.redis, self.web, self.worker, self.clock):
            part.tend()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
