"""Addresses of the PostgreSQL and Redis that run on a data directory, for the demo and the tests.

They listen on Unix sockets only, in directories of the user's own whose names follow from the data directory. So the
settings know their URLs from CLINIC_DATA_DIR alone, and a command finds the servers that another process has started.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote


def postgres_url(data_dir: Path) -> str:
    """Return the URL of the PostgreSQL of a data directory, whether it runs or not."""
    return f"postgresql://clinic@/clinic?host={quote(str(socket_dir(data_dir, 'postgres')))}"


def redis_url(data_dir: Path) -> str:
    """Return the URL of the Redis of a data directory, whether it runs or not."""
    return f"unix://{quote(str(socket_dir(data_dir, 'redis')))}/redis.sock?db=0"


def broker_url(url: str) -> str:
    """Return the URL of a Redis as Celery writes it, which differs for a Unix socket."""
    if not url.startswith("unix://"):
        return url
    return "redis+socket://" + url.removeprefix("unix://").replace("?db=", "?virtual_host=")


def socket_dir(data_dir: Path, service: str) -> Path:
    """Return the socket directory of a service, data directory and user, short enough for the path of a socket."""
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    name = f"clinic-{os.getuid()}-{digest}-{service}"
    temporary = Path(tempfile.gettempdir())
    longest = temporary / name / ".s.PGSQL.5432.lock"
    return (temporary if len(os.fsencode(longest)) < 104 else Path("/tmp")) / name
