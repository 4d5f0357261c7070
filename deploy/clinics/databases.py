"""The databases of clinics on one PostgreSQL: each belongs to a role of its own, and no other can connect to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ

import psycopg
from psycopg import sql

from deploy.clinics.settings_files import ClinicError

MOST_CONNECTIONS = 40  # of one clinic, so that it never takes those of the others: 24 of its processes, and commands


def database_name(clinic: str) -> str:
    """Return the name of a clinic's database, which its role has too."""
    return f"clinic_{clinic.replace('-', '_')}"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL, as somebody who may make roles and databases on it."""

    connection: psycopg.Connection

    @property
    def address(self) -> str:
        """The host and port by which a clinic's processes reach it with a password, which a socket does not ask for."""
        host = self.connection.info.host
        if host.startswith("/"):
            host = "127.0.0.1"
        return f"[{host}]:{self.connection.info.port}" if ":" in host else f"{host}:{self.connection.info.port}"

    def has(self, name: str) -> bool:
        """Return whether there is a role or a database of this name."""
        return self._has_role(name) or self._has_database(name)

    def make(self, name: str, password: str) -> None:
        """Make the role and its database, or what is still missing of them."""
        if not self._has_role(name):
            self._run("CREATE ROLE {0} LOGIN CREATEDB", name)  # CREATEDB is for `restore --check`
        # The server gets, and can log, only what it compares a password with.
        verifier = self.connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        self._run("ALTER ROLE {0} CONNECTION LIMIT {1} PASSWORD {2}", name, MOST_CONNECTIONS, verifier)
        # Who is no superuser acts for a role as its member; nobody stays one.
        self._run("GRANT {0} TO CURRENT_USER", name)
        try:
            if not self._has_database(name):
                self._run("CREATE DATABASE {0} OWNER {0} TEMPLATE template0 ENCODING 'UTF8'", name)
            self._run("REVOKE ALL ON DATABASE {0} FROM PUBLIC", name)
        finally:
            self._run("REVOKE {0} FROM CURRENT_USER", name)

    def _has_role(self, name: str) -> bool:
        return self.connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).rowcount > 0

    def _has_database(self, name: str) -> bool:
        return self.connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount > 0

    def _run(self, statement: str, name: str, *values: str | int) -> None:
        literals = map(sql.Literal, values)
        self.connection.execute(sql.SQL(statement).format(sql.Identifier(name), *literals))


@contextmanager
def administered() -> Iterator[Server]:
    """Connect to the PostgreSQL that the environment names as it does for psql. Raises ClinicError."""
    try:
        with psycopg.connect(dbname=environ.get("PGDATABASE", "postgres"), autocommit=True) as connection:
            yield Server(connection)
    except psycopg.Error as error:
        raise ClinicError(
            f"PostgreSQL refuses: {str(error).strip()}\nName it, and a role with CREATEROLE and CREATEDB, as for psql:"
            " PGHOST, PGPORT, PGUSER, PGPASSFILE."
        ) from error
