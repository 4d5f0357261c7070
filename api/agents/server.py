"""The server for agents, by the official SDK: https://github.com/modelcontextprotocol/python-sdk"""

from collections.abc import Callable
from typing import Any

from anyio import to_thread
from django.conf import settings
from django.db import connections
from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from pydantic import AnyHttpUrl
from starlette.applications import Starlette

from api.agents.tools import AgentTools
from api.authentication import caller_with
from scheduling.access import Caller

PATH = "/mcp"
INSTRUCTIONS = """\
Book visits at a clinic for the patient whose token this is.
List the services, find times, and hold the time that the patient likes: a hold says until when it stands, and the time
is free for others after that. Book only what the patient has agreed to. Times are local to the place of the visit, with
their offset. A refused call says why, and names other free times if the time was the reason. Send a new idempotency key
for each thing to be done, and the same one to repeat a call whose answer was lost.
In an emergency the patient calls the local emergency number: nothing here is for emergencies."""
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)


def server_for(caller_of: Callable[[], Caller | None], **options: Any) -> MCPServer[Any]:
    """Return a server whose tools act for the caller. It logs no arguments and no answers."""
    server: MCPServer[Any] = MCPServer(
        "clinic-scheduling",
        title=settings.CLINIC_NAME or None,
        instructions=INSTRUCTIONS,
        log_level="WARNING",
        **options,
    )
    tools = AgentTools(caller_of)
    for tool, annotations in (
        (tools.list_services, READS),
        (tools.find_times, READS),
        (tools.my_visits, READS),
        (tools.hold_time, WRITES),
        (tools.book_time, WRITES),
        (tools.move_visit, WRITES),
        (tools.cancel_visit, ENDS),
    ):
        server.add_tool(tool, annotations=annotations)
    return server


def http_application() -> Starlette:
    """Return the ASGI application at PATH. Each request brings its bearer token, as at the API; nothing is kept."""
    auth = AuthSettings(
        issuer_url=AnyHttpUrl(settings.SITE_URL),
        resource_server_url=AnyHttpUrl(f"{settings.SITE_URL}{PATH}"),
        validate_token_resource=False,  # the tokens of the API are for this server alone
    )
    server = server_for(_bearer, token_verifier=BearerVerifier(), auth=auth)
    return server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        # No page of another site has a token, so the name by which it calls this server does not matter.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )


class BearerVerifier:
    """The check of a bearer token, by the rules of the API."""

    async def verify_token(self, token: str) -> AccessToken | None:
        return await to_thread.run_sync(_verified, token)


def _verified(token: str) -> AccessToken | None:
    try:
        caller = caller_with(token)
    finally:
        connections.close_all()  # the thread is not Django's, which would do so after a request
    if caller is None:
        return None
    subject = str(caller.user.pk) if caller.user else None
    return AccessToken(token=token, client_id=caller.client, scopes=list(caller.scopes), subject=subject)


def _bearer() -> Caller | None:
    token = get_access_token()
    return caller_with(token.token) if token else None
