"""The demo's supervisor, with small programs instead of Django's."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo import supervisor
from demo.embedded import EmbeddedError, Postgres, Redis, Service
from demo.programs import HOST
from demo.supervisor import DemoError
from tests.demo.processes import is_gone

# A demo with a web server, a preparation and a background of a few lines each. They report their process ids.
SMALL_DEMO = """
import signal
import sys
from pathlib import Path
from demo.embedded import EmbeddedError, Redis
from demo.programs import Program
from demo.supervisor import DemoError, Supervisor

data_dir, port, preparation, background, follow = Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
WEB = '''
import http.server, os, pathlib, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
pathlib.Path(sys.argv[2], "web.pid").write_text(str(os.getpid()))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'''
supervisor = Supervisor(
    data_dir,
    port,
    services=[Redis(data_dir)],
    web=Program("web server", "web.log", ("-c", WEB, str(port), str(data_dir)), signal.SIGTERM),
    preparation=Program("preparation", "prepare.log", ("-c", preparation)),
    background=[Program("worker", "worker.log", ("-c", background))],
    follow=follow == "follow",
)
try:
    supervisor.run()
except (DemoError, EmbeddedError) as error:
    sys.exit(f"demo: {error}")
"""
SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number: int = probe.getsockname()[1]
    return number


class SmallDemo:
    """A running small demo; `processes` are all it has started."""

    def __init__(self, data_dir: Path, port: int, preparation: str, background: str, follow: str) -> None:
        arguments = [str(data_dir), str(port), preparation, background, follow]
        self.supervisor = subprocess.Popen(
            [sys.executable, "-c", SMALL_DEMO, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=supervisor.ROOT,
        )
        self.output = ""

    def read_until(self, pattern: str) -> None:
        assert self.supervisor.stdout is not None
        while not re.search(pattern, self.output):
            line = self.supervisor.stdout.readline()
            assert line, f"ended without {pattern!r}: {self.output}"
            self.output += line

    def processes(self) -> list[int]:
        pid = self.supervisor.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def wait(self) -> int:
        self.output += self.supervisor.communicate(timeout=20)[0]
        return self.supervisor.returncode


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Callable[..., SmallDemo]]:
    started: list[SmallDemo] = []

    def begin(preparation: str = "", background: str = SLEEP, follow: str = "") -> SmallDemo:
        started.append(SmallDemo(tmp_path, port, preparation, background, follow))
        return started[-1]

    yield begin
    for small in started:
        small.supervisor.kill()
        small.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(start: Callable[..., SmallDemo], number: signal.Signals) -> None:
    small = start()
    small.read_until("Ctrl-C stops everything")
    processes = small.processes()
    assert len(processes) == 3
    small.supervisor.send_signal(number)
    assert small.wait() == 0
    assert "Stopping" in small.output
    assert all(is_gone(pid) for pid in processes)


def test_logs_are_followed_in_the_terminal_of_a_developer(start: Callable[..., SmallDemo]) -> None:
    speak = "print('half', end='', flush=True); import time; time.sleep(0.3); print(' a line', flush=True); "
    small = start(background=speak + SLEEP, follow="follow")
    small.read_until("log follows here")
    small.read_until(r"\nworker +\| half a line\n")
    small.supervisor.send_signal(signal.SIGINT)
    assert small.wait() == 0
    assert small.output.count("half") == 1


def test_the_demo_keeps_logs_out_of_the_terminal(start: Callable[..., SmallDemo], tmp_path: Path) -> None:
    small = start(background="print('a line', flush=True); " + SLEEP)
    small.read_until("Ctrl-C stops everything")
    while "a line" not in (tmp_path / "log" / "worker.log").read_text():
        time.sleep(0.02)
    small.supervisor.send_signal(signal.SIGINT)
    assert small.wait() == 0
    assert "a line" not in small.output


def test_a_signal_stops_everything_while_the_database_is_being_prepared(start: Callable[..., SmallDemo]) -> None:
    small = start(preparation=SLEEP)
    small.read_until("preparing the database")
    small.supervisor.send_signal(signal.SIGINT)
    assert small.wait() == 0
    assert "Ctrl-C" not in small.output


def test_a_part_that_ends_is_named_and_stops_everything(start: Callable[..., SmallDemo], tmp_path: Path) -> None:
    small = start()
    small.read_until("Ctrl-C stops everything")
    processes = small.processes()
    os.kill(int((tmp_path / "web.pid").read_text()), signal.SIGKILL)
    assert small.wait() == 1
    assert "demo: The web server has ended unexpectedly (SIGKILL)." in small.output
    assert str(tmp_path / "log" / "web.log") in small.output
    assert all(is_gone(pid) for pid in processes)


def test_a_part_that_cannot_start_says_why(start: Callable[..., SmallDemo]) -> None:
    small = start(background="raise SystemExit('error: no broker here')")
    assert small.wait() == 1
    assert "The worker has ended unexpectedly (exit code 1). The last it said: no broker here" in small.output


def test_a_failed_preparation_says_why_and_opens_nothing(start: Callable[..., SmallDemo]) -> None:
    small = start(preparation="raise SystemExit('error: no table here')")
    assert small.wait() == 1
    assert "demo: Preparing the database failed: no table here (log: " in small.output
    assert "The clinic is open" not in small.output


def test_a_killed_supervisor_takes_everything_along_and_the_next_start_works(
    start: Callable[..., SmallDemo],
) -> None:
    small = start()
    small.read_until("Ctrl-C stops everything")
    processes = small.processes()
    small.supervisor.kill()
    assert all(is_gone(pid) for pid in processes)
    start().read_until("Ctrl-C stops everything")


def test_a_second_demo_on_the_same_data_is_refused(start: Callable[..., SmallDemo]) -> None:
    start().read_until("Ctrl-C stops everything")
    second = start()
    assert second.wait() == 1
    assert "already in use by another process" in second.output


def test_a_busy_port_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, port: int
) -> None:
    monkeypatch.setattr(supervisor, "PORT_SECONDS", 0.1)
    monkeypatch.setattr(sys, "argv", ["demo"])
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("CLINIC_DATA_DIR", str(tmp_path / "data"))
    with socket.socket() as other:
        other.bind((HOST, port))
        other.listen()
        assert supervisor.main() == 1
    assert capsys.readouterr().err == (
        f"demo: Port {port} cannot be used (Address already in use); choose another: PORT=8001 make demo\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("text", ["web", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(DemoError, match="is not a port number"):
        supervisor.chosen_port()


def test_reset_deletes_the_demos_data_and_nothing_else(tmp_path: Path) -> None:
    for directory in ("postgres", "redis", "my-own"):
        (tmp_path / directory).mkdir()
    (tmp_path / "celerybeat-schedule.dat").touch()
    services: list[Service] = [Postgres(tmp_path), Redis(tmp_path)]
    supervisor.erase(tmp_path, services)
    for service in services:
        service.stop()
    left = {path.name for path in tmp_path.iterdir() if path.suffix not in (".claim", ".lease")}
    assert left == {"my-own", "log"}


def test_reset_never_touches_a_database_that_is_not_the_demos(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="DATABASE_URL is set"):
        supervisor.erase(tmp_path, [Redis(tmp_path)])


def test_reset_is_refused_while_the_demo_runs(start: Callable[..., SmallDemo], tmp_path: Path) -> None:
    start().read_until("Ctrl-C stops everything")
    with pytest.raises(EmbeddedError, match="already in use"):
        supervisor.erase(tmp_path, [Redis(tmp_path), Postgres(tmp_path)])


def test_the_demo_uses_the_servers_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "environ", {"DATABASE_URL": "postgresql://elsewhere/clinic", "REDIS_URL": "redis://there"})
    assert supervisor.own_services(tmp_path) == []
    assert os.environ["DEMO"] == "true"
    monkeypatch.setattr(os, "environ", {})
    assert [service.name for service in supervisor.own_services(tmp_path)] == ["PostgreSQL", "Redis"]
    key = (tmp_path / "openid.pem").read_text()
    assert os.environ == {"REDIS_URL": Redis(tmp_path).url, "OIDC_RSA_PRIVATE_KEY": key}
