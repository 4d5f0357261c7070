"""A folder that stands in for the image, and the programs that run in it without privileges."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pathspec
import pytest

from tests.deploy.files import ROOT, image_build

SECONDS = 240
SHIFTED_CLOCK = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")  # of `make check-dates`
# Root without privileges is held to permissions as anybody is; it still gets to the socket of the tests' PostgreSQL.
WITHOUT_PRIVILEGES = ["setpriv", "--bounding-set=-all,+dac_read_search", "--inh-caps=-all", "--no-new-privs"]


@dataclass(frozen=True)
class Container:
    """A folder that stands in for the image, and the environment that its programs get."""

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


@contextmanager
def plain_folder(folders: pytest.TempPathFactory) -> Iterator[Container]:
    """Copy and build what the image has, where nothing can be written but temporary files."""
    app = folders.mktemp("app")
    for name in copied_files():
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, app / name)
    (app / "node_modules").symlink_to(ROOT / "node_modules")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TMPDIR": str(folders.mktemp("tmp")),
        "PYTHONDONTWRITEBYTECODE": "1",
        **{name: os.environ[name] for name in SHIFTED_CLOCK if name in os.environ},
    }
    build = image_build().replace("/opt/venv/bin/", "")
    subprocess.run(build, shell=True, cwd=app, env={"PATH": environment["PATH"]}, check=True, capture_output=True)
    inside = [app, *(path for path in app.rglob("*") if path.is_dir() and not path.is_symlink())]
    for folder in inside:
        folder.chmod(0o555)
    yield Container(app, environment)
    for folder in inside:
        folder.chmod(0o755)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def behind_proxy(port: int, host: str, path: str) -> Request:
    """Return a request as the proxy passes it on, which has ended TLS."""
    headers = {"Host": host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    return Request(f"http://127.0.0.1:{port}{path}", headers=headers)


def answers(request: Request) -> bool:
    """True if a server answers the request with 200."""
    try:
        with urlopen(request, timeout=SECONDS) as response:
            return response.status == 200
    except (URLError, TimeoutError):
        return False
