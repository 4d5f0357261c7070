"""Several clinics in one installation: each is made by a command, and knows nothing of the others."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import crossplane
import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection

from deploy.clinics.__main__ import main
from deploy.clinics.programs import INHERITED
from deploy.clinics.settings_files import Clinic, ClinicError, Folder, check_host, check_name, check_title
from tests.deploy.files import unit_command
from tests.deploy.plain_folder import SECONDS, Container, answers, behind_proxy, free_port, plain_folder, wait_until

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")  # of the tests: roles and databases are the whole server's
INSTALLER = f"installer_{WORKER}"
NORTH, SOUTH = f"north-{WORKER}", f"south-{WORKER}"
DATABASES = {name: f"clinic_{name.replace('-', '_')}" for name in (NORTH, SOUTH)}
TITLE = 'St. Mary\'s "North" Clinic & Daughters, № 1'
SIGN_IN = """
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.utils import timezone
from clinic.models import Patient, User
user = User.objects.create_superuser("alex@example.com", "secret-password")
Patient.objects.create(given="Ada", family="Quinn", last_updated=timezone.now())
cache.set("seen", settings.CLINIC_NAME, None)
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session.create()
print(session.session_key)
"""
LOOK = """
from django.core.cache import cache
from clinic.models import Patient
print(cache.get("seen"), *Patient.objects.filter(given="Ada").values_list("family"))
"""
ASK_WORKER = "from scheduling.tasks import release_expired_holds as task; print(task.delay().id)"


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[psycopg.Connection]:
    """The tests' PostgreSQL, with a role that may make roles and databases. Those of the clinics end with it."""
    with django_db_blocker.unblock():
        parameters = {**connection.get_connection_params(), "dbname": "postgres"}
    known = {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if name in parameters}
    with psycopg.connect(**known, autocommit=True) as administrator:
        _drop(administrator)
        administrator.execute(f"CREATE ROLE {INSTALLER} LOGIN CREATEDB CREATEROLE")
        yield administrator
        _drop(administrator)


def _drop(administrator: psycopg.Connection) -> None:
    for database in DATABASES.values():
        administrator.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        administrator.execute(f"DROP ROLE IF EXISTS {database}")
    administrator.execute(f"DROP ROLE IF EXISTS {INSTALLER}")


