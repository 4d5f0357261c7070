"""A clinic is deployed with the commands of the Dockerfile and compose.yaml, without privileges, where it can write
nothing but temporary files.
"""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.db import connection

from tests import template_database
from tests.deploy.files import ENVIRONMENT, compose, image_command, image_health_check
from tests.deploy.plain_folder import SECONDS, Container, answers, behind_proxy, free_port, plain_folder, wait_until

HOST = ENVIRONMENT["ALLOWED_HOSTS"]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")  # of the tests, which run beside those of others
DATABASE = f"clinic_deployed_{WORKER}"
REDIS_DATABASE = 9 + int(WORKER.removeprefix("gw")) % 5


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
    with plain_folder(tmp_path_factory) as built:
        environment = {
            **ENVIRONMENT,
            "EMAIL_URL": "dummymail://",
            "SECRET_KEY": secrets.token_hex(40),
            "DATABASE_URL": database,
            "REDIS_URL": settings.REDIS_URL.replace("db=0", f"db={REDIS_DATABASE}"),
            "BEHIND_PROXY": compose()["x-application"]["environment"]["BEHIND_PROXY"],
            "GRANIAN_PORT": str(free_port()),
        }
        yield replace(built, environment={**environment, **built.environment})


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


def test_the_folder_of_the_image_can_not_be_written(container):
    done = container.run([sys.executable, "-c", "open('written', 'w')"])
    assert "PermissionError" in done.stderr


def test_migrations_run_to_their_end_and_the_settings_are_safe(container, migrations):
    assert migrations.returncode == 0, migrations.stderr
    checked = container.run(["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_web_server_answers_the_worker_works_and_all_stop_when_told(container, deployed):
    wait_until(lambda: container.run(image_health_check()).returncode == 0)
    port = int(container.environment["GRANIAN_PORT"])
    wait_until(lambda: answers(behind_proxy(port, HOST, "/healthz?worker")))
    wait_until(lambda: "pong" in container.run(["celery", "-A", "clinic", "inspect", "ping"]).stdout)

    examined = container.run(["python", "manage.py", "doctor"])
    assert (examined.returncode, examined.stderr) == (0, ""), examined.stdout

    with urlopen(behind_proxy(port, HOST, "/"), timeout=SECONDS) as page:
        assert ENVIRONMENT["CLINIC_NAME"] in page.read().decode()
    with urlopen(behind_proxy(port, HOST, "/readyz"), timeout=SECONDS) as ready:
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
