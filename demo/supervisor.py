"""`make demo` and `make run`: PostgreSQL, Redis, web server, worker and clock of the clinic, in one terminal.

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

from demo import openid_key, programs
from demo.embedded import EmbeddedError, Postgres, Redis, Service, end, last_words, launch
from demo.programs import HOST, Program
from demo.stripe_server import PAYMENTS_FILE, SECRET_KEY, WEBHOOK_SECRET

ROOT = Path(__file__).resolve().parent.parent
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
    noor@example.org   referrer of another practice
    admin@example.com  administrator

  Software signs in at {site}/oauth/token/ (client credentials) as demo-system with demo-system-secret.

  Data and logs are in {data_dir}. Ctrl-C stops everything.
"""
RELOADING = """  Changed code, templates and styles are used at once. What the programs log follows here.
"""


class DemoError(Exception):
    """The demo cannot start or go on; the message is a sentence for whoever started it."""


class Stop(Exception):
    """Ctrl-C or SIGTERM has arrived."""


@dataclass
class Log:
    """The log of a program, whose lines are copied to the terminal as they come."""

    name: str
    path: Path
    position: int = 0
    unfinished: bytes = b""

    def copy(self) -> None:
        """Print the lines that have been written since the last time."""
        if self.path.stat().st_size <= self.position:
            return
        with self.path.open("rb") as file:
            file.seek(self.position)
            text = file.read()
        self.position += len(text)
        *lines, self.unfinished = (self.unfinished + text).split(b"\n")
        for line in lines:
            say(f"{self.name:10} | {line.decode(errors='replace')}")


class Supervisor:
    """Runs services and programs until a signal arrives or one of them ends by itself.

    The web server starts once the database and the static files are prepared: a page that somebody asks for earlier
    would remember that there are no static files. The background waits for both: it would only slow them down.

    With `follow` the terminal shows the programs' logs too.
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
        follow: bool = False,
    ) -> None:
        self.data_dir = data_dir
        self.port = port
        self.services = services
        self.web = web
        self.preparation = preparation
        self.background = background
        self.follow = follow
        self._told_to_stop = threading.Event()
        self._followed: list[Log] = []
        self._programs: list[subprocess.Popen[bytes]] = []
        self._watched: list[tuple[str, subprocess.Popen[bytes], Path]] = []

    def run(self) -> None:
        """Return once told to stop; raise `DemoError` or `EmbeddedError` otherwise. Nothing keeps running."""
        self._listen_for_signals()
        with ExitStack() as stack:
            try:
                self._start(stack)
                say(WELCOME.format(site=f"http://{HOST}:{self.port}", data_dir=self.data_dir))
                if self.follow:
                    say(RELOADING)
                    self._followed = [Log(each.name, self._log(each)) for each in (self.web, *self.background)]
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
        for followed in self._followed:
            followed.copy()
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
    """Return why nothing can be served on `port`, as an errno; None where that is possible."""
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


def run(*, reset: bool, reload: bool) -> None:
    """Run the demo in the foreground until it is told to stop; with `reload` as the server of a developer."""
    port = chosen_port()
    data_dir = Path(os.environ.get("CLINIC_DATA_DIR") or ROOT / "var").resolve()
    os.environ["CLINIC_DATA_DIR"] = str(data_dir)
    services = own_services(data_dir)
    if reset:
        erase(data_dir, services)
    if reload:
        os.environ |= {"DEBUG": "true", "PYTHONUNBUFFERED": "1"}
    others = own_payment_provider(data_dir, port)
    background = programs.development_background(data_dir) if reload else programs.background(data_dir)
    Supervisor(
        data_dir,
        port,
        services=services,
        web=programs.development_web_server(port) if reload else programs.web_server(port),
        preparation=programs.PREPARATION,
        background=[*others, *background],
        follow=reload,
    ).run()


def own_services(data_dir: Path) -> list[Service]:
    """The servers that the environment does not name; what the settings then need is put into it."""
    services: list[Service] = []
    if "DATABASE_URL" not in os.environ:
        services.append(Postgres(data_dir))
        os.environ.setdefault("OIDC_RSA_PRIVATE_KEY", openid_key.demo_key(data_dir))
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


def own_payment_provider(data_dir: Path, port: int) -> list[Program]:
    """The local payment provider, unless the environment names one; its settings are put into the environment."""
    if "PAYMENT_PROVIDER" in os.environ:
        return []
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        own_port = probe.getsockname()[1]
    os.environ |= {
        "PAYMENT_PROVIDER": "local",
        "STRIPE_API_BASE": f"http://{HOST}:{own_port}",
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    return [programs.payment_provider(data_dir, own_port, f"http://{HOST}:{port}/payments/stripe/")]


def erase(data_dir: Path, services: Sequence[Service]) -> None:
    """Delete the demo's data, never a database of the user's own."""
    if not any(isinstance(service, Postgres) for service in services):
        raise DemoError("DATABASE_URL is set: the demo does not reset a database that is not its own.")
    for service in services:
        service.erase()
    for schedule in data_dir.glob("celerybeat-schedule*"):
        schedule.unlink()
    shutil.rmtree(data_dir / "mail", ignore_errors=True)
    (data_dir / PAYMENTS_FILE).unlink(missing_ok=True)


def main() -> int:
    """The command: `python -m demo [--reset] [--reload]`."""
    parser = argparse.ArgumentParser(prog="demo", description="Run the clinic on this machine, with demo data.")
    parser.add_argument("--reset", action="store_true", help="start afresh: delete the demo's data first")
    parser.add_argument("--reload", action="store_true", help="for developers: DEBUG, and changed code is used at once")
    arguments = parser.parse_args()
    try:
        run(reset=arguments.reset, reload=arguments.reload)
    except (DemoError, EmbeddedError) as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"demo: Cannot use {error.filename}: {error.strerror}.\n")
        return 1
    return 0
