"""The web server ends when it is told to, whatever its workers do."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from django.conf import settings

from demo.programs import HOST, web_server
from tests.demo.processes import is_gone

README = (Path(settings.BASE_DIR) / "README.md").read_text()
OPERATE = (Path(settings.BASE_DIR) / "docs" / "operate.md").read_text()
APPLICATION = """
import pathlib, sys, time, os
open(f"{os.getpid()}.worker", "x").close()
while not pathlib.Path("start").exists():
    time.sleep(0.02)
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    match environ["PATH_INFO"]:
        case "/request":
            open("running", "x").close()
            time.sleep(60)
        case "/events":
            return events()
    return [b"ok"]
def events():
    yield b"data: first\\n\\n"
    time.sleep(60)
"""
STOPPED_WITHIN = 20.0  # seconds on a busy machine; two are enough on an idle one


@pytest.fixture
def server(tmp_path):
    """The demo's granian, on a small application that loads once there is a file `start`."""
    (tmp_path / "small.py").write_text(APPLICATION)
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    *command, _ = web_server(port).arguments
    process = subprocess.Popen([sys.executable, *command, "small:application"], cwd=tmp_path, start_new_session=True)
    yield process, port
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def connect(port, path):
    """Send a request on a connection that stays open, and return the connection."""
    client = socket.create_connection((HOST, port), timeout=60)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    return client


@pytest.mark.parametrize("busy_with", ["loading", "keep-alive", "request", "events"])
def test_it_ends_soon_after_sigterm(server, tmp_path, busy_with):
    process, port = server
    wait_until(lambda: len(list(tmp_path.glob("*.worker"))) == 2)
    workers = [int(file.stem) for file in tmp_path.glob("*.worker")]
    with ExitStack() as stack:
        if busy_with != "loading":
            (tmp_path / "start").touch()
            wait_until(lambda: answers(port))
        match busy_with:
            case "keep-alive":
                assert stack.enter_context(connect(port, "/")).recv(1000).startswith(b"HTTP/1.1 200")
            case "request":
                stack.enter_context(connect(port, "/request"))
                wait_until((tmp_path / "running").exists)
            case "events":
                assert stack.enter_context(connect(port, "/events")).recv(1000).startswith(b"HTTP/1.1 200")
        process.terminate()
        assert process.wait(timeout=STOPPED_WITHIN) == 0
        assert all(is_gone(worker) for worker in workers)


def answers(port):
    with suppress(OSError), connect(port, "/") as client:
        return client.recv(1000).startswith(b"HTTP/1.1 200")
    return False


def test_the_documentation_starts_it_with_an_end_to_its_stop():
    """granian waits for its workers without end otherwise."""
    commands = re.findall(r"^\.venv/bin/granian .+$", README + OPERATE, re.MULTILINE)
    assert len(commands) == 2
    assert all("--workers-kill-timeout 30 " in command for command in commands)
    assert "TimeoutStopSec=40" in OPERATE
