"""The command `mcp`: a server for software agents, over its own input and output or over HTTP."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from api.authentication import caller_with
from clinic.models import AppRegistration
from scheduling import access
from scheduling.access import Caller

TOKEN = "MCP_TOKEN"


class Command(BaseCommand):
    """Serve agents. Without --http it talks over standard input and output, for one caller."""

    help = (
        "Serves the Model Context Protocol, with which software agents find, hold, book, move and cancel visits."
        f" Without --http it is for one caller: the holder of the access token in {TOKEN}, or --client."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--http", action="store_true", help="Serve HTTP at /mcp: each request brings its token.")
        parser.add_argument("--host", default="127.0.0.1", help="The address for --http; by default 127.0.0.1.")
        parser.add_argument("--port", type=int, default=8001, help="The port for --http; by default 8001.")
        parser.add_argument(
            "--client", default="", help="Act as this software, with the scopes that it is registered for."
        )

    def handle(self, *, http: bool, host: str, port: int, client: str, **options: Any) -> None:
        if find_spec("mcp") is None:
            raise CommandError('The SDK of the protocol is not installed. Install it: pip install "mcp>=2.3,<3"')
        if http:
            _serve(host, port)
            return
        caller_of = _software(client) if client else _token_holder()
        if caller_of() is None:
            raise CommandError(
                f"There is no software {client!r} that may act."
                if client
                else f"{TOKEN} has no access token that is valid. Put one into it, or name software with --client."
            )
        from api.agents.server import server_for

        server_for(caller_of).run("stdio")


def _serve(host: str, port: int) -> None:
    import uvicorn

    from api.agents.server import http_application

    uvicorn.run(http_application(), host=host, port=port, log_level="warning", server_header=False)


def _token_holder() -> Callable[[], Caller | None]:
    token = os.environ.get(TOKEN, "")
    return lambda: caller_with(token) if token else None


def _software(client: str) -> Callable[[], Caller | None]:
    """Return the function that returns the software as it may act at the moment."""

    def caller() -> Caller | None:
        registration = AppRegistration.objects.filter(application__client_id=client).first()
        scopes = registration.scopes if registration else ""
        return access.standing_caller(client, None, scopes, now=timezone.now())

    return caller
