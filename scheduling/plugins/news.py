"""News of visits for plug-ins, after the commit: the methods that begin with `after_`."""

import time
from datetime import datetime

from clinic.models import VisitEvent
from scheduling.plugins.calls import PluginCall, note_failure
from scheduling.plugins.installed import NotInstalled, installed
from scheduling.plugins.interface import Plugin, VisitNews

SECONDS = 30  # for one call, which nobody waits for

METHODS = {
    VisitEvent.Kind.BOOKED: Plugin.after_booked,
    VisitEvent.Kind.MOVED: Plugin.after_moved,
    VisitEvent.Kind.CANCELLED: Plugin.after_cancelled,
    VisitEvent.Kind.ARRIVED: Plugin.after_arrived,
}


def kinds_by_plugin() -> dict[str, list[VisitEvent.Kind]]:
    """Return the kinds of event that each plug-in is told of, for those that are told of any."""
    found = {
        each.name: [kind for kind, method in METHODS.items() if each.plugin is not None and each.overrides(method)]
        for each in installed()
    }
    return {name: kinds for name, kinds in found.items() if kinds}


def tell(name: str, news: VisitNews, *, now: datetime) -> None:
    """Tell a plug-in what happened to a visit. Raises its error, TooSlow, or NotInstalled."""
    method = METHODS[VisitEvent.Kind(news.kind)].__name__
    found = next((each for each in installed() if each.name == name), None)
    try:
        if found is None:
            raise NotInstalled
        call = PluginCall(found, lambda plugin: getattr(plugin, method)(news))
        call.result(time.monotonic() + SECONDS)
    except Exception as error:  # whatever its code raises
        note_failure(name, method, error, now=now)
        raise
