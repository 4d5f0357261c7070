"""The migrated database that each worker of the tests gets a copy of.

`python -m tests.template_database` makes it, in a process of its own while the workers still import the tests: once
for all of them, since the migrations take seconds.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "clinic_template"
UNFINISHED = "clinic_template_unfinished"
LOCK = "template.lock"


def start_making(data_dir: Path) -> subprocess.Popen[bytes]:
    """Start the process that makes the template on the PostgreSQL of `data_dir`; it holds the lock until it ends."""
    with (data_dir / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.Popen([sys.executable, "-W", "ignore", "-m", __name__], pass_fds=[lock.fileno()])


def wait_for_template() -> str | None:
    """Return the name of the template once it is made; None for a PostgreSQL that these tests did not start."""
    lock = Path(os.environ.get("CLINIC_DATA_DIR", "")) / LOCK
    if not lock.exists():
        return None
    with lock.open() as waited_for:
        fcntl.flock(waited_for, fcntl.LOCK_SH)
    return NAME


def make() -> None:
    """Migrate a new database, and give it its name when it is whole."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    with _maintenance() as cursor:
        cursor.execute(f"CREATE DATABASE {UNFINISHED}")
    connection.settings_dict["NAME"] = UNFINISHED
    call_command("migrate", skip_checks=True, verbosity=0)
    connection.close()
    with _maintenance() as cursor:
        cursor.execute(f"ALTER DATABASE {UNFINISHED} RENAME TO {NAME}")


@contextmanager
def _maintenance() -> Iterator:
    from django.db import connection

    with connection._nodb_cursor() as cursor:
        yield cursor


if __name__ == "__main__":
    make()
