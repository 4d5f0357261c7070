"""The servers that the tests need, as a pytest plugin (`-p tests.services`): PostgreSQL, Redis, a browser.

Where the environment names no database, a fresh PostgreSQL and Redis serve this one run, from a directory
that is removed at its end. They are there before the Django settings are read.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import chromium_path, pgbouncer_path
from demo.embedded import EmbeddedError, Postgres, Redis, Service
from tests import template_database

__all__ = ["chromium_path"]

# What tests with a marker need, and what is said where it is missing.
PROGRAMS = {
    "browser": (chromium_path, "BROWSER TESTS NOT RUN: no Chromium found; install it, or set CHROMIUM to its path"),
    "pgbouncer": (pgbouncer_path, "TESTS THROUGH PGBOUNCER NOT RUN: install it"),
}
_not_run = pytest.StashKey[list[str]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """A wrapper, because pytest-django reads the settings in this very hook."""
    if "DATABASE_URL" not in os.environ and "PYTEST_XDIST_WORKER" not in os.environ:
        start_services(early_config)
    return (yield)


def start_services(config: pytest.Config) -> None:
    """Start what the run needs; the settings find it through `CLINIC_DATA_DIR`."""
    remove_leftovers()
    data_dir = Path(tempfile.mkdtemp(prefix=f"clinic-tests-{os.getpid()}-"))
    os.environ["CLINIC_DATA_DIR"] = str(data_dir)
    services: list[Service] = [Postgres(data_dir, durable=False)]
    if "REDIS_URL" not in os.environ:
        services.append(Redis(data_dir))

    def stop() -> None:
        for service in services:
            service.stop()
        shutil.rmtree(data_dir, ignore_errors=True)

    config.add_cleanup(stop)
    try:
        for service in services:
            service.start()
    except EmbeddedError as error:
        raise pytest.UsageError(str(error)) from error
    making = template_database.start_making(data_dir)
    config.add_cleanup(lambda: (making.kill(), making.wait()))


def remove_leftovers() -> None:
    """Remove the data of runs that were killed; their servers ended with them."""
    for directory in Path(tempfile.gettempdir()).glob("clinic-tests-*-*"):
        try:
            os.kill(int(directory.name.split("-")[2]), 0)
        except ProcessLookupError:
            shutil.rmtree(directory, ignore_errors=True)
        except PermissionError:  # another user's, and alive
            continue


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Return one worker more than there are cores, because tests also wait: for browsers, processes and clocks."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # xdist reads it
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests whose program is missing."""
    for marker, (path_of, warning) in PROGRAMS.items():
        if path_of() is None and (left_out := [item for item in items if item.get_closest_marker(marker)]):
            config.stash.setdefault(_not_run, []).append(warning)
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what stays to the end of the run: all modules and tests, half a million objects.

    Looking through them again and again took a quarter of the time of tests without a database.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Warn that some tests were not run."""
    for warning in config.stash.get(_not_run, []):
        terminalreporter.write_line(warning, red=True, bold=True)
