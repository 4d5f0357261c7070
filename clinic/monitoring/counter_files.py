"""The folder in which the processes of one web server add up their counters."""

import os
from pathlib import Path
from tempfile import gettempdir

from django.core.exceptions import ImproperlyConfigured

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported


def share() -> None:
    """Name the folder in the environment, and make it: the processes have the same parent, and the next server another.

    Raises ImproperlyConfigured for a folder that somebody else has made.
    """
    folder = Path(os.environ.get(VARIABLE) or f"{gettempdir()}/clinic-metrics-{os.getppid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise ImproperlyConfigured(f"{folder} belongs to another user. Name a folder of your own in {VARIABLE}.")
    os.environ[VARIABLE] = str(folder)
