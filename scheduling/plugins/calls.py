"""Calls of plug-ins within a time limit.

Each call has a thread of its own, since a thread is all that can be left behind when a call takes too long. The thread
has its own database connection and no part in any transaction.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from contextvars import copy_context
from datetime import datetime
from threading import Thread
from typing import Generic, TypeVar

from django.db import connections
from django.db.models import F

from clinic.models import PluginFailure
from scheduling.plugins.installed import InstalledPlugin
from scheduling.plugins.interface import Plugin

logger = logging.getLogger(__name__)

MOST_UNFINISHED = 4  # calls of one plug-in in one process; it is not called again before one of them ends

T = TypeVar("T")


class TooSlow(Exception):
    """The plug-in did not answer in time, or earlier calls of it have not ended."""


class PluginCall(Thread, Generic[T]):
    """A call of a plug-in, which has begun unless it cannot."""

    _unfinished: "defaultdict[str, list[Thread]]" = defaultdict(list)

    def __init__(self, installed: InstalledPlugin, ask: Callable[[Plugin], T]) -> None:
        super().__init__(name=f"plug-in {installed.name}", daemon=True)
        self.installed = installed
        self._ask = ask
        self._context = copy_context()  # with the reader's language
        self._results: list[T] = []
        self._error: Exception = installed.error or TooSlow()
        unfinished = [thread for thread in self._unfinished[installed.name] if thread.is_alive()]
        self._unfinished[installed.name] = unfinished
        if installed.plugin is not None and len(unfinished) < MOST_UNFINISHED:
            self.start()

    def run(self) -> None:
        assert self.installed.plugin is not None  # __init__
        try:
            self._results.append(self._context.run(self._ask, self.installed.plugin))
        except Exception as error:  # whatever its code raises
            self._error = error
        finally:
            connections.close_all()

    def result(self, deadline: float) -> T:
        """Wait for the result until the deadline, a value of time.monotonic. Raises the plug-in's error, or TooSlow."""
        if self.ident is not None:
            self.join(max(0.0, deadline - time.monotonic()))
            if self.is_alive():
                self._unfinished[self.installed.name].append(self)
                raise TooSlow
        if not self._results:
            raise self._error
        return self._results[0]


def note_failure(name: str, method: str, error: Exception, *, now: datetime) -> None:
    """Log the failure of a plug-in, and count it for Administration.

    Only the class of the error is stored, since its text can quote a record.
    """
    kind = type(error).__name__
    logger.error("Plug-in %s: %s failed (%s)", name, method, kind, exc_info=error)
    known = PluginFailure.objects.filter(plugin=name, method=method)
    if not known.update(count=F("count") + 1, error=kind, last=now):
        row = PluginFailure(plugin=name, method=method, error=kind, since=now, last=now)
        PluginFailure.objects.bulk_create([row], ignore_conflicts=True)
