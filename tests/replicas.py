"""A streaming replica of the tests' PostgreSQL, whose replay a test can stop and resume."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, connections
from psycopg.conninfo import make_conninfo

from clinic import replica
from demo.embedded import Postgres

CAUGHT_UP_WITHIN = 60.0


class ReplicaServer(Postgres):
    """A PostgreSQL that starts as a copy of the server of the test's connection, and follows it."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, durable=False)

    def _create(self) -> None:
        server = connection.get_connection_params()
        address = make_conninfo(
            **{name: server[name] for name in ("host", "port", "user", "password") if name in server}
        )
        copy = [str(self.program.with_name("pg_basebackup")), "--dbname", address, "--pgdata", str(self.home)]
        subprocess.run([*copy, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"], check=True)

    def ask(self, sql: str, *values: Any) -> Any:
        """Return the one value that a statement finds on the replica."""
        with connections[replica.ALIAS].cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone()[0]

    def catch_up(self) -> None:
        """Wait until the replica has replayed all that has been written."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
            [position] = cursor.fetchone()
        deadline = time.monotonic() + CAUGHT_UP_WITHIN
        while not self.ask("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position):
            assert time.monotonic() < deadline, "the replica does not follow"
            time.sleep(0.01)

    @contextmanager
    def behind(self) -> Iterator[None]:
        """Catch up, and then replay nothing for a while."""
        self.catch_up()
        self.ask("SELECT pg_wal_replay_pause() IS NULL")
        while self.ask("SELECT pg_get_wal_replay_pause_state()") != "paused":
            time.sleep(0.01)
        try:
            yield
        finally:
            self.ask("SELECT pg_wal_replay_resume() IS NULL")
