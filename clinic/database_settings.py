"""The databases of the settings: PostgreSQL, directly or behind PgBouncer, and a replica of it."""

from dataclasses import dataclass, replace
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Settings of the database, as the environment has them."""

    url: str
    replica_url: str
    lock_timeout_ms: int
    pgbouncer: bool
    pgbouncer_prepares: bool
    pool_size: int


REPLICA_ANSWERS = 1  # seconds; later the database itself is read


def databases(chosen: DatabaseSettings) -> dict[str, dict[str, Any]]:
    """Return DATABASES. Raises ImproperlyConfigured."""
    found = {"default": _database("DATABASE_URL", chosen)}
    if chosen.replica_url:
        itself = replace(chosen, url=chosen.replica_url, pgbouncer=False, pgbouncer_prepares=False)
        found["replica"] = _database("DATABASE_REPLICA_URL", itself)
        found["replica"]["OPTIONS"]["pool"]["timeout"] = REPLICA_ANSWERS
    return found


def _database(setting: str, chosen: DatabaseSettings) -> dict[str, Any]:
    if not chosen.url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured(f"{setting} must name a PostgreSQL, such as postgresql://user:password@host/name.")
    if chosen.pgbouncer_prepares and not chosen.pgbouncer:
        text = "PGBOUNCER_PREPARED_STATEMENTS needs PGBOUNCER; without it, statements are prepared."
        raise ImproperlyConfigured(text)
    url: dict[str, Any] = environ.Env.db_url_config(chosen.url)
    entry = url | {"ENGINE": "clinic.postgresql", "CONN_HEALTH_CHECKS": False}
    # Statements that a connection repeats are prepared, since planning most of them takes longer than running them.
    options = entry.setdefault("OPTIONS", {})
    options |= {"server_side_binding": True, "prepare_threshold": 3}
    if chosen.pgbouncer:
        entry |= {"ENGINE": "clinic.pgbouncer", "DISABLE_SERVER_SIDE_CURSORS": True}
        if not chosen.pgbouncer_prepares:
            options["prepare_threshold"] = None
    else:
        options["options"] = f"-c lock_timeout={chosen.lock_timeout_ms}"
    options["pool"] = {
        "min_size": 1,
        "max_size": chosen.pool_size,
        "timeout": 10,
        "reconnect_timeout": 5,  # after it, the next request connects at once, instead of after growing pauses
    }
    return entry
