"""The files for deployments are ones that Docker, Compose, Caddy, nginx and systemd accept, and agree with the docs."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import crossplane
import pytest
from django.conf import settings

from tests.deploy.files import ENVIRONMENT, JOBS, OF_A_CLINIC, ROOT, UNITS, compose, image_command, unit_command

PROGRAMS = Path(sys.executable).parent
OPERATE = (ROOT / "docs" / "operate.md").read_text()
DOCUMENTED = set(re.findall(r"`([A-Z][A-Z_]+)`", OPERATE))


def checked(program: str, *arguments: str | Path, **environment: str) -> str:
    """Run a checker and return what it says. It must find nothing."""
    done = subprocess.run(
        [PROGRAMS / program, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_dockerfile_has_no_fault():
    assert checked("hadolint", "Dockerfile") == ""


def test_the_last_stage_has_no_compiler_and_no_root():
    last = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert last.startswith("python:3.11-slim\n")
    assert "apt-get" not in last
    assert re.search(r"^USER [1-9]\d*$", last, re.MULTILINE)


def test_compose_accepts_its_file():
    checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")


def test_the_services_of_compose_can_write_nothing_of_the_image_and_have_no_privileges():
    for name in ("web", "worker", "clock", "migrations", "backup"):
        service = compose()["services"][name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name


@pytest.mark.parametrize("host", ["visits.example.org", "localhost"])
def test_caddy_accepts_its_file(host, tmp_path):
    home = {"HOME": str(tmp_path), "ALLOWED_HOSTS": host, "UPSTREAM": "web:8000"}
    checked("caddy", "validate", "--adapter", "caddyfile", "--config", "deploy/Caddyfile", **home)
    checked("caddy", "fmt", "--diff", "deploy/Caddyfile", **home)


def test_nginx_accepts_its_file(tmp_path):
    whole = tmp_path / "nginx.conf"
    whole.write_text("events {}\nhttp {\n" + (ROOT / "deploy" / "nginx.conf").read_text() + "}\n")
    assert crossplane.parse(str(whole), strict=True, catch_errors=False)["status"] == "ok"


def test_proxies_keep_no_log_of_secret_addresses():
    assert "access_log off;" in (ROOT / "deploy" / "nginx.conf").read_text()
    assert not re.search(r"^\s*log\b", (ROOT / "deploy" / "Caddyfile").read_text(), re.MULTILINE)


def test_every_variable_of_compose_is_in_the_example():
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "compose.yaml").read_text()))
    assert wanted == {"POSTGRES_PASSWORD", "ALLOWED_HOSTS"}
    assert wanted <= set(ENVIRONMENT)


def test_every_variable_of_the_example_is_in_the_docs():
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named - DOCUMENTED == {"POSTGRES_PASSWORD"}


@pytest.mark.parametrize("name", [*UNITS, *JOBS])
def test_units_take_the_settings_from_a_file_and_give_no_privileges(name):
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "deploy" / "systemd" / f"{name}.service")
    service = dict(unit["Service"])
    assert (service["User"], service["EnvironmentFile"]) == ("clinic", "/etc/clinic/clinic.env")
    assert (service["NoNewPrivileges"], service["CapabilityBoundingSet"]) == ("yes", "")
    assert service["ProtectSystem"] == "strict"


def read_unit(name: str) -> configparser.ConfigParser:
    """Return a unit of systemd, in which a name may stand more than once; the last one is kept."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "deploy" / "systemd" / name)
    return unit


@pytest.mark.parametrize("name", OF_A_CLINIC)
def test_units_of_one_of_several_clinics_differ_in_whose_they_are_alone(name):
    of_clinic, alone = (
        read_unit(f"{name}.service")["Service"],
        read_unit(f"{name.removesuffix('@')}.service")["Service"],
    )
    assert of_clinic["EnvironmentFile"] == "/etc/clinic/clinics/%i.env"
    text = (ROOT / "deploy" / "systemd" / f"{name}.service").read_text()
    assert text.index("EnvironmentFile=-/etc/clinic/clinics/shared.env") < text.index("EnvironmentFile=/etc/clinic")
    own = {"EnvironmentFile", "User", "DynamicUser", "Environment", "ExecStart", "StateDirectory", "StateDirectoryMode"}
    assert {key: value for key, value in of_clinic.items() if key not in own} == {
        key: value for key, value in alone.items() if key not in own
    }
    places = {"/var/lib/clinic-clock-%i/celerybeat-schedule": "/var/lib/clinic/celerybeat-schedule"}
    of_web = [
        "--workers",
        "2",
        "--blocking-threads",
        "4",
    ]  # which are in the environment, so that a clinic can change them
    command = [word for word in unit_command(name.removesuffix("@")) if word not in of_web or name != "clinic-web@"]
    assert [places.get(word, word) for word in unit_command(name)] == command


