"""`make demo`: PostgreSQL, Redis, web server, worker and clock of the clinic, in one terminal.

The supervisor stays in the foreground. It starts everything, says where it is, and stops everything when it
is told to (Ctrl-C, SIGTERM) or when one part ends by itself. It leaves Django to its children: the settings
describe a database that does not run yet.
"""

import argparse
import errno
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from demo.embedded import EmbeddedError, Postgres, Redis, Service, end, last_words, launch

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
READY_SECONDS = 120.0
PORT_SECONDS = 3.0  # a killed demo's web server ends within two
TICK_SECONDS = 0.05

WELCOME = """
  The clinic is open.

    Patients         {site}/
    Staff            {site}/staff/
    Administration   {site}/admin/
    FHIR API         {site}/fhir/R4/metadata
    Mail and texts   {site}/demo/messages/

  Sign in with the password clinic-demo as

    ada@example.com    patient
    bo@example.com     patient
    chen@example.com   practitioner
    rana@example.com   front desk
    admin@example.com  administrator

  Software signs in at {site}/oauth/token/ (client credentials) as demo-system with demo-system-secret.

  Data and logs are in {data_dir}. Ctrl-C stops everything.
"""


class DemoError(Exception):
    """The demo cannot start or go on; the message is a sentence for whoever started it."""


class Stop(Exception):
    """Ctrl-C or SIGTERM has arrived."""


@dataclass(frozen=True)
class Program:
    """One of the demo's own processes: what people call it, and how to run it with this Python."""

    name: str
    log: str
    arguments: tuple[str, ...]
    # What it gets when the supervisor is killed. The web server must pass it on to its workers.
    death_signal: signal.Signals = signal.SIGKILL


PREPARATION = Program("preparation", "prepare.log", ("-c", "from demo.supervisor import prepare; prepare()"))


def web_server(port: int) -> Program:
    """What answers the browser."""
    where = ("--interface", "wsgi", "--no-ws", "--host", HOST, "--port", str(port))
    size = ("--workers", "2", "--blocking-threads", "4", "--workers-kill-timeout", "2")
    arguments = ("-m", "granian", *where, *size, "clinic.wsgi:application")
    return Program("web server", "web.log", arguments, death_signal=signal.SIGTERM)


def background(data_dir: Path) -> list[Program]:
    """What works unseen: the worker, and the clock that tells it when."""
    celery = ("-m", "celery", "--quiet", "-A", "clinic")
    worker = ("worker", "-P", "threads", "-c", "2", "-l", "warning", "--without-gossip", "--without-mingle")
    clock = ("beat", "-s", str(data_dir / "celerybeat-schedule"), "--pidfile=", "-l", "warning")
    return [
        Program("worker", "worker.log", (*celery, *worker)),
        Program("clock", "clock.log", (*celery, *clock)),
    ]


def prepare() -> None:
    """Bring the database up to date, fill it if it is empty and collect static files, with one start of Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False)
    call_command("seed_demo")
    _collect_static_files()


def _collect_static_files() -> None:
    """Collect them where that is still to be done, or one of them has changed: compressing takes a while."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    files = [storage.path(name) for finder in get_finders() for name, storage in finder.list([])]
    if not manifest.exists() or manifest.stat().st_mtime < max(os.stat(path).st_ctime for path in files):
        call_command("collectstatic", interactive=False, verbosity=0)


