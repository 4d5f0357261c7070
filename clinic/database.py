"""Detection of an unavailable PostgreSQL: restarting, unreachable, or out of connections."""

from contextlib import suppress

import psycopg
from django.db import OperationalError, connection

# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, shutdowns, too many connections
AWAY = ("08", "57P01", "57P02", "57P03", "57P05", "53300")
RETRY_AFTER = "5"  # seconds, about what a restart takes


def is_away(error: BaseException | None) -> bool:
    """True if the error means that PostgreSQL is unavailable, so that nothing of the request was stored.

    Lock timeouts, limits and full disks are OperationalErrors too, but have other codes. An error without a code means
    that the client could not reach the server.
    """
    cause = error.__cause__ if isinstance(error, OperationalError) else None
    if not isinstance(cause, psycopg.OperationalError):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(AWAY)


def drop_dead_connections() -> None:
    """Replace the connections that a restart has closed; each one left in the pool would fail another request."""
    connection.close()
    if pool := connection.pool:  # type: ignore[attr-defined]
        with suppress(psycopg.Error):
            pool.check()
