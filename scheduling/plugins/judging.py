"""Findings of plug-ins about a visit that is about to be booked.

All plug-ins are asked at once. A plug-in that fails or takes too long has no findings, unless it is required: then the
booking has to wait for it.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from scheduling.errors import Issue, PluginUnavailable, RuleBroken
from scheduling.plugins.calls import PluginCall, note_failure
from scheduling.plugins.installed import with_own
from scheduling.plugins.interface import BookingFacts, Finding, Plugin, PluginRefusal, PluginWarning


@dataclass(frozen=True)
class Judgement:
    """The findings of all plug-ins about a visit: the texts of refusals and of warnings.

    `cards` are those of decision services, which patients read too.
    """

    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()

    def warnings_unless_refused(self, override: str = "") -> tuple[str, ...]:
        """Return the warnings; with the reason `override`, refusals are warnings. Raises RuleBroken."""
        if self.refusals and not override:
            raise RuleBroken(issues=[Issue(RuleBroken.code, text) for text in self.refusals])
        return self.refusals + self.warnings + self.cards


NO_FINDINGS = Judgement()


def are_asked() -> bool:
    """True if a plug-in has to be asked before a booking."""
    return bool(with_own(Plugin.before_booking))


def judge(facts: BookingFacts, *, now: datetime) -> Judgement:
    """Ask the plug-ins about a visit. Raises PluginUnavailable if a required one does not answer."""
    deadline = time.monotonic() + settings.PLUGIN_SECONDS
    calls = [PluginCall(plugin, lambda own: _findings(own, facts)) for plugin in with_own(Plugin.before_booking)]
    findings: list[Finding] = []
    for call in calls:
        try:
            findings += call.result(deadline)
        except Exception as error:  # whatever its code raises
            note_failure(call.installed.name, Plugin.before_booking.__name__, error, now=now)
            if call.installed.is_required:
                raise PluginUnavailable from error
    return Judgement(_texts(findings, PluginRefusal), _texts(findings, PluginWarning))


def _findings(plugin: Plugin, facts: BookingFacts) -> tuple[Finding, ...]:
    findings = tuple(plugin.before_booking(facts))
    for finding in findings:
        if not isinstance(finding, Finding):
            raise TypeError(f"{type(finding).__name__} is neither a PluginRefusal nor a PluginWarning")
    return findings


def _texts(findings: Iterable[Finding], kind: type[Finding]) -> tuple[str, ...]:
    """Return the texts of the findings of one kind, each once."""
    return tuple(dict.fromkeys(str(finding.text) for finding in findings if isinstance(finding, kind)))
