"""A clinic is deployed with the commands of the Dockerfile and compose.yaml, without privileges, where it can write
nothing but temporary files.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pathspec
import pytest
from django.conf import settings
from django.db import connection

from tests import template_database
from tests.deploy.files import ENVIRONMENT, ROOT, compose, image_build, image_command, image_health_check

HOST = ENVIRONMENT["ALLOWED_HOSTS"]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")  # of the tests, which run beside those of others
DATABASE = f"clinic_deployed_{WORKER}"
REDIS_DATABASE = 9 + int(WORKER.removeprefix("gw")) % 5
SECONDS = 240
SHIFTED_CLOCK = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")  # of `make check-dates`
# Root without privileges is held to permissions as anybody is; it still gets to the socket of the tests' PostgreSQL.
WITHOUT_PRIVILEGES = ["setpriv", "--bounding-set=-all,+dac_read_search", "--inh-caps=-all", "--no-new-privs"]


@dataclass(frozen=True)
class Container:
    """A folder that stands in for the image, and the environment that compose.yaml would give it."""

    app: Path
    environment: Mapping[str, str]

    def command(self, words: Sequence[str]) -> list[str]:
        return [*(WITHOUT_PRIVILEGES if os.geteuid() == 0 else []), *words]

    def run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        options = {"cwd": self.app, "env": self.environment, "timeout": SECONDS}
        return subprocess.run(self.command(words), capture_output=True, text=True, check=False, **options)

    def start(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program that runs until it is told to stop, with all that it starts in a group of its own.

        Its log is a file: a program waits for ever that writes to a pipe nobody reads.
        """
        options = {"cwd": self.app, "env": self.environment, "start_new_session": True}
        with (Path(self.environment["TMPDIR"]) / f"{Path(words[0]).name}.log").open("ab") as log:
            return subprocess.Popen(self.command(words), stdout=log, stderr=log, **options)


def copied_files() -> list[str]:
    """Return the files that `COPY . .` takes: those of the repository without the ones in .dockerignore."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rooted = [line if line.startswith(("#", "**", "!")) or not line else f"/{line}" for line in lines]
    ignored = pathspec.GitIgnoreSpec.from_lines(rooted)
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return [name for name in tracked.stdout.decode().splitlines() if not ignored.match_file(name)]


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker) -> Iterator[str]:
    """An empty database, or a migrated one where the tests have it: migrations are run by every run of the tests."""
    template = template_database.wait_for_template()
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}" + (f" TEMPLATE {template}" if template else ""))
        yield urlsplit(settings.DATABASE_URL)._replace(path=f"/{DATABASE}").geturl()
        cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(scope="module")
def container(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    app = tmp_path_factory.mktemp("app")
    for name in copied_files():
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, app / name)
    (app / "node_modules").symlink_to(ROOT / "node_modules")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    temporary = tmp_path_factory.mktemp("tmp")
    environment = {
        **ENVIRONMENT,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "EMAIL_URL": "dummymail://",
        "SECRET_KEY": secrets.token_hex(40),
        "DATABASE_URL": database,
        "REDIS_URL": settings.REDIS_URL.replace("db=0", f"db={REDIS_DATABASE}"),
        "BEHIND_PROXY": compose()["x-application"]["environment"]["BEHIND_PROXY"],
        "GRANIAN_PORT": str(port),
        "TMPDIR": str(temporary),
        "PYTHONDONTWRITEBYTECODE": "1",
        **{name: os.environ[name] for name in SHIFTED_CLOCK if name in os.environ},
    }
    build = image_build().replace("/opt/venv/bin/", "")
    subprocess.run(build, shell=True, cwd=app, env={"PATH": environment["PATH"]}, check=True, capture_output=True)
    for folder in [app, *(path for path in app.rglob("*") if path.is_dir() and not path.is_symlink())]:
        folder.chmod(0o555)
    yield Container(app, environment)
    for folder in [app, *(path for path in app.rglob("*") if path.is_dir() and not path.is_symlink())]:
        folder.chmod(0o755)


@pytest.fixture(scope="module")
def migrations(container: Container) -> subprocess.CompletedProcess[str]:
    """The migrations, which run once for all programs."""
    return container.run(compose()["services"]["migrations"]["command"])


@pytest.fixture
def deployed(container: Container, migrations: object) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The web server, the worker and the clock."""
    services = compose()["services"]
    clock = [word.replace("/tmp", container.environment["TMPDIR"]) for word in services["clock"]["command"]]
    commands = {"web": image_command(), "worker": services["worker"]["command"], "clock": clock}
    programs = {name: container.start(command) for name, command in commands.items()}
    yield programs
    for program in programs.values():
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait(SECONDS)


def wait_until(is_so) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def answers(request: Request) -> bool:
    """True if a server answers the request with 200."""
    try:
        with urlopen(request, timeout=SECONDS) as response:
            return response.status == 200
    except (URLError, TimeoutError):
        return False


def test_the_folder_of_the_image_can_not_be_written(container):
    done = container.run([sys.executable, "-c", "open('written', 'w')"])
    assert "PermissionError" in done.stderr


def test_migrations_run_to_their_end_and_the_settings_are_safe(container, migrations):
    assert migrations.returncode == 0, migrations.stderr
    checked = container.run(["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_web_server_answers_the_worker_works_and_all_stop_when_told(container, deployed):
    wait_until(lambda: container.run(image_health_check()).returncode == 0)
    address = f"http://127.0.0.1:{container.environment['GRANIAN_PORT']}"
    headers = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}  # the proxy has ended TLS
    wait_until(lambda: answers(Request(f"{address}/healthz?worker", headers=headers)))
    wait_until(lambda: "pong" in container.run(["celery", "-A", "clinic", "inspect", "ping"]).stdout)

    examined = container.run(["python", "manage.py", "doctor"])
    assert (examined.returncode, examined.stderr) == (0, ""), examined.stdout

    with urlopen(Request(f"{address}/", headers=headers), timeout=SECONDS) as page:
        assert ENVIRONMENT["CLINIC_NAME"] in page.read().decode()
    with urlopen(Request(f"{address}/readyz", headers=headers), timeout=SECONDS) as ready:
        assert ready.status == 200

    for name, program in deployed.items():
        program.terminate()
        assert program.wait(SECONDS) == 0, name


def test_a_server_that_does_not_answer_is_not_healthy(container):
    examined = container.run(["python", "manage.py", "doctor"])
    assert "  - No worker answers: start one with celery -A clinic worker." in examined.stdout
    done = container.run(image_health_check())
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
