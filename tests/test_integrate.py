"""docs/integrate.md as a newcomer follows it: all of its commands are run, in order, and print what the page says."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from socket import socket
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinic.models import AppRegistration, User
from demo.seed import people
from demo.seed.rows import DemoRows
from scheduling import tasks
from tests.api.agents.agent import http_server

PAGE = (Path(settings.BASE_DIR) / "docs" / "integrate.md").read_text()
# Commands, and the output that the page shows: lines in which * stands for anything.
BLOCK = re.compile(r"^```bash\n(?P<commands>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.DOTALL | re.MULTILINE)
DEMO, PORTS = "http://127.0.0.1:8000", ("8098", "8099")  # the demo's address, and the ports of the newcomer's servers
AGENTS = "http://127.0.0.1:8001/mcp"
NEXT = "-- the next block --"
SECONDS = 300


@dataclass(frozen=True)
class Block:
    commands: str
    printed: list[str] | None


def blocks(page: str) -> list[Block]:
    found = (match.group("commands", "printed") for match in BLOCK.finditer(page))
    return [Block(commands, None if printed is None else printed.splitlines()) for commands, printed in found]


def walk(found: list[Block], directory: Path, answer: Callable[[str], str]) -> Iterator[list[str]]:
    """Run the blocks in one shell and return the output of each. `answer` gives a person's decision."""
    script = "\n".join(["set -eo pipefail", *(f"{each.commands}\necho '{NEXT}'" for each in found)])
    with subprocess.Popen(
        ["timeout", str(SECONDS), "bash", "-c", script],
        cwd=directory,
        env={**os.environ, "NO_PROXY": "*"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    ) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        lines: list[str] = []
        for line in shell.stdout:
            if "/oauth/authorize/?" in line:
                shell.stdin.write(answer(line.strip()) + "\n")
            if line.strip() == NEXT:
                yield lines
                lines = []
            else:
                lines.append(line.rstrip())
        assert not lines, "\n".join(lines)


def is_as_shown(lines: list[str], text: list[str]) -> bool:
    """Servers differ in the case of the names of headers."""
    pairs = [(line.lower(), each.lower().replace("[", "[[]")) for line, each in zip(lines, text, strict=False)]
    return len(lines) == len(text) and all(fnmatchcase(line, each) for line, each in pairs)


def free_port() -> str:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def walked(transactional_db, live_server, settings) -> Iterator[str]:
    """The page, with the addresses of this test: the demo's clinic without its visits, and ports that are free."""
    settings.DEMO = True  # the demo's accounts are refused elsewhere
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.PUBLISHED_MAX_AGE = timedelta(days=1)  # or a minute that ends here would be a change
    DemoRows(timezone.now())
    page, keys = PAGE.replace(DEMO, live_server.url), people.BACKEND_KEYS
    for port in PORTS:
        free = free_port()
        page, keys = page.replace(port, free), keys.replace(port, free)
    AppRegistration.objects.filter(jwks_url=people.BACKEND_KEYS).update(jwks_url=keys)
    with http_server() as agents:
        yield page.replace(AGENTS, agents)


@pytest.fixture
def clock(transactional_db):
    """Do what the demo's clock and worker do each second."""
    over = Event()

    def tick() -> None:
        while not over.wait(0.1):
            tasks.notify_subscribers()
        connection.close()

    thread = Thread(target=tick)
    thread.start()
    yield
    over.set()
    thread.join()


def allow(address: str) -> str:
    """Return the code that the app gets when Ada gives it access to her data, in her browser."""
    parts = urlsplit(address)
    browser = Client(headers={"host": parts.netloc})
    browser.force_login(User.objects.get(email="ada@example.com"))
    query = parse_qs(parts.query)
    decided = browser.post(
        f"/oauth/authorize/decide/?{parts.query}&whose=ada", {"decision": "allow", "may": query["scope"][0].split()}
    )
    return parse_qs(urlsplit(decided["Location"]).query)["code"][0]


def test_every_command_runs_and_prints_what_the_page_says(walked, clock, tmp_path):
    found = blocks(walked)
    printed = list(walk(found, tmp_path, allow))

    assert len(printed) == len(found)
    for block, lines in zip(found, printed, strict=True):
        assert block.printed is None or is_as_shown(lines, block.printed), "\n".join([block.commands, *lines])


def test_the_page_has_commands():
    assert len(blocks(PAGE)) == PAGE.count("```bash")
    assert sum(each.printed is not None for each in blocks(PAGE)) == PAGE.count("```text")


@pytest.mark.parametrize("address", [AGENTS, people.BACKEND_KEYS, people.CLIENT_ID, people.APP_ID])
def test_the_page_names_what_the_demo_knows(address):
    assert address in PAGE
