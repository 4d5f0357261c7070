"""Connections through PgBouncer in transaction mode, where each transaction may get another session of PostgreSQL."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from psycopg import capabilities

from clinic.postgresql import base

NOT_RENAMED = (
    "Prepared statements of one client could reach another:"
    " PgBouncer is older than 1.21 or has max_prepared_statements = 0."
)
NO_CLOSE = "This libpq is older than 17 and cannot close prepared statements through PgBouncer."


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend for PostgreSQL, without state of the session.

    PgBouncer keeps no `lock_timeout` between transactions, so each transaction sets its own.
    """

    prepared_statements_are_safe = False  # until the first connection of the process has shown it

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if settings.PGBOUNCER_PREPARED_STATEMENTS and not DatabaseWrapper.prepared_statements_are_safe:
            try:
                with self.wrap_database_errors:
                    _check_prepared_statements(self.connection)
            except BaseException:
                self.close()  # else the next caller would use it, unchecked
                raise
            DatabaseWrapper.prepared_statements_are_safe = True

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if not autocommit:
            with self.wrap_database_errors:
                self.connection.execute(f"SET LOCAL lock_timeout = {settings.LOCK_TIMEOUT_MS}", prepare=False)


def _check_prepared_statements(connection: Any) -> None:
    """Raise ImproperlyConfigured unless PgBouncer gives prepared statements names of its own in the session."""
    if not capabilities.has_send_close_prepared():
        raise ImproperlyConfigured(NO_CLOSE)
    with connection.transaction():
        connection.execute("SELECT 'is this statement renamed?'", prepare=True)
        renamed = connection.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'PGBOUNCER\\_%'", prepare=False
        ).fetchone()[0]
    if not renamed:
        raise ImproperlyConfigured(NOT_RENAMED)
