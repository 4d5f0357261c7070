"""Plug-ins: rules of the clinic in Python packages of its own, found by entry points.

docs/develop.md says how to write one. A plug-in imports its base class and the facts from here.
"""

from scheduling.plugins.installed import GROUP, InstalledPlugin, installed
from scheduling.plugins.interface import (
    BookingFacts,
    BookingStep,
    CallerFacts,
    Door,
    PatientFacts,
    Plugin,
    PluginRefusal,
    PluginWarning,
    ServiceFacts,
    VisitNews,
)
from scheduling.plugins.judging import NO_FINDINGS, Judgement, are_asked, judge
from scheduling.plugins.news import kinds_by_plugin, tell

__all__ = [
    "GROUP",
    "NO_FINDINGS",
    "BookingFacts",
    "BookingStep",
    "CallerFacts",
    "Door",
    "InstalledPlugin",
    "Judgement",
    "PatientFacts",
    "Plugin",
    "PluginRefusal",
    "PluginWarning",
    "ServiceFacts",
    "VisitNews",
    "are_asked",
    "installed",
    "judge",
    "kinds_by_plugin",
    "tell",
]
