"""The plug-ins that are installed beside this software: entry points of the group GROUP, by name."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from django.conf import settings

from scheduling.plugins.interface import Plugin

logger = logging.getLogger(__name__)

GROUP = "clinic_scheduling.plugins"


class NotInstalled(Exception):
    """A plug-in that the settings require is not installed."""


@dataclass(frozen=True)
class InstalledPlugin:
    """A plug-in with the name and version of its package, or the error with which it could not be loaded."""

    name: str
    package: str = ""
    version: str = ""
    plugin: Plugin | None = None
    error: Exception | None = None

    @property
    def is_required(self) -> bool:
        return self.name in settings.REQUIRED_PLUGINS

    def overrides(self, method: Callable[..., object]) -> bool:
        """True if the plug-in has its own version of a method of Plugin, or could not be loaded to tell."""
        return self.plugin is None or getattr(type(self.plugin), method.__name__) is not method


@cache
def installed() -> tuple[InstalledPlugin, ...]:
    """Return the plug-ins by name, with those that are required and missing. They are loaded once in each process."""
    found = {entry.name: _load(entry) for entry in entry_points(group=GROUP)}
    missing = {name: InstalledPlugin(name, error=NotInstalled()) for name in settings.REQUIRED_PLUGINS}
    return tuple(plugin for _, plugin in sorted((missing | found).items()))


def with_own(method: Callable[..., object]) -> Iterable[InstalledPlugin]:
    """Return the plug-ins that override a method of Plugin."""
    return [plugin for plugin in installed() if plugin.overrides(method)]


def _load(entry: EntryPoint) -> InstalledPlugin:
    package, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
    try:
        plugin = entry.load()()
        if not isinstance(plugin, Plugin):
            raise TypeError(f"{entry.value} is not a subclass of scheduling.plugins.Plugin")
    except Exception as error:  # whatever its code raises: the others are loaded
        logger.error("Plug-in %s cannot be loaded (%s)", entry.name, type(error).__name__, exc_info=error)
        return InstalledPlugin(entry.name, package, version, error=error)
    return InstalledPlugin(entry.name, package, version, plugin)
