"""Findings of plug-ins about a visit, within a time limit.

All plug-ins are asked at once, each in a thread of its own, since a thread is all that can be left behind when a call
takes too long. A thread has its own database connection and no part in any transaction. A plug-in that fails or takes
too long has no findings, unless it is required: then the booking has to wait for it.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from threading import Thread

from django.conf import settings
from django.db import connections
from django.db.models import F

from clinic.models import PluginFailure
from scheduling.errors import Issue, PluginUnavailable, RuleBroken
from scheduling.plugins.installed import InstalledPlugin, with_own
from scheduling.plugins.interface import BookingFacts, Finding, Plugin, PluginRefusal, PluginWarning

logger = logging.getLogger(__name__)

MOST_UNFINISHED = 4  # calls of one plug-in in one process; it is not called again before one of them ends


class TooSlow(Exception):
    """The plug-in did not answer in time, or earlier calls of it have not ended."""


@dataclass(frozen=True)
class Judgement:
    """The findings of all plug-ins about a visit: the texts of refusals and of warnings."""

    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def warnings_unless_refused(self, override: str = "") -> tuple[str, ...]:
        """Return the warnings; with the reason `override`, refusals are warnings. Raises RuleBroken."""
        if self.refusals and not override:
            raise RuleBroken(issues=[Issue(RuleBroken.code, text) for text in self.refusals])
        return self.refusals + self.warnings


NO_FINDINGS = Judgement()


def are_asked() -> bool:
    """True if a plug-in has to be asked before a booking."""
    return bool(with_own(Plugin.before_booking))


def judge(facts: BookingFacts, *, now: datetime) -> Judgement:
    """Ask the plug-ins about a visit. Raises PluginUnavailable if a required one does not answer."""
    deadline = time.monotonic() + settings.PLUGIN_SECONDS
    calls = [_Call(plugin, facts) for plugin in with_own(Plugin.before_booking)]
    findings: list[Finding] = []
    for call in calls:
        if (error := call.error_at(deadline)) is None:
            findings += call.findings
            continue
        note_failure(call.plugin, Plugin.before_booking.__name__, error, now=now)
        if call.plugin.is_required:
            raise PluginUnavailable
    return Judgement(_texts(findings, PluginRefusal), _texts(findings, PluginWarning))


def note_failure(plugin: InstalledPlugin, method: str, error: Exception, *, now: datetime) -> None:
    """Log the failure of a plug-in, and count it for Administration.

    Only the class of the error is stored, since its text can quote a record.
    """
    name = type(error).__name__
    logger.error("Plug-in %s: %s failed (%s)", plugin.name, method, name, exc_info=error)
    known = PluginFailure.objects.filter(plugin=plugin.name, method=method)
    if not known.update(count=F("count") + 1, error=name, last=now):
        row = PluginFailure(plugin=plugin.name, method=method, error=name, since=now, last=now)
        PluginFailure.objects.bulk_create([row], ignore_conflicts=True)


class _Call(Thread):
    """One call of `before_booking`, which starts at once unless earlier calls have not ended."""

    unfinished: "defaultdict[str, list[_Call]]" = defaultdict(list)

    def __init__(self, plugin: InstalledPlugin, facts: BookingFacts) -> None:
        super().__init__(name=f"plug-in {plugin.name}", daemon=True)
        self.plugin = plugin
        self.findings: tuple[Finding, ...] = ()
        self._error = plugin.error
        self._facts = facts
        self._context = copy_context()  # the reader's language
        waiting = self.unfinished[plugin.name] = [each for each in self.unfinished[plugin.name] if each.is_alive()]
        if plugin.plugin is None:
            return
        if len(waiting) >= MOST_UNFINISHED:
            self._error = TooSlow()
            return
        self.start()

    def run(self) -> None:
        try:
            self.findings = self._context.run(self._ask)
        except Exception as error:  # whatever its code raises
            self._error = error
        finally:
            connections.close_all()

    def error_at(self, deadline: float) -> Exception | None:
        """Wait until the call has ended, or until the deadline; return the error, if there is one."""
        if self.ident is not None:
            self.join(max(0.0, deadline - time.monotonic()))
        if self.is_alive():
            self.unfinished[self.plugin.name].append(self)
            return TooSlow()
        return self._error

    def _ask(self) -> tuple[Finding, ...]:
        assert self.plugin.plugin is not None  # __init__
        findings = tuple(self.plugin.plugin.before_booking(self._facts))
        for finding in findings:
            if not isinstance(finding, Finding):
                raise TypeError(f"{type(finding).__name__} is neither a PluginRefusal nor a PluginWarning")
        return findings


def _texts(findings: Iterable[Finding], kind: type[Finding]) -> tuple[str, ...]:
    """Return the texts of the findings of one kind, each once."""
    return tuple(dict.fromkeys(str(finding.text) for finding in findings if isinstance(finding, kind)))
