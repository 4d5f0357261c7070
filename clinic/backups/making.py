"""Making a backup while the clinic works: the dump and its manifest are of one snapshot."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection, transaction

from clinic.backups import files, programs
from clinic.backups.files import Manifest
from clinic.backups.programs import BackupError
from clinic.version import version


def make(folder: Path, *, now: datetime) -> Path:
    """Write a backup into the folder and return the path of its dump. Raises BackupError, and then leaves nothing."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = files.temporary_path(folder)
    except OSError as error:
        raise BackupError(f"{folder} cannot be written: {error.strerror}.") from error
    dump = files.path_of(folder, now)
    try:
        with _snapshot() as snapshot:
            programs.run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={temporary}")
            rows = count_rows()
            server = programs.server_version()
        manifest = Manifest(
            made=now.astimezone(UTC).isoformat(),
            version=version(),
            postgresql=f"{server // 10_000}.{server % 10_000}",
            sha256=files.sha256(temporary),
            rows=rows,
        )
        files.write(temporary, dump, manifest)
    except OSError as error:
        raise BackupError(f"{dump} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return dump


def count_rows() -> dict[str, int]:
    """Return the number of rows of each table."""
    with connection.cursor() as cursor:
        counts = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            [counts[table]] = cursor.fetchone()
        return counts


@contextmanager
def _snapshot() -> Iterator[str]:
    """Open a snapshot of the database, and yield its name, by which pg_dump reads the same rows."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        [name] = cursor.fetchone()
        yield name
