"""Detection of an unavailable PostgreSQL: restarting, unreachable, or out of connections, memory or disk."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg
from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")

# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, shutdowns, and insufficient
# resources, which are too many connections, and no disk or memory left
AWAY = ("08", "57P01", "57P02", "57P03", "57P05", "53")
RETRY_AFTER = "5"  # seconds, about what a restart takes
PAUSE = 1.0  # seconds between the attempts of `outlast`


def is_away(error: BaseException | None) -> bool:
    """True if the error means that PostgreSQL is unavailable, so that nothing of the request was stored.

    Lock timeouts and limits are OperationalErrors too, but have other codes. An error without a code means that the
    client could not reach the server, or has lost its connection.
    """
    cause = error.__cause__ if isinstance(error, OperationalError | InterfaceError) else None
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(AWAY)


def drop_dead_connections() -> None:
    """Replace the connections that a restart has closed; each one left in the pool would fail another request."""
    connection.close()
    if pool := connection.pool:  # type: ignore[attr-defined]
        with suppress(psycopg.Error):
            pool.check()


def outlast(act: Callable[[], T], seconds: float) -> T:
    """Call `act`, and again until PostgreSQL is there, for so many seconds at most.

    `act` may have been committed when its connection was lost, so it must come to the same if it is done twice.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError) as error:
            if not is_away(error) or connection.in_atomic_block or time.monotonic() > deadline:
                raise
            drop_dead_connections()
        time.sleep(PAUSE)
