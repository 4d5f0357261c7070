"""An agent: the SDK's own client, which calls the tools over one of the transports."""

import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import anyio
import httpx2
import uvicorn
from django.conf import settings
from django.db import connection
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from api.agents.server import PATH, http_application

Call = tuple[str, dict[str, Any]]


class Refused(Exception):
    """The error of a tool."""


@contextmanager
def http_server() -> Iterator[str]:
    """Serve the tools over HTTP in a thread. Yields the address."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(http_application(), host="127.0.0.1", port=port, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}{PATH}"
    server.should_exit = True
    thread.join(timeout=30)


def over_http(address: str, token: str, *calls: Call) -> list[Any]:
    """Call tools one after another with a token. A refusal is returned as Refused."""

    async def run() -> list[Any]:
        async with _connected(address, token) as client:
            return [await _called(client, *call) for call in calls]

    return anyio.run(run)


def at_once(address: str, *calls: tuple[str, str, dict[str, Any]]) -> list[Any]:
    """Make calls, each with its token and a client of its own, at one moment."""
    results: dict[int, Any] = {}

    async def one(number: int, token: str, name: str, arguments: dict[str, Any], ready: anyio.Event) -> None:
        async with _connected(address, token) as client:
            await ready.wait()
            results[number] = await _called(client, name, arguments)

    async def run() -> None:
        ready = anyio.Event()
        async with anyio.create_task_group() as group:
            for number, (token, name, arguments) in enumerate(calls):
                group.start_soon(one, number, token, name, arguments, ready)
            await anyio.sleep(0.5)
            ready.set()

    anyio.run(run)
    return [results[number] for number in range(len(calls))]


def over_stdio(token: str, *calls: Call, arguments: tuple[str, ...] = ()) -> list[Any]:
    """Call tools of a server of its own, which talks over its input and output, on the database of the test."""
    start = (
        "import django; from django.conf import settings;"
        f"settings.DATABASES['default']['NAME'] = {connection.settings_dict['NAME']!r}; django.setup();"
        "from django.core.management import call_command;"
        f"call_command('mcp', *{arguments!r})"
    )
    server = StdioServerParameters(
        command=sys.executable,
        args=["-W", "ignore", "-c", start],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "MCP_TOKEN": token,
        },
        cwd=Path(settings.BASE_DIR),
    )

    async def run() -> list[Any]:
        async with Client(server, read_timeout_seconds=120) as client:
            return [await _called(client, *call) for call in calls]

    return anyio.run(run)


@asynccontextmanager
async def _connected(address: str, token: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(address, http_client=http)) as client,
    ):
        yield client


async def _called(client: Client, name: str, arguments: dict[str, Any]) -> Any:
    if name == "tools":
        return (await client.list_tools()).tools
    result = await client.call_tool(name, arguments)
    if result.is_error:
        return Refused(result.content[0].text)
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content
