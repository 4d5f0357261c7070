"""Reads from a replica of PostgreSQL, which may be a little behind: the setting DATABASE_REPLICA_URL.

Only what is shown is read there: found times and searches. Whatever a write depends on, such as whether a time is still
free, is read from the database itself.

Clients read their own writes. After each write the position of the write-ahead log is kept in the cache for the client,
and the replica is read only if it has replayed that position:
https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-INFO-TABLE
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections

from clinic import database

T = TypeVar("T")

ALIAS = "replica"
AWAY_SECONDS = 30  # for which a replica that has failed is not tried, since each attempt may take a second
KNOWN_SECONDS = 1.0  # for which a process relies on what it has seen of the replica
KEEPS = "replica:cache-keeps-positions"  # set in the cache as long as it has not lost what was kept
START = 0  # positions are bytes since the start of the log

_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
_REPLAYED = """
    SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint
    WHERE pg_is_in_recovery() AND (
        (EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn())
        OR pg_last_xact_replay_timestamp() >= clock_timestamp() - make_interval(secs => %s)
    )
"""

logger = logging.getLogger(__name__)


class _Replica:
    """State of the replica as this process has seen it: until when it is not tried, the position that it has replayed,
    and until when that is relied on. Times are of the clock of the process.
    """

    away_until = 0.0
    replayed = START
    known_until = 0.0


_replica = _Replica()


def read(act: Callable[[], T], client: str) -> T:
    """Return what `act` returns. It reads from the replica if there is one that is good enough for this client.

    `act` must only read, because it is called again, with the database itself, where the replica fails. Within a
    transaction it reads from the database itself.
    """
    if not is_configured() or connection.in_atomic_block or time.monotonic() < _replica.away_until:
        return act()
    position = _position_after_writes(client)
    if position is not None:
        with _replica_as_default():
            try:
                if _has_replayed(position):
                    return act()
            except (OperationalError, InterfaceError) as error:
                _note_failure(error)
    return act()


def note_write(client: str) -> None:
    """Let this client's next reads have what has been written by now. Without a replica nothing is done."""
    if not is_configured():
        return
    with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        cache.set(_key(client), cursor.fetchone()[0], settings.DATABASE_REPLICA_LAG_SECONDS + AWAY_SECONDS)


def is_configured() -> bool:
    return ALIAS in connections


def is_current() -> bool:
    """True if the replica is read: it is one, and no more than DATABASE_REPLICA_LAG_SECONDS behind.

    Raises OperationalError if it does not answer.
    """
    with _replica_as_default():
        return _replayed() is not None


def _has_replayed(position: int) -> bool:
    """True if the server of this connection is a current replica and has replayed this position."""
    if time.monotonic() < _replica.known_until and position <= _replica.replayed:
        return True
    replayed = _replayed()
    if replayed is not None:
        _replica.replayed, _replica.known_until = replayed, time.monotonic() + KNOWN_SECONDS
    return replayed is not None and position <= replayed


def _replayed() -> int | None:
    """Return the position that the server of this connection has replayed; None if it is no replica, or further behind
    than DATABASE_REPLICA_LAG_SECONDS.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REPLAYED, [settings.DATABASE_REPLICA_LAG_SECONDS])
        row = cursor.fetchone()
    return row[0] if row else None


@contextmanager
def _replica_as_default() -> Iterator[None]:
    """Let this thread's statements go to the replica, whether they are the ORM's or our own."""
    itself = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connections[ALIAS]
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = itself


def _position_after_writes(client: str) -> int | None:
    """Return the position that the replica must have replayed for this client; None if the cache has lost it."""
    kept = cache.get_many([_key(client), KEEPS])
    if KEEPS in kept:
        return int(kept.get(_key(client), START))
    cache.set(KEEPS, 1, timeout=None)
    if cache.get(KEEPS) is None:  # Redis is away
        _replica.away_until = time.monotonic() + AWAY_SECONDS
    return None


def _note_failure(error: Exception) -> None:
    """Leave the replica alone for a while if it is unavailable. A query that its recovery has cancelled is not that."""
    if database.is_away(error):
        _replica.away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("The replica cannot be read for now (%s). The database itself is read.", type(error).__name__)
        database.drop_dead_connections()  # the replica's, which is the default one here


def _key(client: str) -> str:
    return f"replica:{sha256(client.encode()).hexdigest()}"
