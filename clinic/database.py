"""Whether PostgreSQL is away: restarting, out of reach, or out of connections."""

from contextlib import suppress

import psycopg
from django.db import OperationalError, connection

# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, shutdowns, too many connections
AWAY = ("08", "57P01", "57P02", "57P03", "57P05", "53300")
RETRY_AFTER = "5"  # seconds, about what a restart takes


def is_away(error: BaseException | None) -> bool:
    """Tell whether a request failed because PostgreSQL could not be asked: nothing of it was kept.

    Waits for locks, limits and full disks are OperationalErrors too. PostgreSQL gives each of them a code; where there
    is none, the client could not reach it.
    """
    cause = error.__cause__ if isinstance(error, OperationalError) else None
    if not isinstance(cause, psycopg.OperationalError):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(AWAY)


def drop_dead_connections() -> None:
    """Replace the connections that a restart has cut: each left in the pool would fail one more request."""
    connection.close()
    if pool := connection.pool:  # type: ignore[attr-defined]
        with suppress(psycopg.Error):
            pool.check()
