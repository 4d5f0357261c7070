"""Restoring a backup, into the database of the settings or into one that is dropped again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from clinic.backups import files, programs
from clinic.backups.files import Manifest
from clinic.backups.making import count_rows
from clinic.backups.programs import BackupError
from clinic.doctor import CHECKS_OF_ROWS

ALL_OR_NOTHING = ("--no-owner", "--exit-on-error", "--single-transaction")


def restore(dump: Path, *, now: datetime) -> Manifest:
    """Restore a backup into the empty database of the connection, migrate and check it, and return its manifest.

    Raises BackupError: before anything is restored, or with what is amiss in what was restored.
    """
    manifest = files.read_manifest(dump)
    _require_empty()
    programs.run("pg_restore", *ALL_OR_NOTHING, f"--dbname={connection.settings_dict['NAME']}", dump)
    findings = list(_other_counts(manifest))
    _migrate()
    for check in CHECKS_OF_ROWS:
        findings += check.findings(now)
    if findings:
        raise BackupError("\n".join(["The backup was restored, but it is not whole:", *findings]))
    return manifest


@contextmanager
def scratch_database(*, now: datetime) -> Iterator[None]:
    """Connect to a new and empty database beside that of the settings; it is dropped in the end."""
    name = f"{connection.settings_dict['NAME']}_restored_{now.astimezone(UTC):%Y%m%d%H%M%S}"
    quoted = connection.ops.quote_name(name)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8'")
            cursor.execute(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC")  # the server may have other clinics' roles
    except DatabaseError as error:
        raise BackupError(f"The role of DATABASE_URL cannot create a database (CREATEDB): {error}".strip()) from error
    try:
        with _connected_to(name):
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {quoted} WITH (FORCE)")


@contextmanager
def _connected_to(name: str) -> Iterator[None]:
    own = connection.settings_dict["NAME"]
    _disconnect()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        _disconnect()
        connection.settings_dict["NAME"] = own


def _disconnect() -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]


def _require_empty() -> None:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    if tables:
        raise BackupError(
            f"The database {connection.settings_dict['NAME']} is not empty: it has {len(tables)} tables."
            " Create another one (createdb), and name it in DATABASE_URL."
        )


def _other_counts(manifest: Manifest) -> Iterator[str]:
    """Yield a sentence for each table that has not as many rows as it had."""
    rows = count_rows()
    for table, number in manifest.rows.items():
        if rows.get(table) != number:
            yield f"The table {table} has {rows.get(table, 'no')} rows, and had {number}."


def _migrate() -> None:
    """Apply the migrations that are newer than the backup. Raises BackupError for a backup that is newer than these."""
    loader = MigrationLoader(connection)
    ours = {key for key in loader.applied_migrations if key[0] == "clinic"}
    if unknown := sorted(ours - set(loader.disk_migrations)):
        raise BackupError(f"The backup is of a newer release, with the migration {unknown[-1][1]}: install that one.")
    call_command("migrate", interactive=False, verbosity=0)
