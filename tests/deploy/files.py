"""The commands and settings in the files for deployments, read from them."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from django.conf import settings
from ruamel.yaml import YAML

ROOT = Path(settings.BASE_DIR)
UNITS = ["clinic-web", "clinic-worker", "clinic-clock"]
JOBS = ["clinic-backup", "clinic-restore-check"]
OF_A_CLINIC = [f"{name}@" for name in [*UNITS, *JOBS]]  # where there are several clinics
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
ENVIRONMENT = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def compose() -> Any:
    """Return what compose.yaml says."""
    return YAML(typ="safe").load(ROOT / "compose.yaml")


def image_command() -> list[str]:
    """Return the command that the image runs: the web server."""
    return json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])


def image_health_check() -> list[str]:
    """Return the command by which Docker asks if a container is healthy."""
    return json.loads(re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])


def image_build() -> str:
    """Return the shell command with which the image collects its static files and compiles its code."""
    [command] = [line for line in re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE) if "collectstatic" in line]
    return command


def unit_command(name: str) -> list[str]:
    """Return the command of a systemd unit, with the name of its program alone."""
    unit = (ROOT / "deploy" / "systemd" / f"{name}.service").read_text()
    program, *arguments = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1])
    assert Path(program).parent == Path("/opt/clinic/.venv/bin")
    return [Path(program).name, *arguments]