def test_processes_of_clinics_have_users_of_their_own_who_get_at_no_backup():
    for name in OF_A_CLINIC:
        service = read_unit(f"{name}.service")["Service"]
        is_job = name.removesuffix("@") in JOBS
        expected = (None, None) if is_job else ("yes", "clinic-%i")
        assert (service.get("DynamicUser"), service.get("User")) == expected, name
        if is_job:
            assert (service["StateDirectory"], service["StateDirectoryMode"]) == ("clinic-backups/%i", "0700")
    environment = read_unit("clinic-web@.service")["Service"]["Environment"]
    assert environment == "GRANIAN_WORKERS=2 GRANIAN_BLOCKING_THREADS=4"


def test_a_target_has_all_of_a_clinic():
    text = (ROOT / "deploy" / "systemd" / "clinic@.target").read_text()
    wanted = set(re.findall(r"(clinic-\S+@)%i\.(service|timer)", text))
    assert wanted == {(f"{name}@", "service") for name in UNITS} | {(f"{name}@", "timer") for name in JOBS}
    for name, kind in wanted:
        assert read_unit(f"{name}.{kind}")["Unit"]["PartOf"] == "clinic@%i.target"


def test_stopping_waits_for_requests_that_run():
    limit = int(image_command()[image_command().index("--workers-kill-timeout") + 1])
    unit = (ROOT / "deploy" / "systemd" / "clinic-web.service").read_text()
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1]) > limit
    assert int(compose()["services"]["web"]["stop_grace_period"].removesuffix("s")) > limit


def test_compose_and_systemd_run_the_same_programs():
    in_compose = {
        "clinic-web": image_command(),
        "clinic-worker": compose()["services"]["worker"]["command"],
        "clinic-clock": compose()["services"]["clock"]["command"],
    }
    for name in UNITS:
        places = {"0.0.0.0": "127.0.0.1", "/tmp/celerybeat-schedule": "/var/lib/clinic/celerybeat-schedule"}
        assert [places.get(word, word) for word in in_compose[name]] == unit_command(name), name


def test_a_timer_runs_each_job_with_the_command_of_the_docs():
    commands = {"clinic-backup": "manage.py backup", "clinic-restore-check": "manage.py restore --check"}
    for name in JOBS:
        assert unit_command(name) == ["python", *commands[name].split()]
        assert commands[name] in OPERATE
        timer = configparser.ConfigParser(strict=True, interpolation=None)
        timer.read(ROOT / "deploy" / "systemd" / f"{name}.timer")
        assert (timer["Timer"]["Persistent"], timer["Install"]["WantedBy"]) == ("yes", "timers.target")
        assert f"{name}.timer" in OPERATE


def test_the_job_of_compose_writes_backups_where_the_image_lets_it():
    job = compose()["services"]["backup"]
    assert job["command"] == unit_command("clinic-backup")
    assert (job["environment"]["BACKUP_DIR"], job["volumes"]) == ("/backups", ["backups:/backups"])
    assert {*compose()["x-application"]["environment"], "BACKUP_DIR"} - set(job["environment"]) == {"BEHIND_PROXY"}
    assert "install --directory --owner=clinic --mode=700 /backups" in (ROOT / "Dockerfile").read_text()
    image = compose()["services"]["database"]["image"]
    assert f"FROM {image} AS postgresql" in (ROOT / "Dockerfile").read_text()


def test_the_image_has_the_packages_that_the_docs_install():
    text = (ROOT / "Dockerfile").read_text()
    for line in ("--require-hashes", "-r requirements.txt", "npm ci --omit=dev --ignore-scripts"):
        assert line in text
        assert line in OPERATE
    assert settings.SECURE_REDIRECT_EXEMPT == [r"^(healthz|readyz)$"]  # the image asks without TLS
