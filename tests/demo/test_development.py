"""`make run`: the demo as the server of a developer."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clinic import settings
from demo import supervisor
from tests.demo.processes import is_gone

# A Celery application whose worker writes a file when it is ready, with the version of its code.
SMALL_CELERY = """
import os
from pathlib import Path
from celery import Celery, signals

SECRET_KEY = "of this test"
app = Celery("small", broker="memory://")
VERSION = "{version}"

@signals.worker_ready.connect
def say(**named):
    Path(__file__).with_name("ready").write_text(VERSION + " " + str(os.getpid()))
"""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """The arguments of the supervisor and the environment of its programs."""
    given: dict[str, Any] = {}

    class Recorder:
        def __init__(self, data_dir: Path, port: int, **named: Any) -> None:
            given.update(named, port=port, environment=dict(os.environ))

        def run(self) -> None: ...

    monkeypatch.setattr(supervisor, "Supervisor", Recorder)
    monkeypatch.setattr(os, "environ", {"CLINIC_DATA_DIR": str(tmp_path), "PORT": "8765"})
    monkeypatch.setattr(supervisor, "port_error", lambda port: None)

    def start(*options: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["demo", *options])
        assert supervisor.main() == 0
        return given

    return start


def test_a_developers_server_debugs_reloads_and_shows_the_logs(started):
    given = started("--reload")
    assert given["environment"]["DEBUG"] == "true"
    assert given["follow"] is True
    assert given["web"].arguments == ("manage.py", "runserver", "127.0.0.1:8765")
    payments, worker, clock = given["background"]
    assert payments.arguments[:2] == ("-m", "demo.stripe_server")
    assert worker.arguments[:6] == ("-m", "demo.reloader", "--quiet", "-A", "clinic", "worker")
    assert clock.arguments[:6] == ("-m", "demo.reloader", "--quiet", "-A", "clinic", "beat")
    assert [service.name for service in given["services"]] == ["PostgreSQL", "Redis"]


def test_the_demo_does_none_of_it(started):
    given = started()
    assert "DEBUG" not in given["environment"]
    assert given["follow"] is False
    assert "granian" in given["web"].arguments
    modules = [program.arguments[1] for program in given["background"]]
    assert modules == ["demo.stripe_server", "celery", "celery"]
    assert given["environment"]["PAYMENT_PROVIDER"] == "local"
    assert given["background"][0].arguments[-1] == "http://127.0.0.1:8765/payments/stripe/"


def test_nothing_is_logged_twice_and_no_log_goes_past_the_filter_of_secrets():
    """Django would add a handler of its own while DEBUG is on."""
    assert settings.LOGGING["loggers"]["django"] == {"handlers": []}
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["outages", "secrets"]


@pytest.fixture
def small_worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    (tmp_path / "small.py").write_text(SMALL_CELERY.format(version="first"))
    command = [sys.executable, "-m", "demo.reloader", "--quiet", "-A", "small", "worker", "-P", "threads", "-c", "1"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "small", "PYTHONPATH": f"{tmp_path}:{supervisor.ROOT}"}
    process = subprocess.Popen(
        command, cwd=supervisor.ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield process
    process.kill()
    process.wait()


def ready(tmp_path: Path, version: str) -> int:
    """The process id of the worker that runs this version of the code, once there is one.

    The file is written again every five seconds: the worker may be ready before its watcher has looked at the file.
    """
    deadline = time.monotonic() + 60
    written = time.monotonic()
    while time.monotonic() < deadline:
        if time.monotonic() - written > 5:
            (tmp_path / "small.py").touch()
            written = time.monotonic()
        words = (tmp_path / "ready").read_text().split() if (tmp_path / "ready").exists() else []
        if words[:1] == [version] and len(words) == 2:
            return int(words[1])
        time.sleep(0.05)
    raise AssertionError(f"no worker runs the {version} version")


def test_a_worker_starts_again_when_its_code_changes_and_ends_with_its_watcher(small_worker, tmp_path):
    first = ready(tmp_path, "first")
    (tmp_path / "small.py").write_text(SMALL_CELERY.format(version="second"))
    second = ready(tmp_path, "second")
    assert is_gone(first)
    small_worker.terminate()
    assert small_worker.wait(timeout=20) == 0
    assert is_gone(second)