@pytest.fixture(scope="module")
def container(server: psycopg.Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A copy of the image, where clinics can be made."""
    with plain_folder(tmp_path_factory) as built:
        environment = {
            **built.environment,
            "CLINICS_DIR": str(tmp_path_factory.mktemp("settings") / "clinics"),
            "PGHOST": server.info.host,
            "PGPORT": str(server.info.port),
            "PGUSER": INSTALLER,
            "REDIS_URL": settings.REDIS_URL,
        }
        yield replace(built, environment=environment)


@pytest.fixture(scope="module")
def folder(container: Container) -> Folder:
    return Folder(Path(container.environment["CLINICS_DIR"]))


@pytest.fixture(scope="module")
def create(container: Container, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Returns what the command says that makes a clinic."""
    backups = tmp_path_factory.mktemp("backups")

    def create(name: str, *options: str) -> subprocess.CompletedProcess[str]:
        host = ["--host", f"visits.{name}.example"]
        where = ["--database-host", container.environment["PGHOST"], "--backups", str(backups)]
        return clinics(container, "create", name, *host, *where, *options)

    return create


@pytest.fixture(scope="module")
def made(folder: Folder, create: Any) -> dict[str, subprocess.CompletedProcess[str]]:
    """The output of the commands that made north, and south, which failed and was begun again."""
    folder.path.mkdir(mode=0o700)
    shared = folder.path / "shared.env"
    shared.write_text("EMAIL_URL=dummymail://\nHOLD_MINUTES=0\n")
    failed = create(SOUTH)
    shared.write_text("EMAIL_URL=dummymail://\n")
    return {"failed": failed, SOUTH: create(SOUTH), NORTH: create(NORTH, "--title", TITLE)}


@pytest.fixture(scope="module")
def sessions(container: Container, folder: Folder, made: object) -> dict[str, str]:
    """The keys of an administrator's session in each clinic, which has a patient Ada Quinn and a cached value too."""
    return {name: run(container, folder.clinic(name), SIGN_IN) for name in (NORTH, SOUTH)}


def clinics(container: Container, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of an installation with several clinics."""
    return container.run([sys.executable, "-m", "deploy.clinics", *arguments])


def of_clinic(container: Container, clinic: Clinic) -> Container:
    """Return the folder with the environment that a unit of the clinic has."""
    inherited = {name: container.environment[name] for name in INHERITED if name in container.environment}
    return replace(container, environment={**inherited, **clinic.settings})


def run(container: Container, clinic: Clinic, code: str) -> str:
    """Run Python in a clinic, and return what it prints."""
    done = of_clinic(container, clinic).run([sys.executable, "manage.py", "shell", "--verbosity=0", "-c", code])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def running(container: Container, clinic: Clinic, unit: str, **other: str) -> Iterator[None]:
    """Run the program of a unit for a clinic."""
    inside = of_clinic(container, clinic)
    program = replace(inside, environment={**inside.environment, **other}).start(unit_command(unit))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait(SECONDS)


@contextmanager
def served(container: Container, clinic: Clinic) -> Iterator[int]:
    """Serve a clinic on a port that is free on this machine, with one worker."""
    port = free_port()
    with running(container, clinic, "clinic-web@", GRANIAN_PORT=str(port), GRANIAN_WORKERS="1"):
        wait_until(lambda: answers(behind_proxy(port, clinic.hosts[0], "/readyz")))
        yield port


def status_of(port: int, clinic: Clinic, session: str) -> int:
    """Return how the staff's pages answer a browser with this session: 302 leads to signing in."""
    request = behind_proxy(port, clinic.hosts[0], "/staff/patients/")
    headers = {**request.headers, "Cookie": f"sessionid={session}"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as asking:
        asking.request("GET", request.selector, headers=headers)
        return asking.getresponse().status


def test_a_clinic_that_could_not_be_finished_is_gone_on_with(made, create, folder):
    assert made["failed"].returncode == 1
    assert "HOLD_MINUTES must be a whole number from 1 to 120" in made["failed"].stderr
    assert f"{SOUTH} has no tables yet: mend what is said above, then run the same command" in made["failed"].stderr
    assert (made[SOUTH].returncode, made[SOUTH].stderr) == (0, "")
    before = folder.clinic(SOUTH).file.read_text()
    assert create(SOUTH).returncode == 0
    assert folder.clinic(SOUTH).file.read_text() == before


def test_it_says_what_is_still_to_be_done(made, folder):
    said = made[NORTH].stdout
    assert f"systemctl enable --now clinic@{NORTH}.target" in said
    assert f"-m deploy.clinics manage {NORTH} createsuperuser" in said
    assert str(folder.clinic(NORTH).file) in said
    assert folder.clinic(NORTH).password not in "".join(done.stdout + done.stderr for done in made.values())


def test_a_clinic_has_settings_of_its_own_that_only_their_owner_reads(made, folder, container):
    north, south = folder.clinic(NORTH), folder.clinic(SOUTH)
    assert {clinic.file.stat().st_mode & 0o777 for clinic in (north, south)} == {0o600}
    own = set(north.settings) - {"EMAIL_URL", "REDIS_URL", "BEHIND_PROXY"}
    assert not [name for name in own if north.settings[name] == south.settings[name]]
    assert (north.settings["CLINIC_NAME"], north.settings["EMAIL_URL"]) == (TITLE, "dummymail://")
    checked = of_clinic(container, north).run(["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    assert (checked.returncode, checked.stderr) == (0, "")


def test_no_other_role_gets_into_a_clinics_database(made, server, container):
    for role, database in [(DATABASES[SOUTH], DATABASES[NORTH]), (INSTALLER, DATABASES[NORTH])]:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(host=container.environment["PGHOST"], user=role, dbname=database)
    [verifier] = server.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [DATABASES[NORTH]]).fetchone()
    assert verifier.startswith("SCRAM-SHA-256$")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([NORTH, "--host", "visits.else.example"], f"There is a clinic {NORTH} already, on visits.{NORTH}.example"),
        (["east", "--host", f"visits.{NORTH}.example"], f"is the host of the clinic {NORTH} already"),
        (["North", "--host", "visits.east.example"], "'North' is no name for a clinic"),
        (["east", "--host", "https://visits.east.example"], "is no host name"),
    ],
    ids=["taken name", "taken host", "no name", "no host"],
)
def test_names_and_hosts_that_are_wrong_or_taken_are_refused(made, container, arguments, sentence):
    done = clinics(container, "create", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_there_without_settings_is_left_alone(made, container, folder):
    kept = folder.clinic(NORTH).file
    kept.rename(kept.with_suffix(".kept"))
    try:
        done = clinics(container, "create", NORTH, "--host", "visits.else.example")
    finally:
        kept.with_suffix(".kept").rename(kept)
    assert done.returncode == 1
    assert f"has a role or a database {DATABASES[NORTH]} already" in done.stderr
    assert f"Put {NORTH}.env back, or choose another name" in done.stderr


def test_without_postgresql_it_says_how_to_name_one(container):
    nowhere = replace(container, environment={**container.environment, "PGHOST": "/nowhere"})
    done = clinics(nowhere, "create", "east", "--host", "visits.east.example")
    assert done.returncode == 1
    assert "PostgreSQL refuses" in done.stderr
    assert "PGHOST, PGPORT, PGUSER, PGPASSFILE" in done.stderr


def test_clinics_share_no_row_no_session_and_no_cached_value(sessions, container, folder):
    north, south = folder.clinic(NORTH), folder.clinic(SOUTH)
    assert run(container, north, LOOK) == f"{TITLE} ('Quinn',)"
    assert run(container, south, LOOK) == f"{SOUTH.capitalize()} ('Quinn',)"
    with served(container, north) as port:
        assert status_of(port, north, sessions[NORTH]) == 200
        assert status_of(port, north, sessions[SOUTH]) == 302


def test_a_worker_gets_the_tasks_of_its_own_clinic_alone(made, container, folder):
    north, south = folder.clinic(NORTH), folder.clinic(SOUTH)
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        for clinic in (north, south):
            broker.delete(f"{clinic.name}:celery")
            run(container, clinic, ASK_WORKER)
            assert broker.llen(f"{clinic.name}:celery") == 1
        with running(container, north, "clinic-worker@"):
            wait_until(lambda: broker.llen(f"{NORTH}:celery") == 0)
            ping = ["celery", "-A", "clinic", "inspect", "ping"]
            wait_until(lambda: "pong" in of_clinic(container, north).run(ping).stdout)
            assert "pong" not in of_clinic(container, south).run(ping).stdout
        assert broker.llen(f"{SOUTH}:celery") == 1
        broker.delete(f"{SOUTH}:celery")


def test_an_update_that_fails_in_one_clinic_stops_there_and_the_others_are_served(made, container, folder):
    north = folder.clinic(NORTH)
    west = folder.path / "west.env"
    south = folder.clinic(SOUTH).file
    before = south.read_text()
    with served(container, north) as port:
        west.write_text(before.replace(f"visits.{SOUTH}", "visits.west"))
        south.write_text(before.replace(f"/{DATABASES[SOUTH]}?", "/no_such_database?"))
        try:
            updated = clinics(container, "each", "migrate", "--verbosity=0")
            saved = clinics(container, "each", "--keep-going", "backup")
        finally:
            south.write_text(before)
            west.unlink()
        assert answers(behind_proxy(port, north.hosts[0], "/readyz"))
    assert updated.returncode == 1
    assert updated.stderr.endswith(f"Failed: {SOUTH}. Done: {NORTH}. Not begun: west.\n")
    assert saved.returncode == 1
    assert saved.stderr.endswith(f"Failed: {SOUTH}. Done: {NORTH}, west. Not begun: none.\n")
    assert len(list(Path(north.settings["BACKUP_DIR"]).glob("clinic-*.dump"))) == 1
    checked = clinics(container, "manage", NORTH, "restore", "--check")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_each_says_what_it_has_done(made, container):
    done = clinics(container, "each", "migrate", "--check", "--verbosity=0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"Done: {NORTH}, {SOUTH}.\n")


def test_clinics_are_listed_with_where_they_are_served(made, container, folder):
    rows = [line.split() for line in clinics(container, "list").stdout.splitlines()]
    files = [str(folder.clinic(name).file) for name in (NORTH, SOUTH)]
    assert rows == [
        [NORTH, "8002", f"visits.{NORTH}.example", files[0]],
        [SOUTH, "8001", f"visits.{SOUTH}.example", files[1]],
    ]


@pytest.mark.parametrize("command", [["list"], ["each", "migrate"], ["proxy", "caddy"], ["manage", "north", "check"]])
def test_where_there_is_no_clinic_a_command_says_so(command, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CLINICS_DIR", str(tmp_path / "clinics"))
    monkeypatch.setattr(sys, "argv", ["clinics", *command])
    with pytest.raises(SystemExit, match=r"There is no clinic .*in .*clinics"):
        main()


def test_a_folder_that_cannot_be_written_is_an_answer(tmp_path):
    (tmp_path / "clinics").touch()
    with (
        pytest.raises(ClinicError, match="clinics cannot be written: File exists"),
        Folder(tmp_path / "clinics").locked(),
    ):
        pass


def test_caddy_leads_each_host_to_its_clinic(made, container, tmp_path):
    (tmp_path / "Caddyfile").write_text(clinics(container, "proxy", "caddy").stdout)
    adapted = subprocess.run(
        [Path(sys.executable).with_name("caddy"), "adapt", "--validate", "--config", tmp_path / "Caddyfile"],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    [server] = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()
    leads = {
        route["match"][0]["host"][0]: re.findall(r'"dial": "(.*?)"', json.dumps(route)) for route in server["routes"]
    }
    assert leads == {f"visits.{NORTH}.example": ["127.0.0.1:8002"], f"visits.{SOUTH}.example": ["127.0.0.1:8001"]}


def test_nginx_leads_each_host_to_its_clinic(made, container, tmp_path):
    text = clinics(container, "proxy", "nginx").stdout
    (tmp_path / "nginx.conf").write_text(f"events {{}}\nhttp {{\n{text}}}\n")
    parsed = crossplane.parse(str(tmp_path / "nginx.conf"), strict=True, catch_errors=False)
    assert parsed["status"] == "ok"
    assert "visits.example.org" not in text
    assert re.findall(r"proxy_pass http://127.0.0.1:(\d+);", text) == ["8002", "8001"]


@pytest.mark.parametrize("name", ["north", "north-2", "n", "a" * 20])
def test_a_good_name(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "2north", "north_2", "north-", "a--b", "North", "a" * 21, "../x", "shared"])
def test_a_name_that_no_clinic_can_have(name):
    with pytest.raises(ClinicError, match="is no name for a clinic: up to 20"):
        check_name(name)


@pytest.mark.parametrize("host", ["", "*", "visits.example.org:443", "Visits.example.org", "a..b", "-a.b", "a b"])
def test_a_host_that_no_clinic_can_have(host):
    with pytest.raises(ClinicError, match="is no host name"):
        check_host(host, [])


@pytest.mark.parametrize("title", [" ", "two\nlines", "back\\slash", "$HOME"])
def test_a_title_that_a_settings_file_cannot_hold(title):
    with pytest.raises(ClinicError, match="must be one line of text"):
        check_title(title)