class Supervisor:
    """Runs services and programs until a signal arrives or one of them ends by itself.

    The web server starts once the database and the static files are prepared: a page that somebody asks for earlier
    would remember that there are no static files. The background waits for both: it would only slow them down.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        *,
        services: Sequence[Service],
        web: Program,
        preparation: Program,
        background: Sequence[Program],
    ) -> None:
        self.data_dir = data_dir
        self.port = port
        self.services = services
        self.web = web
        self.preparation = preparation
        self.background = background
        self._told_to_stop = threading.Event()
        self._programs: list[subprocess.Popen[bytes]] = []
        self._watched: list[tuple[str, subprocess.Popen[bytes], Path]] = []

    def run(self) -> None:
        """Return once told to stop; raise `DemoError` or `EmbeddedError` otherwise. Nothing keeps running."""
        self._listen_for_signals()
        with ExitStack() as stack:
            try:
                self._start(stack)
                say(WELCOME.format(site=f"http://{HOST}:{self.port}", data_dir=self.data_dir))
                while True:
                    self._tick()
            except Stop:
                say("\nStopping ...")

    def _listen_for_signals(self) -> None:
        def stop(signum: int, frame: FrameType | None) -> None:
            self._told_to_stop.set()

        # Set even where the shell left SIGINT ignored, as it does for what it starts in the background.
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, stop)

    def _start(self, stack: ExitStack) -> None:
        (self.data_dir / "log").mkdir(parents=True, exist_ok=True)
        for service in self.services:
            say(f"Starting {service.name} ...")
            stack.callback(service.stop)
            self._watched.append((service.name, service.start(), service.log))
        say("First preparing the database, then starting the web server (the first time takes a little longer) ...")
        stack.callback(self._end_programs)
        self._prepare()
        self._run(self.web)
        self._await_answer()
        for program in self.background:
            self._run(program)

    def _run(self, program: Program) -> None:
        process = self._launch(program)
        self._programs.append(process)
        self._watched.append((f"The {program.name}", process, self._log(program)))

    def _end_programs(self) -> None:
        end(*self._programs, stop_signal=signal.SIGTERM)

    def _prepare(self) -> None:
        process = self._launch(self.preparation)
        try:
            while process.poll() is None:
                self._tick()
        finally:
            end(process, stop_signal=signal.SIGTERM)
        if process.returncode != 0:
            raise DemoError(f"Preparing the database failed: {last_words(self._log(self.preparation))}")

    def _launch(self, program: Program) -> subprocess.Popen[bytes]:
        return launch(
            [sys.executable, *program.arguments],
            log=self._log(program),
            death_signal=program.death_signal,
            cwd=str(ROOT),
        )

    def _log(self, program: Program) -> Path:
        return self.data_dir / "log" / program.log

    def _await_answer(self) -> None:
        for _ in range(int(READY_SECONDS / TICK_SECONDS)):
            self._tick()
            if is_ready(self.port):
                return
        raise DemoError(f"The web server did not become ready; its log is {self.data_dir / 'log' / 'web.log'}.")

    def _tick(self) -> None:
        """Let a moment pass. Every wait comes through here, so a signal or a death is always noticed."""
        if self._told_to_stop.wait(TICK_SECONDS):
            raise Stop
        for name, process, log in self._watched:
            code = process.poll()
            if code is not None:
                how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
                raise DemoError(f"{name} has ended unexpectedly ({how}). The last it said: {last_words(log)}")


def is_ready(port: int) -> bool:
    """True if the web server answers, and says that it reaches what it needs."""
    with (
        suppress(OSError, http.client.HTTPException),
        closing(http.client.HTTPConnection(HOST, port, timeout=5)) as connection,
    ):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    return False


def chosen_port() -> int:
    """The port to serve on: `PORT`, or 8000; `DemoError` where it cannot be had."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DemoError(f"PORT={text} is not a port number; choose one: PORT=8001 make demo")
    port = int(text)
    error = port_error(port)
    if error == errno.EADDRINUSE:
        say(f"Port {port} is in use; waiting a moment, should it be a demo that is just ending ...")
        deadline = time.monotonic() + PORT_SECONDS
        while error == errno.EADDRINUSE and time.monotonic() < deadline:
            time.sleep(TICK_SECONDS)
            error = port_error(port)
    if error is not None:
        raise DemoError(f"Port {port} cannot be used ({os.strerror(error)}); choose another: PORT=8001 make demo")
    return port


def port_error(port: int) -> int | None:
    """Why nothing can be served on `port`, as an errno; None where that is possible."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.errno
    return None


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201


def run(*, reset: bool) -> None:
    """Run the demo in the foreground until it is told to stop."""
    port = chosen_port()
    data_dir = Path(os.environ.get("CLINIC_DATA_DIR") or ROOT / "var").resolve()
    os.environ["CLINIC_DATA_DIR"] = str(data_dir)
    services = own_services(data_dir)
    if reset:
        erase(data_dir, services)
    Supervisor(
        data_dir,
        port,
        services=services,
        web=web_server(port),
        preparation=PREPARATION,
        background=background(data_dir),
    ).run()


def own_services(data_dir: Path) -> list[Service]:
    """The servers that the environment does not name; what the settings then need is put into it."""
    services: list[Service] = []
    if "DATABASE_URL" not in os.environ:
        services.append(Postgres(data_dir))
    else:
        # Beside a database of the user's own the settings expect production; the demo is not that.
        os.environ.setdefault("DEMO", "true")
        os.environ.setdefault("SECRET_KEY", "only-for-the-demo")
        os.environ.setdefault("ALLOWED_HOSTS", HOST)
    if "REDIS_URL" not in os.environ:
        redis = Redis(data_dir)
        services.append(redis)
        os.environ["REDIS_URL"] = redis.url
    return services


def erase(data_dir: Path, services: Sequence[Service]) -> None:
    """Delete the demo's data, never a database of the user's own."""
    if not any(isinstance(service, Postgres) for service in services):
        raise DemoError("DATABASE_URL is set: the demo does not reset a database that is not its own.")
    for service in services:
        service.erase()
    for schedule in data_dir.glob("celerybeat-schedule*"):
        schedule.unlink()
    shutil.rmtree(data_dir / "mail", ignore_errors=True)


def main() -> int:
    """The command: `python -m demo [--reset]`."""
    parser = argparse.ArgumentParser(prog="demo", description="Run the clinic on this machine, with demo data.")
    parser.add_argument("--reset", action="store_true", help="start afresh: delete the demo's data first")
    arguments = parser.parse_args()
    try:
        run(reset=arguments.reset)
    except (DemoError, EmbeddedError) as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"demo: Cannot use {error.filename}: {error.strerror}.\n")
        return 1
    return 0
