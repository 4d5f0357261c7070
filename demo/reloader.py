"""Celery for development: `python -m demo.reloader worker` starts a worker again whenever code changes.

The web server of Django's `runserver` does so by itself. The worker runs beside the thread that watches the files.
"""

import os
import sys

import django
from celery.bin.celery import celery
from django.utils import autoreload


def run_celery() -> None:
    """Run the command of `sys.argv`, such as `-A clinic worker`, until this process ends."""
    django.setup()
    celery(sys.argv[1:], prog_name="celery", standalone_mode=False)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    autoreload.run_with_reloader(run_celery)
